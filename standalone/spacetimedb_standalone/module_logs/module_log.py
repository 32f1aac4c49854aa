"""A module's log: what the module, and the server on its behalf, have to say to its author."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

from spacetimedb_standalone.host.interface import LogRecord
from spacetimedb_standalone.module_logs.records import HOST, Level, Record
from spacetimedb_standalone.module_logs.storage import DayFiles, Ring, Storage
from spacetimedb_standalone.ports import Clock, Files

MAX_HISTORY = 2500
"""Lines of the past that a follower gets at most."""
FOLLOWER_BUFFER = 64
"""Records that wait for one follower; a slower one misses some."""


class ModuleLog:
    """Belongs to one thread."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage, self._clock = storage, clock
        self._followers: set[Follower] = set()

    @classmethod
    def open(cls, directory: Path, files: Files, clock: Clock) -> ModuleLog:
        """The log in a directory, made if need be. Raises `OSError`."""
        return cls(DayFiles(directory, files, clock), clock)

    @classmethod
    def in_memory(cls, clock: Clock) -> ModuleLog:
        return cls(Ring(), clock)

    def write(self, record: Record) -> None:
        line = record.encode()
        self._storage.append(record.ts, line)
        for follower in self._followers:
            follower.offer(line)

    def from_guest(self, record: LogRecord) -> None:
        """What the module wrote, now."""
        self.write(
            Record(
                level=Level.of_guest(record.level),
                ts=self._clock.now(),
                message=record.message,
                target=record.target,
                filename=record.filename,
                line_number=record.line_number,
                function=record.function,
                trace=record.trace,
            )
        )

    def system(self, level: Level, message: str) -> None:
        """What the server did to the database."""
        self.host_record(level, message, HOST)

    def host_record(self, level: Level, message: str, function: str | None, ts: int | None = None) -> None:
        """What the server has to say about one function. `ts` in microseconds; None: now."""
        ts = self._clock.now() if ts is None else ts
        self.write(Record(level, ts, message, target=HOST, filename=HOST, function=function))

    def reducer_error(self, function: str, message: str, ts: int) -> None:
        """A reducer returned an error; `ts` is the time of the call."""
        self.host_record(Level.ERROR, message, function, ts)

    def tail(self, count: int | None) -> bytes:
        """The last lines of the current file, or all of it; at least one, as the public server counts."""
        return b"".join(self._storage.last_lines(None if count is None else max(1, count)))

    def follow(self, count: int | None) -> Follower:
        """Some lines of the past, then all that come. `count` None or 0: only those that come."""
        history = b""
        if count:
            self._storage.sync()
            history = b"".join(self._storage.last_lines(min(count, MAX_HISTORY)))
        follower = Follower(history, self._followers)
        self._followers.add(follower)
        return follower

    def close(self) -> None:
        """Followers come to an end."""
        for follower in list(self._followers):
            follower.close()
        self._storage.close()


class Follower:
    """Iterates asynchronously over lines as they are written, in the order written. Close it at the end."""

    def __init__(self, history: bytes, followers: set[Follower]) -> None:
        self.history = history
        self._followers = followers
        self._lines: deque[bytes] = deque(maxlen=FOLLOWER_BUFFER)
        self._news = asyncio.Event()
        self._closed = False

    def offer(self, line: bytes) -> None:
        """The oldest waiting line makes way if the reader is too slow."""
        self._lines.append(line)
        self._news.set()

    def close(self) -> None:
        """No more lines; what waits can still be read."""
        self._followers.discard(self)
        self._closed = True
        self._news.set()

    def __aiter__(self) -> Follower:
        return self

    async def __anext__(self) -> bytes:
        while not self._lines:
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        lines = b"".join(self._lines)
        self._lines.clear()
        return lines
