"""Two ways to get a worker process: forked from the template, or started from nothing.

Both are given the worker's end of a channel and report how the process ended. Forking is the rule; starting
from nothing costs a second of imports each time and is for machines without `fork`.

The template itself is forked from the server before that has anything of its own (`template.fork_template`),
so that both share what they have imported. Should it die, the next one is a fresh interpreter: by then the
server has threads, locks and an event loop, of which no copy may be made.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol

from spacetimedb_standalone.supervisor.channel import Channel, Message
from spacetimedb_standalone.supervisor.large_pages import worker_environment
from spacetimedb_standalone.supervisor.template import ForkedTemplate, fork_template

WORKER_MAIN: Final = "spacetimedb_standalone.worker.process:run"
"""Where the real worker's main is."""

_TEMPLATE: Final = "spacetimedb_standalone.supervisor.template"
_CHILD: Final = "spacetimedb_standalone.supervisor.child"
_STOP_GRACE: Final = 5.0

_log = logging.getLogger(__name__)

OnExit = Callable[[int], None]
"""Called once with a process's exit status, or minus the signal that ended it."""


class LaunchError(Exception):
    """No process could be made: the host's fault."""


class Launcher(Protocol):
    async def launch(self, channel: socket.socket, on_exit: OnExit) -> int:
        """A new worker process with `channel` as its end; its process id. Raises `LaunchError`.

        `channel` may be closed once this returns.
        """
        ...

    async def close(self) -> None:
        """Let go of helpers; workers are not stopped."""
        ...


class SpawnLauncher:
    """Every worker is a fresh interpreter."""

    def __init__(self, worker_main: str = WORKER_MAIN):
        self._worker_main = worker_main
        self._waiting: set[asyncio.Task[None]] = set()

    async def launch(self, channel: socket.socket, on_exit: OnExit) -> int:
        process = await _start_program(_CHILD, channel, self._worker_main)
        waiting = asyncio.get_running_loop().create_task(_wait(process, on_exit))
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return process.pid

    async def close(self) -> None:
        for waiting in list(self._waiting):
            waiting.cancel()


class ForkLauncher:
    """Workers are forked from a template process: `forked`, or one that is started with the first of them, and again
    if it dies.
    """

    def __init__(self, worker_main: str = WORKER_MAIN, forked: ForkedTemplate | None = None):
        self._worker_main = worker_main
        self._forked = forked
        self._template: _TemplateProcess | None = None
        self._starting = asyncio.Lock()

    async def launch(self, channel: socket.socket, on_exit: OnExit) -> int:
        template = await self.warm_up()
        return await template.fork(channel, on_exit)

    async def warm_up(self) -> _TemplateProcess:
        """Start the template if it is not running, so that the first worker need not wait for it."""
        async with self._starting:
            forked, self._forked = self._forked, None
            if forked is not None:
                self._template = _TemplateProcess(forked.pid, forked.channel, partial(_reap, forked.pid))
            elif self._template is None or not self._template.is_alive:
                self._template = await _TemplateProcess.start(self._worker_main)
            return self._template

    async def close(self) -> None:
        if self._template is not None:
            await self._template.close()
            self._template = None


class _TemplateProcess:
    """`wait` returns when the process has ended."""

    def __init__(self, pid: int, sock: socket.socket, wait: Callable[[], Awaitable[object]]):
        self._pid, self._wait = pid, wait
        self._channel = Channel(sock, self._on_message, self._on_closed)
        self._next_worker = 0
        self._forking: dict[int, asyncio.Future[int]] = {}
        self._on_exit: dict[int, OnExit] = {}
        self._pids: dict[int, int] = {}
        self._reaping: asyncio.Future[object] | None = None
        self._channel.start(asyncio.get_running_loop())

    @classmethod
    async def start(cls, worker_main: str) -> _TemplateProcess:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with theirs:
                process = await _start_program(_TEMPLATE, theirs, worker_main)
        except LaunchError:
            ours.close()
            raise
        return cls(process.pid, ours, process.wait)

    @property
    def is_alive(self) -> bool:
        return self._channel.is_open

    async def fork(self, channel: socket.socket, on_exit: OnExit) -> int:
        number, self._next_worker = self._next_worker, self._next_worker + 1
        forked: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._forking[number] = forked
        self._on_exit[number] = on_exit
        self._channel.send({"op": "fork", "worker": number}, [channel.fileno()])
        return await forked

    async def close(self) -> None:
        self._channel.close()
        waiting = self._reaping or asyncio.ensure_future(self._wait())
        await asyncio.wait([waiting], timeout=_STOP_GRACE)
        if not waiting.done():
            os.kill(self._pid, signal.SIGKILL)
        await waiting

    def _on_message(self, message: Message, _: list[int]) -> None:
        number = message["worker"]
        if message["op"] == "forked":
            self._pids[number] = message["pid"]
            if not (forked := self._forking.pop(number)).done():
                forked.set_result(message["pid"])
        elif message["op"] == "exited":
            self._pids.pop(number, None)
            self._on_exit.pop(number)(message["status"])

    def _on_closed(self) -> None:
        """The template died. Nobody would say how its workers end, so they end now."""
        _log.error("the template process ended unexpectedly; its workers end with it")
        for forked in self._forking.values():
            if not forked.done():
                forked.set_exception(LaunchError("the template process ended while a worker was forked"))
        self._forking.clear()
        for pid in self._pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._reaping = asyncio.ensure_future(self._wait())
        orphans, self._on_exit = self._on_exit, {}
        for on_exit in orphans.values():
            on_exit(-signal.SIGKILL)


async def _start_program(module: str, channel: socket.socket, worker_main: str) -> asyncio.subprocess.Process:
    try:
        arguments: list[Any] = [sys.executable, "-m", module, str(channel.fileno()), worker_main]
        return await asyncio.create_subprocess_exec(
            *arguments, pass_fds=(channel.fileno(),), env=worker_environment(os.environ)
        )
    except OSError as error:
        raise LaunchError(f"cannot start a process for a database: {error}") from error


async def _wait(process: asyncio.subprocess.Process, on_exit: OnExit) -> None:
    on_exit(await process.wait())


async def _reap(pid: int) -> None:
    """Wait for a child that was forked here. A thread waits: the event loop knows only children that it has started."""
    with contextlib.suppress(ChildProcessError):
        await asyncio.to_thread(os.waitpid, pid, 0)


def default_launcher(fork_now: bool) -> ForkLauncher | SpawnLauncher:
    """`fork_now` is for a process that has nothing but what it has imported: no thread, no lock, no event loop."""
    if not hasattr(os, "fork"):
        return SpawnLauncher()
    return ForkLauncher(forked=fork_template(WORKER_MAIN) if fork_now else None)
