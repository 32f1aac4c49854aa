"""The template: a process that has everything imported and nothing running, from which workers are forked.

A forked worker shares the template's memory and starts in milliseconds. For that the template must stay as
it is at its start: one thread, no event loop, no engine, its garbage frozen so that counting references in
a worker touches few of the shared pages.

Messages on its own channel, from the front: `{"op": "fork", "worker": N}` with the worker's end of a
channel. To the front: `{"op": "forked", "worker": N, "pid": P}` and `{"op": "exited", "worker": N,
"status": S}`, where S is the exit status or minus the signal. When the front is gone, so is the template:
its workers see the end of their own channels.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from spacetimedb_standalone.supervisor.channel import Inbox
from spacetimedb_standalone.supervisor.child import RunWorker, leave, load_worker, rehearse, run_worker

_READ_SIZE: Final = 1 << 16


class Template:
    """The loop of the template. `run` is what a forked child does with its channel."""

    def __init__(self, front: socket.socket, run: RunWorker):
        self._front = front
        self._run = run
        self._inbox = Inbox()
        self._workers: dict[int, int] = {}  # process id -> the front's number of the worker
        self._wake_in, self._wake_out = os.pipe()
        for end in (self._wake_in, self._wake_out):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """Until the front closes its end."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that a child's end writes to the wake-up pipe
        signal.set_wakeup_fd(self._wake_out, warn_on_full_buffer=False)
        gc.collect()
        gc.freeze()
        while True:
            ready, _, _ = select.select([self._front.fileno(), self._wake_in], [], [])
            if self._wake_in in ready:
                self._reap()
            if self._front.fileno() in ready and not self._take_orders():
                return

    def _take_orders(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self._front, _READ_SIZE, 64)
        for message, passed in self._inbox.take_in(data, fds):
            if message["op"] == "fork":
                self._fork(message["worker"], passed[0])
        return bool(data)

    def _fork(self, worker: int, channel: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_worker(channel)
        os.close(channel)
        self._workers[pid] = worker
        self._report({"op": "forked", "worker": worker, "pid": pid})

    def _become_worker(self, channel: int) -> None:
        """In the child: drop what belongs to the template, then never come back."""
        signal.set_wakeup_fd(-1)
        self._front.close()
        os.close(self._wake_in)
        os.close(self._wake_out)
        status = 70
        try:
            status = run_worker(socket.socket(fileno=channel), self._run)
        finally:
            leave(status)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_in, _READ_SIZE)
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            worker = self._workers.pop(pid)
            self._report({"op": "exited", "worker": worker, "status": os.waitstatus_to_exitcode(status)})

    def _report(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # the front is gone: the next read says so
            self._front.sendall(json.dumps(message).encode() + b"\n")


@dataclass(frozen=True, slots=True)
class ForkedTemplate:
    """A template that is a copy of this process, and this end of its channel."""

    pid: int
    channel: socket.socket


def fork_template(worker_main: str) -> ForkedTemplate:
    """For a process with one thread that holds nothing but what it has imported: that is not imported again, and the
    memory of it stays shared. The template imports the rest while this process goes on.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    gc.collect()
    gc.freeze()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _be_template(theirs, worker_main)
    theirs.close()
    return ForkedTemplate(pid, ours)


def _be_template(channel: socket.socket, worker_main: str) -> NoReturn:
    status = 70
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        run = load_worker(worker_main)
        rehearse(worker_main)
        Template(channel, run).serve()
        status = 0
    except Exception as error:
        print(f"Error: the template process ended: {error}", file=sys.stderr)
    finally:
        leave(status)


def main(arguments: list[str]) -> None:
    """Be the template: `arguments` are the inherited descriptor of its channel and where the worker's main
    is.
    """
    descriptor, place = arguments
    _be_template(socket.socket(fileno=int(descriptor)), place)


if __name__ == "__main__":
    main(sys.argv[1:])
