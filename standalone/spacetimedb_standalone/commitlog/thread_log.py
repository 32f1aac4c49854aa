"""Group commit by a thread that writes and syncs while the loop goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

from spacetimedb_standalone.commitlog.durability import Durability
from spacetimedb_standalone.commitlog.errors import LogFailed
from spacetimedb_standalone.commitlog.writer import LogWriter

Completion = tuple[int, int] | LogFailed
"""(durable offset, bytes) or what went wrong."""


class ThreadLog(Durability):
    """The thread starts with the first commit. It alone touches the writer until it has ended.

    `_queue` is shared: the loop appends, the thread takes. `_idle` is the thread's word that it sleeps;
    only then does `submit` wake it, so a busy log costs no wake-ups.
    """

    def __init__(self, writer: LogWriter) -> None:
        super().__init__(writer.synced_offset - 1)
        self._writer = writer
        self._queue: deque[tuple[bytes, int]] = deque()
        self._wake = threading.Condition()
        self._idle = False
        self._stop = False
        self._done: deque[Completion] = deque()
        self._done_event = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def drain(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.durable_offset < self.submitted_offset:
            if self.failure is not None:
                raise LogFailed(*self.failure.args)
            if not self._done_event.wait(max(0.0, deadline - time.monotonic())):
                return False
            self._complete()
        return True

    def close(self) -> None:
        if self._thread is not None:
            with self._wake:
                self._stop = True
                self._wake.notify()
            self._thread.join()
            self._thread = None
        self._writer.close()

    def _enqueue(self, commits: bytes, last_offset: int) -> None:
        self._queue.append((commits, last_offset))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="commit log", daemon=True)
            self._thread.start()
        elif self._idle:
            with self._wake:
                self._wake.notify()

    def _complete(self) -> None:
        """On the loop's thread: publish what the thread has finished."""
        self._done_event.clear()
        while self._done:
            done = self._done.popleft()
            if isinstance(done, LogFailed):
                self._fail(done)
            else:
                self._publish(*done)

    # --- in the thread ---

    def _run(self) -> None:
        while self._await_work():
            batch = [self._queue.popleft() for _ in range(len(self._queue))]
            commits = batch[0][0] if len(batch) == 1 else b"".join(commits for commits, _ in batch)
            try:
                self._writer.append(commits, batch[-1][1])
                self._writer.sync()
            except Exception as error:  # whatever it is, the loop must hear that nothing more gets durable
                failure = (
                    error if isinstance(error, LogFailed) else LogFailed(f"the commit log broke: {error!r}")
                )
                self._report(failure)
                return
            self._report((batch[-1][1], len(commits)))

    def _await_work(self) -> bool:
        if self._queue:
            return True
        with self._wake:
            self._idle = True
            while not self._queue and not self._stop:
                self._wake.wait()
            self._idle = False
        return bool(self._queue)

    def _report(self, done: Completion) -> None:
        self._done.append(done)
        self._done_event.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._complete)
