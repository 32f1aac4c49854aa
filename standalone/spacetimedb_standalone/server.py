"""A running server: the parts put together, and the order in which they begin and end."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import socket
import time
from dataclasses import dataclass
from typing import Final

from spacetimedb_standalone.control.programs import ProgramStore
from spacetimedb_standalone.control.state import ControlState
from spacetimedb_standalone.front.application import FrontParts, make_application
from spacetimedb_standalone.front.caller import Doorkeeper
from spacetimedb_standalone.front.databases import BootPlan, Databases
from spacetimedb_standalone.front.listen import Listener
from spacetimedb_standalone.front.metrics import Metrics
from spacetimedb_standalone.front.worker_http import WorkerHttp
from spacetimedb_standalone.supervisor.launch import ForkLauncher, Launcher
from spacetimedb_standalone.supervisor.supervisor import Supervisor, SupervisorSettings
from spacetimedb_standalone.tokens.issue import TokenIssuer
from spacetimedb_standalone.tokens.keys import KeyPair
from spacetimedb_standalone.tokens.oidc import IssuerKeys, fetch_json
from spacetimedb_standalone.tokens.validate import TokenValidator

_REQUEST_GRACE: Final = 5.0
_WORKER_GRACE: Final = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`required_issuer` is who must have issued the token of somebody that makes a database, None for
    anybody.
    """

    plan: BootPlan
    supervisor: SupervisorSettings
    required_issuer: str | None


class Server:
    """A server whose data directory is locked and whose port is bound. It owns the launcher from now on."""

    def __init__(self, settings: ServerSettings, control: ControlState, keys: KeyPair, launcher: Launcher):
        self._settings = settings
        self._plan = settings.plan
        self._control = control
        self._keys = keys
        self._launcher = launcher

    async def run(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then finish requests, stop the workers, and return."""
        loop = asyncio.get_running_loop()
        supervisor = Supervisor(self._launcher, self._settings.supervisor)
        workers = WorkerHttp()
        listener = Listener(listening, make_application(self._parts(supervisor, workers)))
        supervisor.start()
        await listener.start()
        warming = loop.create_task(_warm_up(self._launcher))
        _log.info("Starting SpacetimeDB listening on %s", self._plan.node)
        _log.info(
            "The engine runs %s", "compiled" if engine_is_compiled() else "as plain Python, which is slow"
        )
        _log.warning("PostgreSQL wire protocol server disabled")
        try:
            await stop.wait()
        finally:
            _log.info("Shutting down server...")
            await listener.close(_REQUEST_GRACE)
            await warming
            await workers.close()
            await supervisor.close(_WORKER_GRACE)

    def _parts(self, supervisor: Supervisor, workers: WorkerHttp) -> FrontParts:
        issuer = TokenIssuer(self._keys, time.time)
        validator = TokenValidator(self._keys, IssuerKeys(fetch_json, time.monotonic), time.time)
        programs = ProgramStore(self._plan.data_dir.program_bytes())
        databases = Databases(self._control, programs, supervisor, workers, self._plan)
        return FrontParts(
            databases=databases,
            doorkeeper=Doorkeeper(issuer, validator),
            issuer=issuer,
            public_pem=self._keys.public_pem,
            metrics=Metrics(workers, supervisor.running, self._control.read.count, engine_is_compiled),
            required_issuer=self._settings.required_issuer,
            now_micros=lambda: time.time_ns() // 1000,
        )


async def _warm_up(launcher: Launcher) -> None:
    """Have the template ready before the first database is asked for."""
    if isinstance(launcher, ForkLauncher):
        await launcher.warm_up()


def engine_is_compiled() -> bool:
    """Which form of the engine the databases run: found by its file, without loading it."""
    spec = importlib.util.find_spec("spacetimedb_engine.table_cy")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")
