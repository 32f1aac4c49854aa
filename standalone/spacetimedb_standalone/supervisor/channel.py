"""The channel between two processes of the server: JSON messages over a Unix stream socket, and open files
with them.

A message is one line of JSON. Its member `fds` says how many open file descriptors belong to it; they
travel beside the bytes and arrive no later than the first byte of their message. The stream may hand over
several messages at once or a message in pieces, so descriptors are kept in a queue and given to messages in
order.

A process that has as many files open as it may gets a message without its descriptors: they are lost in the kernel,
and with them that message, but no other. A message that belongs to them has at most one.

The sender duplicates the descriptors it sends, so the caller may close its own as soon as `send` returns; a
received descriptor belongs to whoever `on_message` is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

Message = dict[str, Any]

_READ_SIZE: Final = 1 << 16
_FDS_PER_READ: Final = 64
_MESSAGE_LIMIT: Final = 1 << 24
_LOST: Final = -1
"""In the place of a descriptor that did not arrive."""

_log = logging.getLogger(__name__)


class ChannelBroken(Exception):
    """The other end sent what is no message: a defect of this program, or a stranger on the socket."""


class Channel:
    """One end. `on_closed` is called once when the other end is gone, not after `close`."""

    def __init__(
        self,
        sock: socket.socket,
        on_message: Callable[[Message, list[int]], None],
        on_closed: Callable[[], None],
    ):
        sock.setblocking(False)
        self._socket = sock
        self._on_message = on_message
        self._on_closed = on_closed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox = Inbox()
        self._outbox: deque[tuple[memoryview, list[int]]] = deque()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_reader(self._socket.fileno(), self._readable)

    @property
    def is_open(self) -> bool:
        return self._socket.fileno() >= 0

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send now, or as soon as the other end has room. Nothing happens if the channel is closed."""
        if not self.is_open:
            return
        if fds:
            message = {**message, "fds": len(fds)}
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        self._outbox.append((memoryview(line), [os.dup(fd) for fd in fds]))
        if len(self._outbox) == 1:
            self._flush()

    def close(self) -> None:
        """Close this end; messages that are still waiting are dropped."""
        if not self.is_open:
            return
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        for _, fds in self._outbox:
            _close_all(fds)
        self._outbox.clear()
        _close_all(self._inbox.take_descriptors())

    def _flush(self) -> None:
        while self._outbox:
            data, fds = self._outbox[0]
            try:
                sent = socket.send_fds(self._socket, [data], fds) if fds else self._socket.send(data)
            except BlockingIOError:
                self._wait_for_room()
                return
            except OSError:
                self._lost()
                return
            _close_all(fds)
            if sent < len(data):
                self._outbox[0] = (data[sent:], [])
            else:
                self._outbox.popleft()
        if self._loop is not None:
            self._loop.remove_writer(self._socket.fileno())

    def _wait_for_room(self) -> None:
        if self._loop is not None:
            self._loop.add_writer(self._socket.fileno(), self._flush)

    def _readable(self) -> None:
        try:
            data, fds, flags, _ = socket.recv_fds(self._socket, _READ_SIZE, _FDS_PER_READ)
        except BlockingIOError:
            return
        except OSError:
            self._lost()
            return
        lost = bool(flags & getattr(socket, "MSG_CTRUNC", 0)) and not fds
        if lost:
            _log.error("too many files are open: a connection that was passed on is lost")
        for message, passed in self._inbox.take_in(data, [_LOST] if lost else fds):
            self._on_message(message, passed)
        if not data:
            self._lost()

    def _lost(self) -> None:
        if self.is_open:
            self.close()
            self._on_closed()


class Inbox:
    """Puts lines and descriptors together again; knows nothing of sockets."""

    def __init__(self) -> None:
        self._rest = b""
        self._descriptors: deque[int] = deque()

    def take_in(self, data: bytes, fds: Sequence[int]) -> list[tuple[Message, list[int]]]:
        """The messages that are complete now, but for those whose descriptor is lost (-1). Raises `ChannelBroken`."""
        self._descriptors.extend(fds)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MESSAGE_LIMIT:
            raise ChannelBroken(f"a message of more than {_MESSAGE_LIMIT} bytes")
        taken = [self._message(line) for line in lines]
        return [(message, fds) for message, fds in taken if _LOST not in fds]

    def take_descriptors(self) -> list[int]:
        """Those that no message has claimed."""
        left = [fd for fd in self._descriptors if fd != _LOST]
        self._descriptors.clear()
        return left

    def _message(self, line: bytes) -> tuple[Message, list[int]]:
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ChannelBroken(f"a message that is no object: {line[:100]!r}")
        count = message.pop("fds", 0)
        if count > len(self._descriptors):
            raise ChannelBroken(f"a message without its {count} descriptors: {line[:100]!r}")
        return message, [self._descriptors.popleft() for _ in range(count)]


def receive_first(sock: socket.socket) -> Message:
    """Wait for the first message of a channel, byte by byte so that nothing behind it is taken.

    For a process that has no event loop yet. Raises `ChannelBroken` when the other end closes instead.
    """
    sock.setblocking(True)
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        if not byte:
            raise ChannelBroken("the other end closed before its first message")
        line += byte
    return Inbox().take_in(bytes(line), [])[0][0]


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
    fds.clear()
