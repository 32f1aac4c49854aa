"""One life of a worker process, from its launch to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.channel import Channel, Message
from spacetimedb_standalone.supervisor.launch import Launcher

_log = logging.getLogger(__name__)


class WorkerFailed(Exception):
    """A database could not be opened or made. `status` and the text are for the client that asked."""

    def __init__(self, text: str, status: int = 500, refused: bool = False):
        super().__init__(text)
        self.status = status
        self.refused = refused
        """The worker itself said so; trying again at once would give the same."""

    def again(self) -> WorkerFailed:
        """The same for somebody else who asks."""
        return WorkerFailed(str(self), self.status, self.refused)


class WorkerProcess:
    """A launched worker. `opened` and `ended` are what one waits for; all else may be asked at any time.

    `opened` resolves once the worker is ready and raises `WorkerFailed` otherwise; `ended` resolves to the
    exit status or minus the signal.
    """

    def __init__(self, boot: WorkerBoot, sock: socket.socket):
        loop = asyncio.get_running_loop()
        self.boot = boot
        self.pid = 0
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self.started_at = self.last_heard = loop.time()
        self.stopping = False
        self._channel = Channel(sock, self._on_message, self._on_closed)
        self._channel.start(loop)
        self.opened.add_done_callback(lambda opened: opened.cancelled() or opened.exception())

    @classmethod
    async def launch(cls, boot: WorkerBoot, launcher: Launcher) -> WorkerProcess:
        """Raises `LaunchError`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        process = cls(boot, ours)
        try:
            with theirs:
                process.pid = await launcher.launch(theirs, process._on_exit)
        except BaseException:
            process._channel.close()
            raise
        process.send(boot.to_message())
        return process

    @property
    def http_path(self) -> Path:
        return self.boot.http_path

    @property
    def is_ready(self) -> bool:
        return (
            self.opened.done() and not self.opened.exception() and not self.stopping and not self.ended.done()
        )

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send over the channel; lost if the process is gone."""
        self._channel.send(message, fds)

    def kill(self, why: str) -> None:
        """End the process now; `ended` follows."""
        if self.pid and not self.ended.done():
            _log.warning("killing the process of database %s: %s", self.boot.database_identity, why)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def stop(self, reason: str, grace: float) -> None:
        """Ask the worker to finish within `grace` seconds, then make it; returns when it is gone."""
        self.stopping = True
        self.send({"op": "stop", "reason": reason, "grace": grace})
        try:
            await asyncio.wait_for(asyncio.shield(self.ended), grace + 1.0)
        except TimeoutError:
            self.kill(f"it did not stop within {grace:g} s")
            await self.ended

    def _on_message(self, message: Message, _: list[int]) -> None:
        self.last_heard = asyncio.get_running_loop().time()
        if message["op"] == "ready" and not self.opened.done():
            self.opened.set_result(None)
        elif message["op"] == "failed" and not self.opened.done():
            self.stopping = True
            self.opened.set_exception(WorkerFailed(message["error"], message["status"], refused=True))

    def _on_closed(self) -> None:
        """The worker closed its end: it is ending, and its exit status will follow."""

    def _on_exit(self, status: int) -> None:
        self._channel.close()
        self.boot.http_path.unlink(missing_ok=True)
        if not self.opened.done():
            self.opened.set_exception(WorkerFailed(f"its process ended while starting ({_ending(status)})"))
        if not self.ended.done():
            self.ended.set_result(status)


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def describe_ending(process: WorkerProcess) -> str:
    """How an ended process ended, for the log."""
    return _ending(process.ended.result())
