"""`spacetimedb-standalone start`: from options to a running server, and from a signal back to nothing.

The order of the steps is the order in which they can fail: settings, keys, the lock on the data directory,
its stamp, control state, the port. What was taken is given back in the reverse order, however the run ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Final

from spacetimedb_paths.pidfile import PidFile
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_standalone.care.official import is_official
from spacetimedb_standalone.config.config_file import load_config
from spacetimedb_standalone.config.options import StartOptions
from spacetimedb_standalone.config.port_check import ListenAddress, choose_port, listening_sockets
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.server_log import configure_logging, disk_logging_wanted
from spacetimedb_standalone.config.stamp import EDITION, Version, stamp_data_dir
from spacetimedb_standalone.control.state import ControlState
from spacetimedb_standalone.front.databases import BootPlan
from spacetimedb_standalone.front.listen import bind
from spacetimedb_standalone.ports.event_loop import new_event_loop
from spacetimedb_standalone.server import Server, ServerSettings
from spacetimedb_standalone.supervisor.launch import Launcher
from spacetimedb_standalone.supervisor.supervisor import SupervisorSettings
from spacetimedb_standalone.tokens.keys import KeyFiles, choose_key_files, load_or_create_keys
from spacetimedb_standalone.version import VERSION

_ISSUER_VARIABLE: Final = "TEMP_SPACETIMEAUTH_ISSUER_REQUIRED_TO_PUBLISH"
_PROGRAM: Final = "spacetimedb-standalone"
_BANNER: Final = r"""
 ___                  _   _           ___  ___
/ __|_ __  __ _ __ __| |_(_)_ __  ___|   \| _ )
\__ \ '_ \/ _` / _/ -_)  _| | '  \/ -_) |) | _ \
|___/ .__/\__,_\__\___|\__|_|_|_|_\___|___/|___/
    |_|
"""

_log = logging.getLogger(__name__)


def start_server(options: StartOptions, env: Mapping[str, str], program: Path, launcher: Launcher) -> None:
    """Run the server until SIGINT or SIGTERM. Raises the errors of its parts, each of one sentence.

    `program` is the path that this program was started by; `launcher` makes the databases' processes.
    """
    if options.pg_port is not None:
        raise ConfigError(
            "this server does not speak the PostgreSQL wire protocol: start it without --pg-port"
        )
    data_dir = ServerDataDir(PurePath(options.data_dir.absolute()))
    if is_official(data_dir.control_db().path):
        raise ConfigError(
            f"{data_dir} is the data directory of an official server: take its databases over with "
            f"`spacetime import-data {data_dir} --data-dir NEW`, then start with --data-dir NEW"
        )
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
        settings = ServerSettings(
            plan,
            SupervisorSettings(options.worker_hang_timeout, memory_limit=options.worker_memory_limit),
            env.get(_ISSUER_VARIABLE, "").rstrip("/") or None,
        )
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_until_signal(Server(settings, control, keys, launcher), listening))


async def _until_signal(server: Server, listening: socket.socket) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.run(listening, stop)


def _explicit_keys(options: StartOptions) -> KeyFiles | None:
    if options.jwt_priv_key_path is None or options.jwt_pub_key_path is None:
        return None
    return KeyFiles(options.jwt_priv_key_path, options.jwt_pub_key_path)


def _greet(data_dir: ServerDataDir, program: Path) -> None:
    print(_BANNER)
    print(f"{_PROGRAM} version: {VERSION}")
    print(f"{_PROGRAM} path: {program}")
    print(f"database running in data directory {data_dir}", flush=True)


def _ask(question: str) -> str:
    """No answer, as from a closed standard input, is a no."""
    try:
        return input(question)
    except EOFError:
        return ""
