"""The process that takes a snapshot: a copy of the worker at one moment, made by `fork`.

Why a copy of the process: it costs the worker one call, whose time grows with the number of memory pages and not
with the rows, and nothing afterwards but the copies that the kernel makes of pages that change. The copy sees
the tables as they were between two transactions and has all the time it wants to write, check, compress and
delete. Where there is no `fork`, the rows are copied in the worker and written in a thread.

What the two say to each other, a line of JSON each: the child `{"written": BYTES, "rows": N}` when the snapshot
lies beside its place; the worker `{}` when the log is durable that far; the child `{"published": true}`, and
`{"done": true}` when it has tidied up, or `{"failed": "why"}` at any time. The child ends when the worker does.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from spacetimedb_standalone.snapshots import Piece, SnapshotJob

logger = logging.getLogger(__name__)

NICENESS = 10
"""The database comes first."""
_PR_SET_PDEATHSIG = 1
_MOST_DESCRIPTORS = 1 << 20


class WorkerGone(Exception):
    """Nobody is left to publish for."""


def fork_snapshot(job: SnapshotJob, pieces: Callable[[], Iterable[Piece]]) -> tuple[int, socket.socket]:
    """Begin to take a snapshot; (process id, our end of the connection to it). Raises `OSError`.

    Only for the thread that owns the database, between transactions.
    """
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    try:
        with warnings.catch_warnings():  # of threads that the child will not have; it needs none of them
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        _be_the_child(parent, theirs, job, pieces)
    theirs.close()
    return pid, ours


def _be_the_child(
    parent: int, channel: socket.socket, job: SnapshotJob, pieces: Callable[[], Iterable[Piece]]
) -> None:
    """Never comes back: what the worker was about to do is not ours to do."""
    status = 1
    try:
        _settle(parent, channel.fileno())
        run_job(job, pieces(), channel)
        status = 0
    except WorkerGone:
        status = 0
    except Exception:
        logger.critical("the process that takes a snapshot broke off", exc_info=True)
    finally:
        os._exit(status)


def _settle(parent: int, channel: int) -> None:
    """Let go of all that the worker holds: its sockets must close when it closes them."""
    gc.disable()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            raise WorkerGone
    kept = sorted({2, channel, *_log_descriptors()})
    for below, above in pairwise([*kept, _MOST_DESCRIPTORS]):
        os.closerange(below + 1, above)
    os.nice(NICENESS)


def _log_descriptors() -> Iterator[int]:
    """Where log records of this process go. A handler may have no stream just now, or one that is no file."""
    for handler in logging.getLogger().handlers:
        stream = getattr(handler, "stream", None)
        if stream is not None and hasattr(stream, "fileno"):
            with contextlib.suppress(OSError, ValueError):
                yield stream.fileno()


def run_job(job: SnapshotJob, pieces: Iterable[Piece], channel: socket.socket) -> None:
    """All steps, with the worker at the other end of the channel. Raises `WorkerGone`."""
    with channel.makefile("rwb") as stream:

        def say(**message: Any) -> None:
            try:
                stream.write(json.dumps(message).encode() + b"\n")
                stream.flush()
            except OSError as error:
                raise WorkerGone from error

        try:
            written = job.write(pieces)
            say(written=written.size, rows=written.rows)
            if not stream.readline():
                raise WorkerGone
            job.publish()
            say(published=True)
            job.tidy()
            say(done=True)
        except WorkerGone:
            raise
        except Exception as error:  # whatever it is, the worker must hear it
            say(failed=f"{type(error).__name__}: {error}")
