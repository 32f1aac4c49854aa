"""Procedures: functions of a module that open transactions by themselves, wait, and return a value.

They run beside the engine's thread (`waiting_pool`); only their transactions are its business. Nothing orders
them among reducers or one another, not even those of one caller. Results come back on the engine's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from spacetimedb_engine import Status
from spacetimedb_lib.moduledef import ProcedureDef
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_lib.sats.json_write import json_writer
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.functions import check_arguments, find_procedure
from spacetimedb_standalone.database.waiting_pool import WaitingPool
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.module_logs import Level
from spacetimedb_standalone.ports.clock import Clock

NO_BUDGET = "Procedure terminated due to insufficient budget"


@dataclass(frozen=True, slots=True)
class ProcedureResult:
    """`value` is BSATN of the return type where `status` is OK; else `text` is what the caller may be told.

    `timestamp` is when it began, `micros` how long it took; a failure has neither. `offset` is the last
    transaction that the procedure has seen: a caller who wants durable answers waits for it. -1: none.
    """

    status: Status
    text: str = ""
    value: bytes = b""
    timestamp: int = 0
    micros: int = 0
    offset: int = -1


Done = Callable[[ProcedureResult], None]


class Procedures:
    """For the engine's thread."""

    def __init__(self, database: Database, pool: WaitingPool, clock: Clock) -> None:
        self._database, self._pool, self._clock = database, pool, clock

    def start(self, procedure: ProcedureDef, caller: Caller, args: bytes, done: Done) -> None:
        """Returns at once; `done` gets the result, later. `args` must be valid BSATN of the parameters."""

        def work(instance: WasmInstance) -> ProcedureResult:
            return self._call(instance, procedure, caller, args)

        self._pool.submit(
            procedure.full_name, work, _failed, lambda result, offset: done(replace(result, offset=offset))
        )

    def start_unheard(self, name: str, caller: Caller, args: bytes, done: Callable[[], None]) -> None:
        """For schedules: nobody gets the value, and failures go to the module's log. Raises UncallableError."""
        procedure = find_procedure(self._database, name, is_owner=True)
        check_arguments(self._database, procedure, args)

        def over(result: ProcedureResult) -> None:
            if result.status is not Status.OK:
                self._database.logs.system(Level.ERROR, f"scheduled procedure {name}: {result.text}")
            done()

        self.start(procedure, caller, args, over)

    def _call(
        self, instance: WasmInstance, procedure: ProcedureDef, caller: Caller, args: bytes
    ) -> ProcedureResult:
        """On a thread of the pool."""
        began, timestamp = self._clock.monotonic(), self._clock.now()
        sender, connection = bytes(caller.identity), bytes(caller.connection_id)
        outcome = instance.call_procedure(
            procedure.id, procedure.full_name, sender, connection, timestamp, args
        )
        if outcome.status is Status.EXHAUSTED:
            return ProcedureResult(outcome.status, NO_BUDGET)
        if outcome.status is not Status.OK:
            return _failed(outcome.text, outcome.status)
        try:
            codec(procedure.return_type, procedure.typespace).decode(outcome.value)
        except DecodeError as error:
            return _failed(f"the return value of {procedure.full_name} can't be decoded: {error}")
        micros = int((self._clock.monotonic() - began) * 1_000_000)
        return ProcedureResult(Status.OK, "", outcome.value, timestamp, micros)


def value_as_json(procedure: ProcedureDef, value: bytes) -> str:
    """A result as HTTP callers get it."""
    decoded, _ = codec(procedure.return_type, procedure.typespace).decode(value)
    return json_writer(procedure.return_type, procedure.typespace)(decoded)


def _failed(text: str, status: Status = Status.TRAPPED) -> ProcedureResult:
    return ProcedureResult(status, f"The module instance encountered a fatal error: {text}")
