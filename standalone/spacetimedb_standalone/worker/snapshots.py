"""Snapshots of the running database: begun when they are due, taken by a process of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import threading
from dataclasses import dataclass
from typing import Any

from spacetimedb_standalone.commitlog import LogFailed
from spacetimedb_standalone.config.settings import SnapshotSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.snapshotting import snapshot_job, snapshot_pieces
from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.snapshots import Progress, SnapshotJob
from spacetimedb_standalone.worker.snapshot_process import fork_snapshot, run_job

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.05
"""After this long it is tried again to find the database between two transactions."""


@dataclass
class SnapshotFigures:
    """What metrics tell of snapshots. Seconds and bytes."""

    last_offset: int = -1
    last_size: int = 0
    last_seconds: float = 0.0
    last_pause: float = 0.0
    """How long the loop stood still for it."""
    taken: int = 0
    failed: int = 0


class Snapshots:
    """Watches the log grow. One per worker; lives on its loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, datastore: Datastore, settings: SnapshotSettings, clock: Clock
    ) -> None:
        self.figures = SnapshotFigures()
        self._loop, self._datastore, self._clock = loop, datastore, clock
        self._progress = Progress(settings)
        self._next_offset = datastore.store.next_offset
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._child: int | None = None
        if datastore.disk is None or not settings.enabled:
            return
        recovered = datastore.disk.recovered
        if recovered.snapshot is not None:
            self.figures.last_offset = recovered.snapshot.offset
        if recovered.replayed_transactions:
            self._progress.logged(
                recovered.replayed_bytes, recovered.replayed_transactions, clock.monotonic()
            )
        datastore.on_logged(self._logged)
        self._look()

    def stop(self) -> None:
        """Leave a snapshot that is being taken unfinished."""
        self._datastore.on_logged(None)
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self._end_child()

    # --- when

    def _logged(self, size: int, last_offset: int) -> None:
        transactions = last_offset + 1 - self._next_offset
        self._next_offset = last_offset + 1
        first = self._progress.began is None
        self._progress.logged(size, transactions, self._clock.monotonic())
        if self._task is None and (first or self._progress.is_due(self._clock.monotonic())):
            self._look()

    def _look(self) -> None:
        """Begin if a snapshot is due; otherwise look again when time alone makes it so."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None or self._progress.began is None:
            return
        now = self._clock.monotonic()
        if self._progress.is_due(now):
            self._timer = self._loop.call_later(0, self._begin)
        elif self._progress.settings.every:
            left = self._progress.began + self._progress.settings.every - now
            self._timer = self._loop.call_later(left, self._look)

    def _begin(self) -> None:
        """At the end of a turn of the loop, so between transactions, but for procedures that have one open."""
        self._timer = None
        if self._datastore.store.in_transaction:
            self._timer = self._loop.call_later(RETRY_SECONDS, self._begin)
            return
        job = snapshot_job(self._datastore, self._clock)
        self._progress.restart()
        if job is None:
            return
        began = self._clock.monotonic()
        try:
            channel = self._launch(job)
        except OSError as error:
            self._failed(job, error)
            return
        self.figures.last_pause = self._clock.monotonic() - began
        self._task = self._loop.create_task(self._take(job, channel, began))

    # --- how

    def _launch(self, job: SnapshotJob) -> socket.socket:
        """The state as it is now is what the snapshot will hold. The connection to whoever takes it."""
        if hasattr(os, "fork"):
            self._child, channel = fork_snapshot(job, lambda: snapshot_pieces(self._datastore))
            return channel
        channel, theirs = socket.socketpair()
        pieces = list(snapshot_pieces(self._datastore))
        threading.Thread(target=run_job, args=(job, pieces, theirs), daemon=True, name="snapshot").start()
        return channel

    async def _take(self, job: SnapshotJob, channel: socket.socket, began: float) -> None:
        """Until whoever takes it has ended. Nothing that goes wrong here harms the database."""
        try:
            await self._follow(job, channel, began)
        except _ChildEnded:
            self._failed(job, f"the process that took it ended with {self._end_child()}")
        except (OSError, LogFailed) as error:
            self._failed(job, error)
        finally:
            self._end_child()
            self._task = None
        self._look()

    def _failed(self, job: SnapshotJob, error: Exception | str) -> None:
        self.figures.failed += 1
        log.error("no snapshot was taken at transaction %s: %s", job.last_offset, error)

    async def _follow(self, job: SnapshotJob, channel: socket.socket, began: float) -> None:
        reader, writer = await asyncio.open_connection(sock=channel)
        try:
            written = await _hear(reader)
            await self._datastore.log.wait(job.last_offset)
            writer.write(b"{}\n")
            await _hear(reader)
            self.figures.last_offset, self.figures.last_size = job.last_offset, written["written"]
            self.figures.last_seconds = self._clock.monotonic() - began
            self.figures.taken += 1
            log.info(
                "snapshot at transaction %s: %s rows, %s bytes, %.2f s; the database paused for %.1f ms",
                job.last_offset,
                written["rows"],
                written["written"],
                self.figures.last_seconds,
                self.figures.last_pause * 1000,
            )
            await _hear(reader)
            await reader.read()
        finally:
            writer.close()

    def _end_child(self) -> str:
        """It has ended as a rule, for it has closed its end; if not, it is of no use any more. How it ended."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                return f"signal {-code}" if code < 0 else f"exit code {code}"
        return "nothing to tell why"


class _ChildEnded(Exception):
    """Without a word."""


async def _hear(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The child's next message. Raises `OSError` with what it says if it failed, `_ChildEnded` if it died."""
    line = await reader.readline()
    if not line:
        raise _ChildEnded
    message: dict[str, Any] = json.loads(line)
    if "failed" in message:
        raise OSError(message["failed"])
    return message
