"""The place of one replica among the workers: started when somebody needs it, started again when it dies.

A worker that ends without having been told to is started again after a pause that doubles from a tenth of a
second to half a minute, so that its schedules go on; the pause is short again once a life has lasted a
minute. A worker that says it cannot open its database is not tried again by itself; whoever asks within the
pause gets the same answer, the next one after it a new attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.launch import Launcher, LaunchError
from spacetimedb_standalone.supervisor.process import WorkerFailed, WorkerProcess, describe_ending

_CRASHES_IN_A_ROW: Final = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses before the next start, in seconds; a life of `calm_after` starts the row anew."""

    first: float = 0.1
    most: float = 30.0
    calm_after: float = 60.0

    def pause(self, failures: int) -> float:
        return float(min(self.first * 2 ** min(failures, 30), self.most))


class WorkerSlot:
    """`socket_path` gives a fresh path for the HTTP socket of each life."""

    def __init__(
        self, boot: WorkerBoot, launcher: Launcher, socket_path: Callable[[int], Path], backoff: Backoff
    ):
        self._boot = boot
        self._launcher = launcher
        self._socket_path = socket_path
        self._backoff = backoff
        self._process: WorkerProcess | None = None
        self._starting: asyncio.Task[WorkerProcess] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._failures = 0
        self._failure: tuple[float, WorkerFailed] | None = None
        self._closed = False

    @property
    def process(self) -> WorkerProcess | None:
        """The running process, ready or not."""
        return self._process

    async def ready(self) -> WorkerProcess:
        """A worker that is ready, started now if need be. Raises `WorkerFailed`."""
        if self._closed:
            raise WorkerFailed("the server is shutting down or the database was removed", 503)
        if self._process is not None and self._process.is_ready:
            return self._process
        now = asyncio.get_running_loop().time()
        if self._failure is not None and now < self._failure[0]:
            raise self._failure[1].again()
        if self._restarting is not None and self._starting is None:
            await asyncio.wait([self._restarting])
            return await self.ready()
        return await asyncio.shield(self._start())

    async def stop(self, reason: str, grace: float) -> None:
        """For good: no start follows."""
        self._closed = True
        for task in (self._restarting, self._starting):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, WorkerFailed):
                    await task
        if self._process is not None and not self._process.ended.done():
            await self._process.stop(reason, grace)

    def _start(self) -> asyncio.Task[WorkerProcess]:
        """One start at a time; whoever comes meanwhile waits for the same one."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._open())
            self._starting.add_done_callback(self._started)
        return self._starting

    def _started(self, task: asyncio.Task[WorkerProcess]) -> None:
        self._starting = None
        if task.cancelled() or task.exception() is None:
            return
        error = task.exception()
        if self._boot.create:
            _log.info("database %s was not made: %s", self._boot.database_identity, error)
        else:
            _log.error("database %s does not start: %s", self._boot.database_identity, error)
        if isinstance(error, WorkerFailed):
            until = asyncio.get_running_loop().time() + self._backoff.pause(self._failures)
            self._failure = (until, error)
            self._failures += 1

    async def _open(self) -> WorkerProcess:
        if self._process is not None and not self._process.ended.done():
            await asyncio.shield(self._process.ended)
        boot = replace(self._boot, http_path=self._socket_path(self._boot.replica_id))
        try:
            process = self._process = await WorkerProcess.launch(boot, self._launcher)
        except LaunchError as error:
            raise WorkerFailed(str(error)) from error
        try:
            await asyncio.shield(process.opened)
        except asyncio.CancelledError:
            process.kill("it is no longer wanted")
            raise
        self._failure = None
        self._boot = replace(self._boot, create=False)
        process.ended.add_done_callback(lambda _: self._ended(process))
        _log.info("database %s is served by process %d", boot.database_identity, process.pid)
        return process

    def _ended(self, process: WorkerProcess) -> None:
        if process.stopping or self._closed:
            return
        loop = asyncio.get_running_loop()
        _log.error(
            "the process of database %s ended unexpectedly (%s); its clients are gone, it is started again",
            self._boot.database_identity,
            describe_ending(process),
        )
        if loop.time() - process.started_at > self._backoff.calm_after:
            self._failures = 0
        self._restarting = loop.create_task(self._restart())
        self._restarting.add_done_callback(self._restarted)

    async def _restart(self) -> None:
        pause = self._backoff.pause(self._failures)
        self._failures += 1
        for _ in range(_CRASHES_IN_A_ROW):
            await asyncio.sleep(pause)
            pause = self._backoff.pause(self._failures)
            try:
                await asyncio.shield(self._start())
            except WorkerFailed as error:
                if error.refused:
                    return
            else:
                return

    def _restarted(self, task: asyncio.Task[None]) -> None:
        self._restarting = None
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("restarting database %s failed: %s", self._boot.database_identity, error)
