"""A worker process from its first instruction to its last: signals, the boot record, the log, then the
worker.

It is entered in two ways: forked from the warm template (`run_worker`), or started as a program of its own
where a process cannot be forked (`python -m spacetimedb_standalone.supervisor.child FD MODULE:FUNCTION`).
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import sys
from typing import Final, NoReturn, Protocol

from spacetimedb_standalone.config.server_log import configure_logging
from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.channel import ChannelBroken, receive_first

EXIT_FAILED: Final = 3
"""Status of a worker that has said `failed`, or that could not even say so."""

_log = logging.getLogger(__name__)


class RunWorker(Protocol):
    """The worker's main: serves until told to stop; its result is the exit status."""

    def __call__(self, channel: socket.socket, boot: WorkerBoot) -> int: ...


def run_worker(channel: socket.socket, run: RunWorker) -> int:
    """Wait for the boot record on `channel` and be that worker. Nothing escapes: the result is a status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all processes; the front decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        boot = WorkerBoot.from_message(receive_first(channel))
    except (ChannelBroken, OSError):
        return EXIT_FAILED  # the front is gone before it said what it wanted
    configure_logging(boot.config.logs, boot.log_file, sys.stdout, os.environ)
    try:
        return run(channel, boot)
    except Exception:
        _log.exception("the worker of database %s failed", boot.database_identity)
        return EXIT_FAILED


def leave(status: int) -> NoReturn:
    """End the process without running what belongs to the parent it was forked from."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def load_worker(place: str) -> RunWorker:
    """The worker's main from `package.module:function`; importing it imports all that a worker needs."""
    module, _, name = place.partition(":")
    run: RunWorker = getattr(importlib.import_module(module), name)
    return run


def rehearse(place: str) -> None:
    """For a process of which workers will be copies: what the module of the worker's main offers as `rehearse`, which
    does once what each worker would do again."""
    module = importlib.import_module(place.partition(":")[0])
    getattr(module, "rehearse", lambda: None)()


def main(arguments: list[str]) -> None:
    """Be a worker: `arguments` are the inherited descriptor of its channel and where its main is."""
    descriptor, place = arguments
    leave(run_worker(socket.socket(fileno=int(descriptor)), load_worker(place)))


if __name__ == "__main__":
    main(sys.argv[1:])
