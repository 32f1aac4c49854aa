"""Threads and instances for what may wait: procedures and HTTP handlers.

Each runs on a thread of its own with an instance of its own, so that it disturbs neither the loop nor the
reducers' memory. There are at most `size` of each; who comes later waits in line. An instance serves one call
at a time and is used again, the one that has rested longest first; one that trapped, or whose program has been
replaced, is closed.

Compiled, an instance computes without the interpreter lock (`Guest`), so a procedure that works hard takes a
core and nothing else from the loop. Uncompiled the same holds, because ctypes lets the lock go. Only while it
has a transaction open does everything else wait for it, as for a reducer.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.loans import EngineLoans, Post
from spacetimedb_standalone.database.program import LoadedProgram
from spacetimedb_standalone.database.waiting_services import Durable, WaitingServices
from spacetimedb_standalone.host.interface import HostServices, ModuleError
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.outgoing.http import OutgoingHttp
from spacetimedb_standalone.ports.clock import Clock

log = logging.getLogger(__name__)
T = TypeVar("T")

FAREWELL_SECONDS = 1.0
"""How long closing waits for calls that have been told to end; one that waits for the network is left behind."""


@dataclass(slots=True)
class Station:
    """An instance, what it may ask, and the program it runs."""

    loaded: LoadedProgram
    services: WaitingServices
    instance: WasmInstance


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    loaded: LoadedProgram
    since: int
    function: str
    work: Callable[[WasmInstance], T]
    failed: Callable[[str], T]
    done: Callable[[T, int], None]


class WaitingPool:
    """`submit`, `forget` and `close` are for the engine's thread; `post` gets results back to it."""

    def __init__(
        self,
        database: Database,
        shared: HostServices,
        *,
        size: int,
        post: Post,
        outgoing: OutgoingHttp,
        durable: Durable,
        clock: Clock,
    ) -> None:
        self._database, self._shared = database, shared
        self._post, self._outgoing, self._durable, self._clock = post, outgoing, durable, clock
        self._loans = EngineLoans(post)
        self._stopping = threading.Event()
        self._idle: deque[Station] = deque()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="procedure")
        self._running: set[Future[None]] = set()

    def submit(
        self,
        function: str,
        work: Callable[[WasmInstance], T],
        failed: Callable[[str], T],
        done: Callable[[T, int], None],
    ) -> None:
        """Run `work`, a call of `function`, beside the loop, then `done` with its result on the engine's thread.

        `done` is also told the last transaction that the call has seen (-1: none). Where no instance comes to
        life, or the host has a defect, the result is `failed` of a text.
        """
        since = self._database.store.next_offset - 1
        job = _Job(self._database.loaded, since, function, work, failed, done)
        future = self._threads.submit(self._run, job)
        self._running.add(future)
        future.add_done_callback(self._running.discard)

    def forget(self) -> None:
        """Another program runs: instances of the old one go, those that are at work when they are finished."""
        for _ in range(len(self._idle)):
            self._put_back(self._idle.popleft())

    def close(self) -> None:
        """End what runs, as far as that is possible at once."""
        self._stopping.set()
        self._loans.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._database.interrupt()
        wait(list(self._running), FAREWELL_SECONDS)
        while self._idle:
            self._idle.popleft().instance.close()

    # -- on the pool's threads

    def _run(self, job: _Job[T]) -> None:
        offset = -1
        try:
            station = self._take(job.loaded)
            try:
                result = self._call(station, job)
                offset = station.services.offset
            finally:
                self._put_back(station)
        except ModuleError as error:
            result = job.failed(str(error))
        except Exception as error:
            log.exception("%s could not be run", job.function)
            result = job.failed(f"the host failed: {type(error).__name__}: {error}")
        self._post(lambda: job.done(result, offset))

    def _call(self, station: Station, job: _Job[T]) -> T:
        station.services.begin_call(job.since)
        try:
            return job.work(station.instance)
        finally:
            station.services.end_call(job.function)

    def _take(self, loaded: LoadedProgram) -> Station:
        """An instance at rest, or a new one. Raises ModuleError if that does not come to life."""
        while True:
            try:
                station = self._idle.popleft()
            except IndexError:
                break
            if station.loaded is loaded:
                return station
            station.instance.close()
        services = WaitingServices(
            self._database,
            loaded,
            self._shared,
            self._loans,
            self._post,
            self._outgoing,
            self._durable,
            self._clock,
            self._stopping,
        )
        return Station(loaded, services, self._database.waiting_instance(loaded, services))

    def _put_back(self, station: Station) -> None:
        if station.instance.dead or station.loaded is not self._database.loaded or self._stopping.is_set():
            station.instance.close()
        else:
            self._idle.append(station)
