"""Group commit without a thread: Linux syncs in the background and signals the event loop.

The loop writes a batch (into the page cache: a copy) and submits one asynchronous fdatasync; the kernel
runs it on a thread of its own and adds to an eventfd when it is done. The interpreter lock is not involved
in between, so a slow disk costs the loop nothing and a busy loop does not delay the disk.

The interface is the kernel's native asynchronous I/O (`io_setup(2)`, `io_submit(2)`), called through libc's
`syscall`; the numbers are those of x86-64 and the generic table that AArch64 uses.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import select
import struct
import sys
import time

from spacetimedb_standalone.commitlog.durability import Durability
from spacetimedb_standalone.commitlog.errors import LogFailed
from spacetimedb_standalone.commitlog.writer import LogWriter

_SYSCALLS = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
"""io_setup, io_destroy, io_getevents, io_submit."""

_IOCB = struct.Struct(
    "<QIIHhIQQqQII"
)  # data key rw_flags opcode prio fd buf nbytes offset reserved flags resfd
_EVENT = struct.Struct("<QQqq")  # data obj res res2
_FDSYNC = 3
_SIGNAL_EVENTFD = 1
TRIAL_SECONDS = 10.0


class KernelSync:
    """One asynchronous fdatasync at a time."""

    def __init__(self) -> None:
        """Raises `OSError` where the kernel or a sandbox does not offer this."""
        if sys.platform != "linux" or platform.machine() not in _SYSCALLS:
            raise OSError(f"no asynchronous fdatasync on {sys.platform} {platform.machine()}")
        self._setup, self._destroy, self._getevents, self._submit = _SYSCALLS[platform.machine()]
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._context = ctypes.c_ulong(0)
        self._event = ctypes.create_string_buffer(_EVENT.size)
        self._request = ctypes.create_string_buffer(_IOCB.size)
        self._requests = (ctypes.c_void_p * 1)(ctypes.addressof(self._request))
        self._call(self._setup, ctypes.c_long(1), ctypes.byref(self._context))
        self.eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def start(self, descriptor: int) -> None:
        """Begin to sync a file; `eventfd` becomes readable when it is done. Raises `OSError`."""
        _IOCB.pack_into(
            self._request, 0, 0, 0, 0, _FDSYNC, 0, descriptor, 0, 0, 0, 0, _SIGNAL_EVENTFD, self.eventfd
        )
        self._call(self._submit, self._context, ctypes.c_long(1), self._requests)

    def finish(self) -> None:
        """After `eventfd` was readable. Raises the `OSError` of the sync if it failed."""
        os.eventfd_read(self.eventfd)
        self._call(self._getevents, self._context, ctypes.c_long(1), ctypes.c_long(1), self._event, None)
        result = _EVENT.unpack(self._event)[2]
        if result < 0:
            raise OSError(-result, os.strerror(-result))

    def close(self) -> None:
        """Waits for a sync that is still running."""
        if self.eventfd >= 0:
            self._call(self._destroy, self._context)
            os.close(self.eventfd)
            self.eventfd = -1

    def _call(self, number: int, *arguments: object) -> None:
        if self._libc.syscall(ctypes.c_long(number), *arguments) < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))


class KernelLog(Durability):
    """At most one sync is under way; what is submitted meanwhile makes the next batch."""

    def __init__(self, writer: LogWriter) -> None:
        """Raises `OSError` where `KernelSync` is not to be had or the log is not a real file."""
        descriptor = writer.fileno()
        if descriptor is None:
            raise OSError("the commit log is not a file of the host")
        super().__init__(writer.synced_offset - 1)
        self._writer = writer
        self._sync = KernelSync()
        self._try(descriptor)
        self._queue: list[bytes] = []
        self._under_way = 0
        """Bytes that the running sync will make durable; 0: none runs."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_reader(self._sync.eventfd, self._finished)

    def drain(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.durable_offset < self.submitted_offset:
            if self.failure is not None:
                raise LogFailed(*self.failure.args)
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._sync.eventfd], [], [], left)[0]:
                return False
            self._finished()
        return True

    def close(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._sync.eventfd)
        self._sync.close()
        self._writer.close()

    def _enqueue(self, commits: bytes, last_offset: int) -> None:
        self._queue.append(commits)
        if not self._under_way:
            self._start()

    def _start(self) -> None:
        """Write all that waits and begin to sync it."""
        commits = self._queue[0] if len(self._queue) == 1 else b"".join(self._queue)
        self._queue.clear()
        self._under_way = len(commits)
        try:
            self._writer.append(commits, self.submitted_offset)
            descriptor = self._writer.fileno()
            assert descriptor is not None
            try:
                self._sync.start(descriptor)
            except OSError as error:
                raise self._writer.sync_failed(error) from error
        except LogFailed as failure:
            self._under_way = 0
            self._fail(failure)

    def _finished(self) -> None:
        """The kernel has signalled: publish, and go on with what has come meanwhile."""
        try:
            self._sync.finish()
        except BlockingIOError:  # drained in the meantime
            return
        except OSError as error:
            self._fail(self._writer.sync_failed(error))
            return
        size, self._under_way = self._under_way, 0
        offset = self._writer.synced() - 1
        if self._queue:
            self._start()
        self._publish(offset, size)

    def _try(self, descriptor: int) -> None:
        """Some sandboxes and file systems refuse only when asked, or never answer: find out now."""
        try:
            self._sync.start(descriptor)
            if not select.select([self._sync.eventfd], [], [], TRIAL_SECONDS)[0]:
                raise TimeoutError("an asynchronous fdatasync did not come back")
            self._sync.finish()
        except TimeoutError:  # what never answers would not let itself be closed either
            raise
        except OSError:
            self._sync.close()
            raise
