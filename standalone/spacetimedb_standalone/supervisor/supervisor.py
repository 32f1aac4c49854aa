"""All workers of the server: one slot per replica, and the watch that ends those that hang or take too much
memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.launch import Launcher
from spacetimedb_standalone.supervisor.process import WorkerFailed, WorkerProcess
from spacetimedb_standalone.supervisor.slot import Backoff, WorkerSlot

_PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SupervisorSettings:
    """Seconds and bytes. `memory_limit` is of one worker's resident memory, None for no limit."""

    hang_timeout: float = 300.0
    ping_interval: float = 10.0
    memory_limit: int | None = None
    memory_interval: float = 1.0
    backoff: Backoff = field(default_factory=Backoff)


class Supervisor:
    """Belongs to one event loop. Workers keep their HTTP sockets in a private directory that ends with it."""

    def __init__(self, launcher: Launcher, settings: SupervisorSettings):
        self._launcher = launcher
        self._settings = settings
        self._slots: dict[int, WorkerSlot] = {}
        self._run_dir = Path(tempfile.mkdtemp(prefix="stdb-"))
        self._lives = itertools.count()
        self._watches: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to watch."""
        loop = asyncio.get_running_loop()
        self._watches.append(loop.create_task(self._watch_for_hangs()))
        if self._settings.memory_limit is not None:
            self._watches.append(loop.create_task(self._watch_memory(self._settings.memory_limit)))

    async def worker(self, boot: WorkerBoot) -> WorkerProcess:
        """The worker of a replica, ready; `boot` says how to start it if it is not running. Raises
        `WorkerFailed`.
        """
        slot = self._slots.get(boot.replica_id)
        if slot is None:
            slot = WorkerSlot(boot, self._launcher, self._socket_path, self._settings.backoff)
            self._slots[boot.replica_id] = slot
        return await slot.ready()

    async def create(self, boot: WorkerBoot) -> WorkerProcess:
        """Start the first worker of a new replica. Raises `WorkerFailed`; then nothing of the replica is
        left.
        """
        try:
            return await self.worker(boot)
        except WorkerFailed:
            await self.stop(boot.replica_id, "deleted", 0.0)
            await asyncio.to_thread(shutil.rmtree, boot.replica_dir, ignore_errors=True)
            raise

    async def stop(self, replica_id: int, reason: str, grace: float) -> None:
        """Stop a replica's worker for good and forget it."""
        slot = self._slots.pop(replica_id, None)
        if slot is not None:
            await slot.stop(reason, grace)

    async def close(self, grace: float) -> None:
        """Stop all workers, then the launcher."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*(self.stop(replica, "shutdown", grace) for replica in list(self._slots)))
        await self._launcher.close()
        shutil.rmtree(self._run_dir, ignore_errors=True)

    def running(self) -> list[WorkerProcess]:
        """The workers that are ready."""
        processes = [slot.process for slot in self._slots.values()]
        return [process for process in processes if process is not None and process.is_ready]

    def _socket_path(self, replica_id: int) -> Path:
        return self._run_dir / f"{replica_id}-{next(self._lives)}"

    async def _watch_for_hangs(self) -> None:
        interval = min(self._settings.ping_interval, self._settings.hang_timeout / 3)
        for number in itertools.count():
            await asyncio.sleep(interval)
            now = asyncio.get_running_loop().time()
            for process in self.running():
                if now - process.last_heard > self._settings.hang_timeout:
                    process.kill(f"it has not reacted for {self._settings.hang_timeout:g} s")
                else:
                    process.send({"op": "ping", "n": number})

    async def _watch_memory(self, limit: int) -> None:
        while True:
            await asyncio.sleep(self._settings.memory_interval)
            for process in self.running():
                used = resident_memory(process.pid)
                if used > limit:
                    process.kill(f"it takes {used >> 20} MiB, more than the limit of {limit >> 20} MiB")


def resident_memory(pid: int, proc: Path = Path("/proc")) -> int:
    """Bytes of memory that a process holds, 0 where that cannot be known."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int((proc / str(pid) / "statm").read_text(encoding="ascii").split()[1]) * _PAGE_SIZE
    return 0
