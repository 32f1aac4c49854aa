"""Procedures: functions of a module that open transactions by themselves and return a value.

They run on an instance of their own, so that one can't disturb the reducers' memory, and between the
transactions of others: one at a time, on the engine's thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from spacetimedb_engine import Status
from spacetimedb_lib.moduledef import ProcedureDef
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.json_write import json_writer
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.module_logs import Level
from spacetimedb_standalone.ports.clock import Clock

NO_BUDGET = "Procedure terminated due to insufficient budget"


@dataclass(frozen=True, slots=True)
class ProcedureResult:
    """`value` is BSATN of the return type where `status` is OK; else `text` is what the caller may be told."""

    status: Status
    text: str
    value: bytes
    timestamp: int
    micros: int


class Procedures:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._idle: WasmInstance | None = None
        self._idle_for: object = None

    def run(self, procedure: ProcedureDef, caller: Caller, args: bytes) -> ProcedureResult:
        """`args` must be valid BSATN of the parameters."""
        instance = self._take_instance()
        began, timestamp = self._clock.monotonic(), self._database.stamp()
        outcome = instance.call_procedure(
            procedure.id,
            procedure.full_name,
            bytes(caller.identity),
            bytes(caller.connection_id),
            timestamp,
            args,
        )
        if self._database.store.in_transaction:
            self._database.datastore.rollback()
            text = f"aborting dangling anonymous transaction in procedure {procedure.full_name}"
            self._database.logs.system(Level.ERROR, text)
        if instance.dead:
            instance.close()
        else:
            self._idle = instance
        micros = int((self._clock.monotonic() - began) * 1_000_000)
        if outcome.status is Status.OK:
            return ProcedureResult(Status.OK, "", outcome.value, timestamp, micros)
        text = f"The module instance encountered a fatal error: {outcome.text}"
        if outcome.status is Status.EXHAUSTED:
            text = NO_BUDGET
        return ProcedureResult(outcome.status, text, b"", timestamp, micros)

    def run_unheard(self, name: str, caller: Caller, args: bytes) -> None:
        """For schedules: nobody gets the value, and failures go to the module's log."""
        procedure = self._database.definition.find_procedure(name)
        if procedure is None:
            self._database.logs.system(Level.ERROR, f"the scheduled function {name} does not exist")
            return
        result = self.run(procedure, caller, args)
        if result.status is not Status.OK:
            self._database.logs.system(Level.ERROR, f"scheduled procedure {name}: {result.text}")

    def value_as_json(self, procedure: ProcedureDef, value: bytes) -> str:
        """The return value as HTTP callers get it. Raises DecodeError if the module returned something else."""
        definition = self._database.definition
        typespace = definition.module_of(procedure.namespace).typespace
        decoded, _ = codec(procedure.return_type, typespace).decode(value)
        return json_writer(procedure.return_type, typespace)(decoded)

    def _take_instance(self) -> WasmInstance:
        loaded, idle = self._database.loaded, self._idle
        self._idle = None
        if idle is not None and self._idle_for is loaded:
            return idle
        if idle is not None:
            idle.close()
        self._idle_for = loaded
        return self._database.new_instance()
