"""The channel between processes: messages whole and in order, each with its own descriptors."""

import asyncio
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.supervisor.channel import Channel, ChannelBroken, Inbox, receive_first


class End:
    """One end of a channel that notes what comes."""

    def __init__(self, sock: socket.socket) -> None:
        self.messages: list[tuple[dict[str, Any], list[int]]] = []
        self.closed = asyncio.Event()
        self.came = asyncio.Event()
        self.channel = Channel(sock, self._take, self.closed.set)
        self.channel.start(asyncio.get_running_loop())

    def _take(self, message: dict[str, Any], fds: list[int]) -> None:
        self.messages.append((message, fds))
        self.came.set()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.messages) < count:
                self.came.clear()
                await self.came.wait()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


async def test_messages_arrive_in_order_and_whole(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = End(pair[0]), End(pair[1])
    for number in range(100):
        one.channel.send({"op": "n", "number": number})
    other.channel.send({"op": "back"})
    await other.wait_for(100)
    await one.wait_for(1)
    assert [message["number"] for message, _ in other.messages] == list(range(100))


async def test_more_than_the_pipe_holds_is_sent_when_there_is_room(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one = End(pair[0])
    for number in range(200):
        one.channel.send({"op": "n", "number": number, "padding": "x" * 10_000})
    other = End(pair[1])
    await other.wait_for(200)
    assert [message["number"] for message, _ in other.messages] == list(range(200))


async def test_descriptors_go_with_their_message(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = End(pair[0]), End(pair[1])
    for text in (b"first", b"second"):
        reading, writing = os.pipe()
        os.write(writing, text)
        one.channel.send({"op": "none"})
        one.channel.send({"op": "pipe", "is": text.decode()}, [reading])
        os.close(reading)
        os.close(writing)
    await other.wait_for(4)
    for message, fds in other.messages:
        if message["op"] == "none":
            assert fds == []
        else:
            assert os.read(fds[0], 100).decode() == message["is"]
            os.close(fds[0])
        assert "fds" not in message


async def test_the_end_of_the_other_side_is_noticed_once(pair: tuple[socket.socket, socket.socket]) -> None:
    one = End(pair[0])
    pair[1].sendall(b'{"op":"last"}\n')
    pair[1].close()
    async with asyncio.timeout(60):
        await one.closed.wait()
    assert [message["op"] for message, _ in one.messages] == ["last"]
    one.channel.send({"op": "nobody hears this"})
    one.channel.close()


def test_a_message_in_pieces_is_put_together() -> None:
    inbox = Inbox()
    assert inbox.take_in(b'{"op":', []) == []
    assert inbox.take_in(b'"a"}\n{"op":"b"}\n{', []) == [({"op": "a"}, []), ({"op": "b"}, [])]


async def test_a_descriptor_for_which_there_is_no_room_is_lost_with_its_message_alone(
    pair: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    sender, receiver = Channel(pair[0], lambda *_: None, lambda: None), End(pair[1])
    with Path(os.devnull).open() as file:
        sender.send({"number": 1})
        sender.send({"number": 2}, [file.fileno()])
        sender.send({"number": 3})
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (file.fileno(), limits[1]))
        try:
            await receiver.wait_for(2)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        sender.send({"number": 4}, [file.fileno()])
        await receiver.wait_for(3)
    assert [message["number"] for message, _ in receiver.messages] == [1, 3, 4]
    assert "too many files are open" in caplog.text
    os.close(receiver.messages[-1][1][0])


def test_what_is_no_message_breaks_the_channel() -> None:
    for data in (b'{"fds":1}\n', b"[]\n"):
        with pytest.raises(ChannelBroken):
            Inbox().take_in(data, [])


def test_the_first_message_can_be_waited_for_without_taking_more(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].sendall(b'{"op":"open"}\n{"op":"next"}\n')
    assert receive_first(pair[1]) == {"op": "open"}
    assert pair[1].recv(100) == b'{"op":"next"}\n'
    pair[0].close()
    with pytest.raises(ChannelBroken):
        receive_first(pair[1])
