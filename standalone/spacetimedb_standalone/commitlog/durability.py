"""From a commit in memory to a commit on the disk, and telling those who wait.

Group commit: everything that was submitted while the last sync ran is written and synced together. There
is no timer; with nothing to do a single transaction is synced at once. A `Durability` belongs to the thread
of the event loop; its callbacks run there, never before `submit` has returned, except where a form says so.

The forms differ in who waits for the disk:

* `KernelLog` (Linux): nobody. The sync is handed to the kernel, which signals a descriptor of the loop;
* `ThreadLog`: a thread of its own. Everywhere; the loop goes on, but the thread must win the interpreter
  lock back after each sync;
* `InlineLog`: the loop. Only for tools and tests: a slow disk stops everything;
* `NoLog`: nobody, nothing is kept (databases in memory).

A disk that refuses makes the log fail for good: `on_failed` callbacks run, `submit` raises `LogFailed`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from spacetimedb_standalone.commitlog.errors import LogFailed
from spacetimedb_standalone.commitlog.writer import LogWriter

MAX_PENDING = 64 << 20
"""With more bytes than this waiting for the disk, a database should stop taking requests."""


class Durability(ABC):
    """What all forms share: the queue, the published offset, and those who want to know."""

    def __init__(self, durable_offset: int) -> None:
        self.durable_offset = durable_offset
        """Every transaction up to this one survives a power loss; -1: none."""
        self.submitted_offset = durable_offset
        self.pending_bytes = 0
        """Submitted and not yet durable."""
        self.failure: LogFailed | None = None
        self._on_durable: list[Callable[[int], None]] = []
        self._on_failed: list[Callable[[LogFailed], None]] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def over_limit(self) -> bool:
        """Is so much waiting for the disk that no more requests should be taken?"""
        return self.pending_bytes > MAX_PENDING

    def on_durable(self, callback: Callable[[int], None]) -> None:
        """Call this with every new durable offset."""
        self._on_durable.append(callback)

    def on_failed(self, callback: Callable[[LogFailed], None]) -> None:
        """Call this once if the disk refuses. The database must stop: it cannot promise anything now."""
        self._on_failed.append(callback)

    def submit(self, commits: bytes, last_offset: int) -> None:
        """Take commits, framed and in order, the last of which is `last_offset`. Never waits for the disk.

        Raises `LogFailed` after a failure.
        """
        if self.failure is not None:
            raise LogFailed(*self.failure.args)
        self.submitted_offset = last_offset
        self.pending_bytes += len(commits)
        self._enqueue(commits, last_offset)

    async def wait(self, offset: int) -> None:
        """Until this transaction is durable. Raises `LogFailed`."""
        if offset <= self.durable_offset:
            return
        if self.failure is not None:
            raise LogFailed(*self.failure.args)
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((offset, future))
        await future

    @abstractmethod
    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Complete syncs on this loop from now on. Before that, only `drain` does."""

    @abstractmethod
    def drain(self, timeout: float) -> bool:
        """Wait, blocking, until all that was submitted is durable; False if time (seconds) runs out.

        Raises `LogFailed`.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and threads. Does not drain."""

    @abstractmethod
    def _enqueue(self, commits: bytes, last_offset: int) -> None: ...

    def _publish(self, offset: int, size: int) -> None:
        """All up to `offset` is durable, `size` bytes more than before."""
        self.durable_offset = offset
        self.pending_bytes -= size
        if self._waiting:
            still = []
            for wanted, future in self._waiting:
                if wanted > offset:
                    still.append((wanted, future))
                elif not future.done():
                    future.set_result(None)
            self._waiting = still
        for callback in self._on_durable:
            callback(offset)

    def _fail(self, failure: LogFailed) -> None:
        if self.failure is not None:
            return
        self.failure = failure
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(LogFailed(*failure.args))
        self._waiting.clear()
        for callback in self._on_failed:
            callback(failure)


class NoLog(Durability):
    """Keeps nothing and calls everything durable at once, so inside `submit`."""

    def __init__(self) -> None:
        super().__init__(-1)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing completes later."""

    def drain(self, timeout: float) -> bool:
        return True

    def close(self) -> None:
        """Nothing is held."""

    def _enqueue(self, commits: bytes, last_offset: int) -> None:
        self._publish(last_offset, len(commits))


class InlineLog(Durability):
    """Writes and syncs inside `submit`."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__(writer.synced_offset - 1)
        self._writer = writer

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing completes later."""

    def drain(self, timeout: float) -> bool:
        return True

    def close(self) -> None:
        self._writer.close()

    def _enqueue(self, commits: bytes, last_offset: int) -> None:
        try:
            self._writer.append(commits, last_offset)
            self._writer.sync()
        except LogFailed as failure:
            self._fail(failure)
            raise
        self._publish(last_offset, len(commits))
