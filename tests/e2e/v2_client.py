"""A small client of the v2 protocol, on a library's WebSocket: enough to play a user in a test."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from itertools import count

from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.running_server import PATIENCE, Person

INITIAL, APPLIED, UPDATE, RESULT = 0, 1, 4, 6


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<I", len(data)) + data


@dataclass(frozen=True)
class Message:
    """A server message: its tag, and the bytes behind it."""

    tag: int
    body: bytes

    @property
    def request_id(self) -> int:
        return int(struct.unpack_from("<I", self.body)[0])

    @property
    def outcome(self) -> int:
        """Of a reducer result: 0 ok, 2 its own error, 3 internal error."""
        return self.body[12]


@dataclass
class V2Client:
    socket: ClientConnection
    requests: count[int] = field(default_factory=lambda: count(1))

    @classmethod
    async def open(cls, url: str, database: str, person: Person, **query: str) -> V2Client:
        parameters = "&".join(f"{key}={value}" for key, value in ({"compression": "None"} | query).items())
        socket = await connect(
            f"{url.replace('http', 'ws')}/v1/database/{database}/subscribe?{parameters}",
            subprotocols=["v2.bsatn.spacetimedb"],  # type: ignore[list-item]  # a NewType over str
            additional_headers=person.headers,
            max_size=None,
            compression=None,
        )
        client = cls(socket)
        greeting = await client.receive()
        assert greeting.tag == INITIAL
        return client

    async def receive(self) -> Message:
        data = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        assert isinstance(data, bytes) and data[0] == 0, "uncompressed binary messages were asked for"
        return Message(data[1], data[2:])

    async def receive_tag(self, tag: int) -> Message:
        message = await self.receive()
        assert message.tag == tag, message
        return message

    async def subscribe(self, *queries: str, query_set: int = 1) -> Message:
        body = struct.pack("<BIII", 0, next(self.requests), query_set, len(queries))
        await self.socket.send(body + b"".join(text(query) for query in queries))
        return await self.receive()

    async def send_call(self, reducer: str, arguments: bytes) -> int:
        request = next(self.requests)
        body = struct.pack("<BIB", 3, request, 0) + text(reducer) + struct.pack("<I", len(arguments))
        await self.socket.send(body + arguments)
        return request

    async def call(self, reducer: str, arguments: bytes) -> Message:
        request = await self.send_call(reducer, arguments)
        result = await self.receive_tag(RESULT)
        assert result.request_id == request
        return result

    async def close(self) -> None:
        await self.socket.close()
