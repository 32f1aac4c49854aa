"""The life of a worker process: open or create the database, serve until told to stop, leave nothing half-done.

The front speaks over `channel` (who connects, when to stop) and over private HTTP on `boot.http_path`.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
import signal
import socket
from functools import partial
from typing import Any

from aiohttp import web

from spacetimedb_engine import prepare_memory
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_standalone.commitlog import LogFailed
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.ports.event_loop import new_event_loop
from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.channel import Channel
from spacetimedb_standalone.wire.envelope import Compression
from spacetimedb_standalone.worker.client_socket import ClientSocket, Terms
from spacetimedb_standalone.worker.clients import Clients
from spacetimedb_standalone.worker.housekeeping import Housekeeping
from spacetimedb_standalone.worker.http_app import make_app
from spacetimedb_standalone.worker.opening import Opened, OpenError, open_database
from spacetimedb_standalone.worker.rehearsal import rehearse
from spacetimedb_standalone.worker.requests import claims_text

__all__ = ["rehearse", "run"]

log = logging.getLogger(__name__)

MODULE_EXITED = 1001
REQUESTS_END_WITHIN = 2.0
"""Seconds that requests under way get when the worker stops; whoever follows a log would stay for ever."""
WAITING_REQUESTS = 4096
"""Connections of the front that may wait while a reducer runs; more are refused, which looks like a worker that ended."""
EXIT_STOPPED, EXIT_FAILED, EXIT_LOG_FAILED, EXIT_TURN_FAILED = 0, 3, 4, 5
CHORES_SECONDS = 60.0
GC_THRESHOLDS = (200_000, 50, 100)
"""A turn makes few objects that live on and no cycles: collecting every 700 allocations is wasted work."""


def run(channel: socket.socket, boot: WorkerBoot) -> int:
    """Serve the database; the process's exit status."""
    gc.set_threshold(*GC_THRESHOLDS)
    prepare_memory()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(Worker(boot).serve(channel))


async def _made_durable(opened: Opened) -> None:
    """Wait until what opening it has written is on the disk. Raises OpenError."""
    datastore = opened.database.datastore
    try:
        await datastore.log.wait(datastore.read_offset())
    except LogFailed as error:
        opened.close()
        raise OpenError(500, f"the log cannot be written: {error}") from error


class Worker:
    """The parts of a running worker, and what the front asks of it."""

    def __init__(self, boot: WorkerBoot) -> None:
        self._boot = boot
        self._clients = Clients()
        self._stopping: asyncio.Future[tuple[int, str, float]] | None = None
        self._accepting: set[asyncio.Task[None]] = set()

    async def serve(self, channel_socket: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        self._stopping = loop.create_future()
        channel = Channel(
            channel_socket, self._on_message, partial(self._stop, EXIT_STOPPED, "shutdown", 5.0)
        )
        self._channel = channel
        channel.start(loop)
        loop.add_signal_handler(signal.SIGTERM, self._stop, EXIT_STOPPED, "shutdown", 5.0)
        try:
            opened = open_database(self._boot, self._clients, self._turn_failed)
            await _made_durable(opened)
        except OpenError as error:
            channel.send({"op": "failed", "status": error.status, "error": str(error)})
            channel.close()
            return EXIT_FAILED
        opened.database.datastore.log.on_failed(self._log_failed)
        runner = web.AppRunner(
            make_app(opened.routes),
            access_log=None,
            handler_cancellation=True,  # so that following a log ends with its reader
            shutdown_timeout=REQUESTS_END_WITHIN,
        )
        await runner.setup()
        await web.UnixSite(runner, str(self._boot.http_path), backlog=WAITING_REQUESTS).start()
        chores = Housekeeping(loop, CHORES_SECONDS, opened.database.views.expire)
        gc.freeze()
        opened.database.datastore.store.give_back()
        channel.send({"op": "ready"})
        status, reason, grace = await self._stopping
        chores.stop()
        await self._shut_down(opened, runner, reason, grace)
        channel.close()
        return status

    async def _shut_down(self, opened: Opened, runner: web.AppRunner, reason: str, grace: float) -> None:
        """Clients first, then requests, then the log."""
        if reason in ("deleted", "reset"):
            self._clients.close_all(MODULE_EXITED, "module exited")
        await asyncio.wait_for(runner.cleanup(), grace + 1)
        opened.close()

    def _stop(self, status: int, reason: str, grace: float) -> None:
        if self._stopping is not None and not self._stopping.done():
            self._stopping.set_result((status, reason, grace))

    def _log_failed(self, error: Exception) -> None:
        """Nothing more can be made durable: stop at once, so that nothing more is acknowledged."""
        log.critical("the commit log failed, the database stops: %s", error)
        self._stop(EXIT_LOG_FAILED, "failed", 0.0)

    def _turn_failed(self) -> None:
        self._stop(EXIT_TURN_FAILED, "failed", 0.0)

    # -- what the front says

    def _on_message(self, message: dict[str, Any], fds: list[int]) -> None:
        match message["op"]:
            case "ping":
                self._channel.send({"op": "pong", "n": message["n"]})
            case "stop":
                self._stop(EXIT_STOPPED, message["reason"], float(message["grace"]))
            case "socket":
                task = asyncio.get_running_loop().create_task(
                    self._accept(message, socket.socket(fileno=fds[0]))
                )
                self._accepting.add(task)
                task.add_done_callback(self._accepting.discard)
            case other:
                log.error("the front sent a message that this worker does not know: %r", other)

    async def _accept(self, message: dict[str, Any], client: socket.socket) -> None:
        caller = Caller(
            identity=Identity.from_hex(message["identity"]),
            connection_id=ConnectionId.from_hex(message["connection_id"]),
            claims=claims_text(message["claims"]),
            is_owner=message["owner"],
        )
        limits = self._boot.config.websocket
        terms = Terms(
            token=message["token"],
            confirmed=message["confirmed"],
            light=message["light"],
            compression=Compression[message["compression"].upper()],
            ping_interval=limits.ping_interval,
            idle_timeout=limits.idle_timeout,
            close_timeout=limits.close_handshake_timeout,
        )
        reply, early = base64.b64decode(message["reply"]), base64.b64decode(message["early"])

        def make(clients: Clients) -> ClientSocket:
            return clients.new_socket(caller, message["protocol"], terms, reply, early)

        try:
            await self._clients.accept(client, make)
        except OSError as error:  # the client left before it was taken over
            log.debug("a client was gone before its socket arrived: %s", error)
            client.close()
