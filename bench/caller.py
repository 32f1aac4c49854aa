"""One connection of the load: a WebSocket client that keeps a fixed number of calls under way.

Built to cost little, so that on a small machine the figures are the server's:

* all calls are encoded before the clock starts, as WebSocket frames with the mask key 0 (legal, and
  the payload then is its own mask), so that sending k calls is one slice and one write;
* a chunk that consists of plain successes, each 25 bytes, is taken apart by one `iter_unpack`;
  everything else (errors, pings, fragments, partial frames) goes through the general reader.

Replies must come in the order of the calls; one that does not is a `ReplyError`.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
_SUCCESS = struct.Struct("<BBBBIqBII")
"""Frame head (2), compression, message kind, request id, timestamp, outcome, two empty lengths."""


class ReplyError(Exception):
    """The server's reply is not what the protocol allows here."""


def client_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """A final frame, masked with zeros."""
    head = 0x80 | opcode
    if len(payload) < 126:
        return bytes((head, 0x80 | len(payload), 0, 0, 0, 0)) + payload
    if len(payload) < 65536:
        return struct.pack(">BBHI", head, 0x80 | 126, len(payload), 0) + payload
    return struct.pack(">BBQI", head, 0x80 | 127, len(payload), 0) + payload


@dataclass(frozen=True)
class Target:
    """Where to connect: the HTTP upgrade's parts."""

    host: str
    port: int
    path: str
    protocol: str
    token: str | None

    def request(self) -> bytes:
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {self.protocol}",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        ]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join([*lines, "", ""]).encode()


class Caller(asyncio.Protocol):
    """Sends calls round robin from `calls`, frames of `call_size` bytes each.

    `answered(count, seconds)` hears of replies as they come.
    """

    def __init__(
        self, target: Target, calls: bytes, call_size: int, answered: Callable[[int, float], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.drained: asyncio.Future[None] = loop.create_future()
        self.done = self.sent = 0
        self.failures: list[tuple[int, str]] = []
        """(index of the call, what the server said)"""
        self._target, self._calls, self._call_size = target, memoryview(calls), call_size
        self._count = len(calls) // call_size
        self._answered = answered
        self._stopping = False
        self._batches: deque[list[float]] = deque()
        self._buffer = b""
        self._fragments: list[bytes] = []
        self._upgraded = False

    # -- what the measurement does

    def start(self, in_flight: int) -> None:
        self._send(in_flight)

    def stop(self) -> None:
        """Send no more; `drained` resolves when every call is answered."""
        self._stopping = True
        self._settle()

    def close(self) -> None:
        self._transport.write(client_frame(b"\x03\xe8", CLOSE))
        self._transport.close()

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP gives a full transport
        self._transport.write(self._target.request())

    def connection_lost(self, exc: Exception | None) -> None:
        lost = ConnectionError(f"the server closed the connection: {exc or 'no reason given'}")
        for waiting in (self.greeted, self.drained):
            if not waiting.done():
                waiting.set_exception(lost)

    def data_received(self, data: bytes) -> None:
        try:
            if not self._take_successes(data):
                self._read(self._buffer + data)
        except ReplyError as error:
            for waiting in (self.greeted, self.drained):
                if not waiting.done():
                    waiting.set_exception(error)
            self._transport.abort()

    # -- replies

    def _take_successes(self, data: bytes) -> bool:
        if self._buffer or self._fragments or not self.greeted.done() or len(data) % _SUCCESS.size:
            return False
        expected, count = self.done, self._count
        for op, size, tag, kind, request, _, outcome, returned, sets in _SUCCESS.iter_unpack(data):
            if op != 0x82 or size != 23 or tag or kind != 6 or outcome or returned or sets:
                return False
            if request != expected % count:
                return False
            expected += 1
        self._finish(expected - self.done)
        return True

    def _read(self, data: bytes) -> None:
        self._buffer = b""
        if not self._upgraded:
            head, blank, rest = data.partition(b"\r\n\r\n")
            if not blank:
                self._buffer = data
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise ReplyError(f"the upgrade was refused: {data[:300].decode(errors='replace')}")
            self._upgraded, data = True, rest
        for opcode, payload in self._frames(data):
            if opcode == PING:
                self._transport.write(client_frame(payload, PONG))
            elif opcode == CLOSE:
                raise ReplyError(f"the server closed: {payload[2:].decode(errors='replace')}")
            elif opcode == BINARY and not self.greeted.done():
                self.greeted.set_result(None)
            elif opcode == BINARY:
                self._finish(self._result(payload))

    def _frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Whole messages and control frames; what is incomplete goes back into the buffer."""
        at = 0
        while len(data) - at >= 2:
            size, start = data[at + 1] & 0x7F, at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, start = int.from_bytes(data[start : start + width], "big"), start + width
            if len(data) < start + size:
                break
            opcode, final, payload = data[at] & 15, data[at] & 0x80, data[start : start + size]
            at = start + size
            if opcode >= CLOSE:
                yield opcode, payload
                continue
            self._fragments.append(payload)
            if final:
                whole, self._fragments = b"".join(self._fragments), []
                yield BINARY, whole
        self._buffer = data[at:] + self._buffer

    def _result(self, payload: bytes) -> int:
        tag, kind, request, _, outcome = struct.unpack_from("<BBIqB", payload)
        if tag or kind != 6 or request != self.done % self._count:
            raise ReplyError(f"message {kind} for request {request} where {self.done % self._count} was due")
        if outcome >= 2:
            (size,) = struct.unpack_from("<I", payload, 15)
            self.failures.append((self.done, payload[19 : 19 + size].decode(errors="replace")))
        return 1

    def _finish(self, replies: int) -> None:
        now, left = time.perf_counter(), replies
        while left:
            batch = self._batches[0]
            taken = min(left, int(batch[1]))
            self._answered(taken, now - batch[0])
            batch[1] -= taken
            left -= taken
            if not batch[1]:
                self._batches.popleft()
        self.done += replies
        if not self._stopping:
            self._send(replies)
        self._settle()

    def _settle(self) -> None:
        if self._stopping and self.done == self.sent and not self.drained.done():
            self.drained.set_result(None)

    # -- calls

    def _send(self, count: int) -> None:
        self._batches.append([time.perf_counter(), count])
        first = self.sent % self._count
        self.sent += count
        while count:
            taken = min(count, self._count - first)
            self._transport.write(self._calls[first * self._call_size : (first + taken) * self._call_size])
            count, first = count - taken, 0
