"""A worker's database in this process, and clients at the other end of a pair of sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_standalone.config.settings import ServerConfig
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.wire.envelope import Compression
from spacetimedb_standalone.worker.client_socket import Terms
from spacetimedb_standalone.worker.clients import Clients
from spacetimedb_standalone.worker.opening import Opened, open_database

MODULES = Path(__file__).parents[2] / "modules"
OWNER = Identity.from_claims("test", "owner")
TEXT, BINARY, CLOSE = 1, 2, 8


@dataclass
class Played:
    """One client, frame by frame."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, message: str | bytes) -> None:
        """A message in one frame, masked with zeros."""
        payload = message.encode() if isinstance(message, str) else message
        size = struct.pack(">BH", 0x80 | 126, len(payload))
        self.writer.write(
            bytes([0x80 | (TEXT if isinstance(message, str) else BINARY)]) + size + bytes(4) + payload
        )

    def ask(self, name: str, **fields: Any) -> None:
        """A message of the text protocol."""
        self.send(json.dumps({name: fields}))

    async def receive(self) -> tuple[int, bytes]:
        """The next message or close: (opcode, payload)."""
        opcode, payload = 0, b""
        while True:
            first, size = await self._exactly(2)
            if size == 126:
                (size,) = struct.unpack(">H", await self._exactly(2))
            data = await self._exactly(size)
            if first & 15 in (9, 10):
                continue
            opcode, payload = opcode or first & 15, payload + data
            if first & 0x80:
                return opcode, payload

    async def hear(self) -> tuple[str, dict[str, Any]]:
        """The next message of the text protocol: (name, content)."""
        opcode, payload = await self.receive()
        assert opcode == TEXT, payload
        ((name, content),) = json.loads(payload).items()
        return name, content

    async def closed(self) -> tuple[int, str] | None:
        """How the connection ends: code and reason, or None without a close frame."""
        try:
            opcode, payload = await self.receive()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return None
        assert opcode == CLOSE, payload
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    async def _exactly(self, size: int) -> bytes:
        async with asyncio.timeout(60):
            return await self.reader.readexactly(size)


@dataclass
class Room:
    """A database and those who connect to it."""

    opened: Opened
    clients: Clients
    played: list[Played] = field(default_factory=list)
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def enter(self, protocol: str, name: str = "ann", **terms: Any) -> Played:
        number = next(self.numbers)
        caller = Caller(
            Identity.from_claims("test", name), ConnectionId(number.to_bytes(16, "little")), "{}", False
        )
        agreed = {"confirmed": False, "light": False, "compression": Compression.NONE} | terms
        wanted = Terms(
            **({"token": "tok", "ping_interval": 60.0, "idle_timeout": 60.0, "close_timeout": 0.1} | agreed)
        )
        ours, theirs = socket.socketpair()
        await self.clients.accept(
            theirs, lambda clients: clients.new_socket(caller, f"{protocol}.spacetimedb", wanted, b"", b"")
        )
        played = Played(*await asyncio.open_connection(sock=ours))
        self.played.append(played)
        return played


@asynccontextmanager
async def room(tmp_path: Path, module: str, cache_dir: Path) -> AsyncIterator[Room]:
    """A database in memory that runs this module, compiled once for each `cache_dir`."""
    boot = WorkerBoot(
        replica_id=1,
        replica_dir=tmp_path / "replica",
        database_identity=Identity.from_claims("test", "database"),
        owner_identity=OWNER,
        host_type="Wasm",
        program_path=MODULES / module,
        program_hash=bytes(32),
        create=True,
        in_memory=True,
        http_path=tmp_path / "http",
        cache_dir=cache_dir,
        node="here",
        log_file=None,
        config=ServerConfig(),
    )
    clients = Clients()
    faults: list[str] = []
    opened = open_database(boot, clients, lambda: faults.append("a turn broke off"))
    here = Room(opened, clients)
    try:
        yield here
    finally:
        for played in here.played:
            played.writer.close()
        await asyncio.sleep(0.01)
        opened.close()
    assert not faults
