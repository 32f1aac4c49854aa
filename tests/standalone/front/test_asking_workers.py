"""Requests to a worker that ends, breaks off, or is merely busy."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from spacetimedb_standalone.front import databases
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Refused, Response
from spacetimedb_standalone.front.worker_http import WorkerBroke, WorkerUnreachable
from spacetimedb_standalone.supervisor.process import WorkerFailed

ANSWER = Response(200, [], b"")


class Workers(Databases):
    """One worker after the other, the next when the last has ended."""

    def __init__(self) -> None:
        self.started: list[Any] = []

    async def _start(self, database: Any) -> Any:
        if not self.started or self.started[-1].ended.done():
            ended = asyncio.get_running_loop().create_future()
            self.started.append(SimpleNamespace(pid=len(self.started), ended=ended))
        return self.started[-1]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_ENDING_WITHIN", 0.05)


async def test_a_worker_that_is_ending_is_replaced() -> None:
    workers, asked = Workers(), []

    async def request(worker: Any) -> Response:
        asked.append(worker.pid)
        if worker.pid == 0:
            worker.ended.set_result(None)
            raise WorkerUnreachable(worker)
        return ANSWER

    assert await workers.try_to_ask(None, request) is ANSWER  # type: ignore[arg-type]
    assert asked == [0, 1]


async def test_a_worker_that_is_merely_busy_is_left_alone() -> None:
    """It has no way to be killed here: an attempt would be an AttributeError."""
    workers = Workers()

    async def request(worker: Any) -> Response:
        raise WorkerUnreachable(worker)

    with pytest.raises(WorkerFailed, match="its process cannot be reached") as failed:
        await workers.try_to_ask(None, request)  # type: ignore[arg-type]
    assert failed.value.status == 503
    assert [worker.ended.done() for worker in workers.started] == [False]


async def test_who_met_a_worker_that_broke_finds_another_one_next() -> None:
    workers = Workers()

    async def request(worker: Any) -> Response:
        if worker.pid == 0:
            asyncio.get_running_loop().call_later(0.01, worker.ended.set_result, None)
            raise WorkerBroke("it ended")
        return ANSWER

    with pytest.raises(Refused) as refused:
        await workers.try_to_ask(None, request)  # type: ignore[arg-type]
    assert refused.value.response.status == 503
    assert await workers.try_to_ask(None, request) is ANSWER  # type: ignore[arg-type]
