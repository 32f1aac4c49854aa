"""The loop turn between the sockets and the disk: what waits, what stops, and what goes on when the disk is slow or fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from spacetimedb_standalone.commitlog import LogFailed
from spacetimedb_standalone.ports import ManualClock
from spacetimedb_standalone.worker.client_socket import ClientSocket
from spacetimedb_standalone.worker.loop_turn import LoopTurn


class Socket(ClientSocket):
    """A client's socket that remembers what was done to it."""

    def __init__(self, confirmed: bool) -> None:
        self.confirmed, self.held = confirmed, 0
        self.reading, self.written = True, list[bytes]()

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause(self) -> None:
        self.reading = False

    def resume(self) -> None:
        self.reading = True


class Answer:
    """The engine's side of a connection that has something to say."""

    def __init__(self, socket: Socket, offset: int, data: bytes) -> None:
        self.tag, self.offset, self._data = socket, offset, data

    def take(self) -> bytes:
        return self._data


class Database:
    """Datastore, its log and the engine's turn in one; the test says what each does."""

    def __init__(self) -> None:
        self.durable_offset, self.over_limit = -1, False
        self.answers: list[Answer] = []
        self.failure: LogFailed | None = None

    @property
    def log(self) -> Database:
        return self

    def on_durable(self, callback: Callable[[int], None]) -> None:
        self._callback = callback

    def durable(self, offset: int) -> None:
        self.durable_offset = offset
        self._callback(offset)

    def flush_log(self) -> int:
        if self.failure is not None:
            raise self.failure
        return -1

    def run(self, items: list[Any], now: int) -> list[Answer]:
        answers, self.answers = self.answers, []
        return answers


class Scene:
    def __init__(self) -> None:
        self.database, self.faults = Database(), 0
        everything = cast(Any, self.database)
        loop = asyncio.get_running_loop()
        self.turn = LoopTurn(loop, everything, everything, ManualClock(), self.fault)

    def fault(self) -> None:
        self.faults += 1

    def socket(self, *, confirmed: bool = True) -> Socket:
        socket = Socket(confirmed)
        self.turn.add(socket)
        return socket

    async def answer(self, *answers: Answer) -> None:
        """Some client has called; the engine has these answers."""
        self.database.answers = list(answers)
        self.turn.received(cast(Any, None), b"call")
        await asyncio.sleep(0)


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_an_answer_waits_until_its_transaction_is_durable_and_later_ones_behind_it(
    scene: Scene,
) -> None:
    ann, bea = scene.socket(), scene.socket(confirmed=False)
    scene.database.durable(4)
    await scene.answer(Answer(ann, 5, b"five"), Answer(bea, 5, b"five"))
    await scene.answer(Answer(ann, 4, b"of before"), Answer(bea, -1, b"of nothing"))
    assert ann.written == [] and bea.written == [b"five", b"of nothing"]
    scene.database.durable(5)
    assert ann.written == [b"five", b"of before"]


async def test_nothing_is_read_while_too_much_waits_for_the_disk(scene: Scene) -> None:
    ann = scene.socket()
    scene.database.over_limit = True
    await scene.answer(Answer(ann, 1, b"one"))
    late = scene.socket()
    assert not ann.reading and not late.reading
    scene.database.durable(0)
    assert not ann.reading, "the disk has caught up with some of it only"
    scene.database.over_limit = False
    scene.database.durable(1)
    assert ann.reading and late.reading and ann.written == [b"one"]


async def test_nobody_is_answered_once_the_disk_has_refused(scene: Scene) -> None:
    """Not those who did not ask for confirmed answers either; the worker is told to end."""
    ann, bea = scene.socket(), scene.socket(confirmed=False)
    scene.database.failure = LogFailed("the disk refused")
    await scene.answer(Answer(ann, 1, b"one"), Answer(bea, 1, b"one"))
    assert ann.written == bea.written == []
    assert scene.faults == 1
