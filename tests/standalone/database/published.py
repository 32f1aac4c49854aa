"""A database in memory with a module on it, and a thread that plays the event loop: the test's own.

What other threads post is carried out by `until`, `run` and `quiet`, between which the engine rests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from spacetimedb_engine import Connection, Turn
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Called, Database
from spacetimedb_standalone.database.functions import arguments_from_json, find_procedure, find_reducer
from spacetimedb_standalone.database.handlers import HandlerAnswer, Handlers
from spacetimedb_standalone.database.procedures import ProcedureResult, Procedures, value_as_json
from spacetimedb_standalone.database.program import ProgramLoader
from spacetimedb_standalone.database.scheduler import Scheduler
from spacetimedb_standalone.database.services import DatabaseServices
from spacetimedb_standalone.database.statements import execute
from spacetimedb_standalone.database.waiting_pool import WaitingPool
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.program import ProgramKind
from spacetimedb_standalone.host.http_messages import HttpRequest
from spacetimedb_standalone.host.wasm.limits import WasmLimits
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime
from spacetimedb_standalone.module_logs import ModuleLog
from spacetimedb_standalone.outgoing.http import OutgoingHttp
from spacetimedb_standalone.ports.clock import SystemClock

MODULES = Path(__file__).parents[2] / "modules"
PROGRAMS = {"waiting": MODULES / "waiting/waiting.wasm", "hostile": MODULES / "hostile.wasm"}
IDENTITY, OWNER = Identity(bytes(range(32))), Identity(bytes([7]) * 32)
CALLER = Caller(OWNER, ConnectionId(bytes([9]) * 16), "{}", is_owner=True)
PATIENCE = 60.0
MEMORY = 256 << 20


class NoSockets:
    """The engine's host where no client is connected."""

    database: Database

    def before_commit(self, conn: Connection | None, reducer_id: int) -> bytes | None:
        self.database.views.refresh()
        return None


@dataclass(frozen=True)
class Programs:
    """Modules are compiled once for all tests that use them."""

    cache: Path

    def publish(
        self, name: str, *, seconds: float = 60.0, size: int = 4, outgoing: OutgoingHttp | None = None
    ) -> Published:
        return Published(PROGRAMS[name].read_bytes(), self.cache, seconds, size, outgoing or OutgoingHttp())


class Published:
    """`seconds` is what a call may take, `size` how many procedures may run at once."""

    def __init__(
        self, program: bytes, cache: Path, seconds: float, size: int, outgoing: OutgoingHttp
    ) -> None:
        self._posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        clock = SystemClock()
        self.durable: Callable[[int], bool] = lambda offset: True
        datastore, self.logs = Datastore.in_memory(), ModuleLog.in_memory(clock)
        services = self._services = DatabaseServices(datastore, self.logs, clock)
        self._loader = ProgramLoader(IDENTITY, cache, WasmRuntime(WasmLimits(MEMORY, seconds)))
        host = NoSockets()
        self.database = host.database = Database(
            datastore,
            Turn(datastore.store, host),  # type: ignore[arg-type]  # nobody sends what the others are for
            services,
            self.logs,
            clock,
            self._loader,
        )
        self.pool = WaitingPool(
            self.database,
            services,
            size=size,
            post=self._posted.put,
            outgoing=outgoing,
            durable=lambda offset: self.durable(offset),
            clock=clock,
        )
        self.database.on_replaced = self.pool.forget
        self.procedures = Procedures(self.database, self.pool, clock)
        self.handlers = Handlers(self.database, self.pool, clock)
        self.scheduler = Scheduler(self.database, clock, self.procedures.start_unheard)
        services.on_row_written = self.scheduler.row_written
        services.on_schedule_now = lambda function, args: self._posted.put(
            partial(self.scheduler.run_now, function, args)
        )
        self.database.create(ProgramKind.WASM, program, IDENTITY, OWNER)
        self.scheduler.rebuild()

    # -- calls

    def start(self, name: str, args: str = "[]") -> list[ProcedureResult]:
        """Start a procedure; the list gets its result, some time."""
        procedure = find_procedure(self.database, name, is_owner=True)
        results: list[ProcedureResult] = []
        encoded = arguments_from_json(self.database, procedure, args)
        self.procedures.start(procedure, CALLER, encoded, results.append)
        return results

    def run(self, name: str, args: str = "[]") -> ProcedureResult:
        """Start a procedure and play the loop until it is over."""
        results = self.start(name, args)
        self.until(lambda: bool(results))
        return results[0]

    def json(self, name: str, args: str = "[]") -> str:
        """What a procedure that succeeds returns."""
        result = self.run(name, args)
        assert not result.text
        return value_as_json(find_procedure(self.database, name, is_owner=True), result.value)

    def reduce(self, name: str, args: str = "[]") -> Called:
        reducer = find_reducer(self.database, name, is_owner=True)
        return self.database.call(reducer, CALLER, arguments_from_json(self.database, reducer, args))

    def ask(self, request: HttpRequest, path: str, body: bytes = b"") -> HandlerAnswer:
        """An HTTP request to the module's handlers, which have a route for it."""
        handler = self.handlers.find(request.method, path)
        assert handler is not None
        answers: list[HandlerAnswer] = []
        self.handlers.start(handler, request, body, answers.append)
        self.until(lambda: bool(answers))
        return answers[0]

    def rows(self, query: str) -> list[Any]:
        """What a query selects, decoded."""
        result = execute(self.database, CALLER, query)
        decode = codec(result.schema).decode
        return [decode(row)[0] for row in result.rows]

    def republish(self) -> None:
        """The same module takes over from itself, as another program would."""
        loaded = replace(self.database.loaded)
        instance = self._loader.instantiate(loaded, self.database.store, self._services)
        self.database.replace(loaded, instance)
        self.scheduler.rebuild()

    def events(self) -> list[tuple[str, str]]:
        """Who did what, in order, as the module `waiting` writes it down."""
        rows = self.rows("SELECT * FROM event_log")
        return [(who, what) for _, who, what in sorted(rows)]

    # -- the loop

    def until(self, condition: Callable[[], bool]) -> None:
        """Carry out what is posted until the condition holds."""
        give_up = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < give_up, "it did not happen"
            self.turn(0.01)

    def turn(self, timeout: float) -> None:
        """One piece of work that was posted, or a scheduled row that is due."""
        try:
            self._posted.get(timeout=timeout)()
        except Empty:
            self.scheduler.run_due()

    def lines(self) -> str:
        """The module's log."""
        return self.logs.tail(None).decode()

    def close(self) -> None:
        self.pool.close()
        self.database.close()
