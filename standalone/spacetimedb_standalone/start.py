"""`spacetimedb-standalone start`: from options to a running server, and from a signal back to nothing.

The order of the steps is the order in which they can fail: settings, keys, the lock on the data directory,
its stamp, control state, the port. What was taken is given back in the reverse order, however the run ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Final

from spacetimedb_paths.pidfile import PidFile
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_standalone.config.config_file import load_config
from spacetimedb_standalone.config.options import StartOptions
from spacetimedb_standalone.config.port_check import ListenAddress, choose_port, listening_sockets
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.server_log import configure_logging, disk_logging_wanted
from spacetimedb_standalone.config.stamp import EDITION, Version, stamp_data_dir
from spacetimedb_standalone.control.programs import ProgramStore
from spacetimedb_standalone.control.state import ControlState
from spacetimedb_standalone.front.application import FrontParts, make_application
from spacetimedb_standalone.front.caller import Doorkeeper
from spacetimedb_standalone.front.databases import BootPlan, Databases
from spacetimedb_standalone.front.listen import Listener, bind
from spacetimedb_standalone.front.metrics import Metrics
from spacetimedb_standalone.front.worker_http import WorkerHttp
from spacetimedb_standalone.supervisor.launch import ForkLauncher, Launcher, default_launcher
from spacetimedb_standalone.supervisor.supervisor import Supervisor, SupervisorSettings
from spacetimedb_standalone.tokens.issue import TokenIssuer
from spacetimedb_standalone.tokens.keys import KeyFiles, KeyPair, choose_key_files, load_or_create_keys
from spacetimedb_standalone.tokens.oidc import IssuerKeys, fetch_json
from spacetimedb_standalone.tokens.validate import TokenValidator
from spacetimedb_standalone.version import VERSION

_ISSUER_VARIABLE: Final = "TEMP_SPACETIMEAUTH_ISSUER_REQUIRED_TO_PUBLISH"
_REQUEST_GRACE: Final = 5.0
_WORKER_GRACE: Final = 10.0
_BANNER: Final = r"""
 ___                  _   _           ___  ___
/ __|_ __  __ _ __ __| |_(_)_ __  ___|   \| _ )
\__ \ '_ \/ _` / _/ -_)  _| | '  \/ -_) |) | _ \
|___/ .__/\__,_\__\___|\__|_|_|_|_\___|___/|___/
    |_|
"""

_log = logging.getLogger(__name__)


def start_server(options: StartOptions, env: Mapping[str, str], program: Path) -> None:
    """Run the server until SIGINT or SIGTERM. Raises the errors of its parts, each of one sentence."""
    if options.pg_port is not None:
        raise ConfigError(
            "this server does not speak the PostgreSQL wire protocol: start it without --pg-port"
        )
    data_dir = ServerDataDir(PurePath(options.data_dir.absolute()))
    _greet(data_dir, program)
    data_dir.create()
    config = load_config(data_dir.config_toml())
    log_file = data_dir.logs().server_log(EDITION).path if disk_logging_wanted(env) else None
    configure_logging(config.logs, log_file, sys.stdout, env)
    key_files = choose_key_files(_explicit_keys(options), config.certificate_authority, options.jwt_key_dir)
    with PidFile.take(data_dir), contextlib.ExitStack() as held:
        stamp_data_dir(data_dir.metadata_toml(), Version.parse(VERSION))
        control = ControlState.open(data_dir.control_db().path)
        held.callback(control.close)
        keys = load_or_create_keys(key_files)
        wanted = ListenAddress.parse(options.listen_addr)
        address = choose_port(wanted, listening_sockets(), not options.non_interactive, _ask)
        listening = held.enter_context(bind(address))
        address = ListenAddress(address.host, listening.getsockname()[1])
        plan = BootPlan(data_dir, config, options.in_memory, str(address), log_file)
        server = _Server(options, plan, control, keys, env.get(_ISSUER_VARIABLE, "").rstrip("/") or None)
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(server.run(listening))


class _Server:
    def __init__(
        self,
        options: StartOptions,
        plan: BootPlan,
        control: ControlState,
        keys: KeyPair,
        required_issuer: str | None,
    ):
        self._options = options
        self._plan = plan
        self._control = control
        self._keys = keys
        self._required_issuer = required_issuer

    async def run(self, listening: socket.socket) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        launcher = default_launcher()
        supervisor = self._supervisor(launcher)
        workers = WorkerHttp()
        listener = Listener(listening, make_application(self._parts(supervisor, workers)))
        supervisor.start()
        await listener.start()
        warming = loop.create_task(_warm_up(launcher))
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

    def _supervisor(self, launcher: Launcher) -> Supervisor:
        settings = SupervisorSettings(
            hang_timeout=self._options.worker_hang_timeout, memory_limit=self._options.worker_memory_limit
        )
        return Supervisor(launcher, settings)

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
            required_issuer=self._required_issuer,
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


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _explicit_keys(options: StartOptions) -> KeyFiles | None:
    if options.jwt_priv_key_path is None or options.jwt_pub_key_path is None:
        return None
    return KeyFiles(options.jwt_priv_key_path, options.jwt_pub_key_path)


def _greet(data_dir: ServerDataDir, program: Path) -> None:
    print(_BANNER)
    print(f"{program.name} version: {VERSION}")
    print(f"{program.name} path: {program}")
    print(f"database running in data directory {data_dir}", flush=True)


def _ask(question: str) -> str:
    """No answer, as from a closed standard input, is a no."""
    try:
        return input(question)
    except EOFError:
        return ""
