"""Who should wait for the disk? The commit log's drivers against each other, on disks of several speeds.

    python -m bench.log_sync [--directory DIR] [--in-flight N ...] [--delay MS ...] [--seconds N]

A closed loop without sockets: so many transactions are in flight; a turn of the event loop takes all that are
ready, works on each (busy, as the engine does), and hands the commits to the log; when they are durable they
are ready again 50 us later. `delay` is added to every sync. Told are transactions a second, microseconds of CPU
for each, how long one waits to become durable, and how late a timer of the loop is at worst: whether the
database still reacts while the disk is slow.
"""

from __future__ import annotations

import argparse
import asyncio
import struct
import tempfile
import time
from collections import deque
from pathlib import Path

from spacetimedb_standalone.commitlog import Driver, Durability, open_log
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.commitlog.kernel_log import KernelLog
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import DiskFiles
from spacetimedb_standalone.ports.disk_files import DiskFile

WORK_SECONDS = 2e-6
"""For each transaction."""
ROUND_TRIP_SECONDS = 50e-6
GROUPS = 8
"""Connections do not all write at once: the load begins in so many parts."""
COMMIT = encode_commit(0, 0, 1, bytes(150))
DRIVERS = (Driver.INLINE, Driver.THREAD, Driver.KERNEL)


class SlowFile(DiskFile):
    delay = 0.0

    def sync_data(self) -> None:
        super().sync_data()
        time.sleep(self.delay)


class SlowFiles(DiskFiles):
    """A disk whose syncs take longer by `delay` seconds."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def open(self, path: Path, *, create: bool = False) -> DiskFile:
        file = super().open(path, create=create)
        if self._delay and path.suffix == ".log":
            file.__class__ = SlowFile
            setattr(file, "delay", self._delay)  # noqa: B010
        return file


class Load:
    """The transactions of one run, and what became of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, log: Durability) -> None:
        self._loop, self._log = loop, log
        self._ready = self._next = 0
        self._waiting: deque[tuple[int, int, float]] = deque()
        self._turn_is_due = False
        self.waits: list[tuple[float, int]] = []
        self.lateness = 0.0
        log.on_durable(self._durable)

    def begin(self, in_flight: int) -> None:
        for group in range(GROUPS):
            self._loop.call_later(0.0003 * group, self._arrive, in_flight // GROUPS)
        self._tick(time.perf_counter())

    def _arrive(self, count: int) -> None:
        self._ready += count
        self._turn()

    def _turn(self) -> None:
        self._turn_is_due = False
        count, self._ready = self._ready, 0
        if count == 0:
            return
        began = time.perf_counter()
        while time.perf_counter() < began + count * WORK_SECONDS:
            pass
        commits = bytearray(COMMIT * count)
        struct.pack_into("<Q", commits, 0, self._next)
        self._next += count
        self._waiting.append((self._next - 1, count, began))
        self._log.submit(bytes(commits), self._next - 1)

    def _durable(self, offset: int) -> None:
        now = time.perf_counter()
        while self._waiting and self._waiting[0][0] <= offset:
            _, count, began = self._waiting.popleft()
            self._ready += count
            self.waits.append((now - began, count))
        if self._ready and not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_later(ROUND_TRIP_SECONDS, self._turn)

    def _tick(self, due: float) -> None:
        now = time.perf_counter()
        self.lateness = max(self.lateness, now - due)
        self._loop.call_later(0.001, self._tick, now + 0.001)


def delay_completions(log: KernelLog, loop: asyncio.AbstractEventLoop, delay: float) -> None:
    """Look at the kernel's signal only so much later: to the loop, that is a slower disk."""
    signal = log._sync.eventfd

    def signalled() -> None:
        loop.remove_reader(signal)
        loop.call_later(delay, finish)

    def finish() -> None:
        loop.add_reader(signal, signalled)
        log._finished()

    loop.remove_reader(signal)
    loop.add_reader(signal, signalled)


def run(directory: Path, driver: Driver, delay: float, in_flight: int, seconds: float) -> None:
    loop = _new_loop()
    log = open_log(SlowFiles(delay), directory, CommitLogSettings()).start(driver)
    log.attach(loop)
    if isinstance(log, KernelLog) and delay:
        delay_completions(log, loop, delay)
    load = Load(loop, log)
    cpu, began = time.process_time(), time.perf_counter()
    load.begin(in_flight)
    loop.call_later(seconds, loop.stop)
    loop.run_forever()
    cpu, took = time.process_time() - cpu, time.perf_counter() - began
    done = sum(count for _, count in load.waits)
    waits = sorted(wait for wait, count in load.waits for _ in range(count))
    print(
        f"{driver:7} {in_flight:6} {delay * 1000:8.0f} {done / took:12,.0f} {cpu / done * 1e6:8.2f}"
        f" {waits[len(waits) // 2] * 1000:8.2f} {waits[len(waits) * 99 // 100] * 1000:8.2f}"
        f" {load.lateness * 1000:10.1f}",
        flush=True,
    )
    log.drain(10.0)
    log.close()
    loop.close()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, help="on the disk in question")
    parser.add_argument("--in-flight", type=int, nargs="+", default=[64, 2560])
    parser.add_argument("--delay", type=float, nargs="+", default=[0, 1, 5], help="milliseconds a sync")
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    print("driver  flight delay ms         tx/s cpu us/tx   p50 ms   p99 ms late ms max")
    for in_flight in arguments.in_flight:
        for delay in arguments.delay:
            for driver in DRIVERS:
                with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
                    run(Path(directory), driver, delay / 1000, in_flight, arguments.seconds)


if __name__ == "__main__":
    main()
