"""A database: the datastore, the module that runs on it, and those who watch.

Every transaction that is not a client's plain reducer call goes through here; those go through the engine's
`Turn` in one piece and come back only where they fail or where somebody watches.

Invariants:

* `turn.guest` is the instance of `loaded`, or there is no module yet. An instance that trapped is replaced
  before the next call.
* After every commit the watchers are told, before anything else touches the store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spacetimedb_engine import Status, Store, Turn
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_lib.moduledef import Lifecycle, ModuleDef, ReducerDef, ViewDef
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.catalog import SchemaCatalog
from spacetimedb_standalone.database.program import LoadedProgram, ProgramLoader
from spacetimedb_standalone.database.reducer_table import reducer_table
from spacetimedb_standalone.database.told import arguments, cause_of, reducer_call, tells_calls
from spacetimedb_standalone.database.views import MaterializedViews, ViewError
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.program import ProgramKind
from spacetimedb_standalone.host.interface import HostServices, Outcome, ViewOutcome
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.module_logs import Level, ModuleLog
from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.sql import ruled_table
from spacetimedb_standalone.subscriptions.encoder import UNSAID, V2, V2_PLAIN, Cause
from spacetimedb_standalone.subscriptions.service import Subscriptions
from spacetimedb_standalone.subscriptions.sets import Connection
from spacetimedb_standalone.wire.server_v1 import ReducerCall

FATAL = "The instance encountered a fatal error."
OUT_OF_ENERGY = "reducer ran out of energy"
NO_UPDATE = b"\0\0\0\0"
"""An empty array of query set updates."""


@dataclass(frozen=True, slots=True)
class Called:
    """How a reducer call ended. Status 0: committed at `offset` (-1: it changed nothing)."""

    status: Status
    text: str
    timestamp: int
    offset: int
    update: bytes
    """What the caller's own query sets saw, as its encoder writes it; `NO_UPDATE` if that is nothing."""
    micros: int
    call: ReducerCall
    """The call as it is told of."""


class InitFailed(Exception):
    """The `init` reducer of a new module failed, so nothing was created. The publisher's fault."""


class Database:
    """See the head of this file. Not thread-safe: it belongs to the thread of its engine."""

    def __init__(
        self,
        datastore: Datastore,
        turn: Turn,
        services: HostServices,
        logs: ModuleLog,
        clock: Clock,
        loader: ProgramLoader,
        encoder_of: Callable[[Connection], V2] = lambda connection: V2_PLAIN,
    ) -> None:
        """`encoder_of` is how connections of protocols v2 and v3 want to be told of rows."""
        self.datastore, self.turn, self.logs = datastore, turn, logs
        self.store: Store = datastore.store
        self.catalog = SchemaCatalog(datastore)
        self.views = MaterializedViews(self, clock)
        self.subscriptions = Subscriptions(
            self.catalog, self.store, watch=self.store.watch, views=self.views, encoder_of=encoder_of
        )
        self.reducers: dict[str, ReducerDef] = {}
        self._clock, self._loader, self._services = clock, loader, services
        self._loaded: LoadedProgram | None = None
        self._instance: WasmInstance | None = None
        self._notified: list[int] = []
        self.on_replaced: Callable[[], None] = lambda: None
        """Called when another program has taken over."""
        self._explains_calls = False

    # -- the module

    @property
    def definition(self) -> ModuleDef:
        """The running module's definition. Only once there is one (`create` or `open`)."""
        return self.loaded.definition

    @property
    def loaded(self) -> LoadedProgram:
        assert self._loaded is not None, "a database answers calls only after create() or open()"
        return self._loaded

    def waiting_instance(self, loaded: LoadedProgram, services: HostServices) -> WasmInstance:
        """An instance for procedures and handlers, which may wait. From any thread. Raises ModuleError."""
        instance = self._loader.instantiate(loaded, self.store, services, may_wait=True)
        instance.notify(self._notified)
        return instance

    def interrupt(self) -> None:
        """Procedures and handlers that run now are out of time."""
        self._loader.interrupt()

    def notify(self, table_ids: list[int]) -> None:
        """Tables whose rows the module's services want to hear of as they are written."""
        self._notified = table_ids
        if self._instance is not None:
            self._instance.notify(table_ids)

    def create(self, kind: ProgramKind, program: bytes, identity: Identity, owner: Identity) -> None:
        """Initialize an empty datastore with a module, all in transaction 0.

        Raises ModuleError, ModuleDefDecodeError, ValidationErrors, InitFailed; then nothing was written.
        """
        loaded, instance = self._loader.load(kind, program, self.store, self._services)
        self._install(loaded, instance)
        self.datastore.init_program(
            loaded.program,
            loaded.definition,
            database_identity=identity,
            owner=owner,
            system_log=self.logs.system,
            rule_target=self.rule_target,
            run_init=self._run_init if Lifecycle.INIT in loaded.definition.lifecycle else None,
        )

    def open(self) -> None:
        """Start the module that the datastore holds. Raises ModuleError and the like if it does not start."""
        program = self.datastore.program
        assert program is not None, "an initialized datastore holds its program"
        loaded, instance = self._loader.load(program.kind, program.data, self.store, self._services)
        self._install(loaded, instance)
        self.datastore.repair_views(loaded.definition, self.logs.system)

    def load(self, kind: ProgramKind, data: bytes) -> tuple[LoadedProgram, WasmInstance]:
        """Another program beside the one that runs. Raises ModuleError and the like."""
        return self._loader.load(kind, data, self.store, self._services)

    def replace(self, loaded: LoadedProgram, instance: WasmInstance) -> list[Connection]:
        """Run another program from now on; the datastore has it already.

        Queries are compiled again; the connections that come back had one that no longer means anything.
        """
        self._install(loaded, instance)
        self.on_replaced()
        orphans = self.subscriptions.redefine()
        self.datastore.begin()
        try:
            self.views.recompute()
        except ViewError as error:
            self.datastore.rollback()
            self.replace_dead()
            self.logs.system(Level.ERROR, f"views are not what the new program makes of them: {error}")
        else:
            self.commit()
        return orphans

    def close(self) -> None:
        if self._instance is not None:
            self._instance.close()
        self.datastore.close()
        self._loader.close()
        self.logs.close()

    def _install(self, loaded: LoadedProgram, instance: WasmInstance) -> None:
        definition = loaded.definition
        self._loaded = loaded
        self.reducers = {reducer.full_name: reducer for reducer in definition.all_reducers}
        self._use(instance)
        self._set_reducers()

    def explain_calls(self) -> None:
        """From now on there are clients that want to know who called what.

        The engine forgets that of calls that it carries out by itself. So it does so no more, if the module is
        of the kind whose callers are no secret.
        """
        if not self._explains_calls:
            self._explains_calls = True
            self._set_reducers()

    def _set_reducers(self) -> None:
        by_engine = not (self._explains_calls and tells_calls(self.definition))
        self.turn.set_reducers(reducer_table(self.definition, by_engine=by_engine))

    def rule_target(self, sql: str) -> int:
        """The table that a row-level rule is about."""
        return ruled_table(sql, self.catalog).id

    def _use(self, instance: WasmInstance) -> None:
        if self._instance is not None:
            self._instance.close()
        self._instance = instance
        instance.notify(self._notified)
        self.turn.guest = instance.guest

    def _run_init(self) -> None:
        """`init`, in the transaction that creates the tables."""
        reducer = self.definition.lifecycle[Lifecycle.INIT]
        timestamp = self.stamp()
        outcome = self.run_reducer(reducer, self.datastore.owner, ConnectionId.ZERO, timestamp)
        if outcome.status is not Status.OK:
            raise InitFailed(self.settle_failure(reducer.full_name, outcome.status, outcome.text, timestamp))

    # -- transactions

    def stamp(self) -> int:
        """The next transaction's time: microseconds since the epoch, never the same twice."""
        return self.turn.stamp(self._clock.now())

    def run_reducer(
        self, reducer: ReducerDef, sender: Identity, connection_id: ConnectionId, timestamp: int
    ) -> Outcome:
        """A lifecycle reducer's body, in the transaction that is open."""
        assert self._instance is not None
        return self._instance.call_reducer(
            reducer.id, reducer.full_name, bytes(sender), bytes(connection_id), timestamp, b""
        )

    def run_view(self, view: ViewDef, sender: bytes | None) -> ViewOutcome:
        """A view's body, in the transaction that is open."""
        assert self._instance is not None
        return self._instance.call_view(view.id, view.full_name, sender, b"")

    def call(
        self,
        reducer: ReducerDef,
        caller: Caller,
        args: bytes,
        connection: Connection | None = None,
        *,
        request_id: int = 0,
        json: str | None = None,
    ) -> Called:
        """A whole transaction around one reducer. `args` must be valid BSATN of its parameters.

        `connection` is the caller's own, if it watches: its part of the update comes back instead of being sent.
        `json` are the arguments as they came, if they were JSON. A failure is logged; `text` then is what the
        caller may be told.
        """
        began = self._clock.monotonic()
        result = self.turn.call(
            reducer.id,
            reducer.full_name.encode(),
            bytes(caller.identity),
            bytes(caller.connection_id),
            self._clock.now(),
            args,
        )
        micros = int((self._clock.monotonic() - began) * 1_000_000)
        args_told = arguments(self.definition, reducer, args, json)
        call = reducer_call(reducer, caller, args_told, request_id, result.timestamp, micros)
        if result.status == Status.OK:
            update = self.tell(result.offset, connection, cause_of(self.definition, call))
            return Called(Status.OK, "", result.timestamp, result.offset, update, micros, call)
        text = result.text.decode(errors="replace")
        status = Status(result.status)
        text = self.settle_failure(reducer.full_name, status, text, result.timestamp)
        return Called(status, text, result.timestamp, -1, NO_UPDATE, micros, call)

    def commit(self, inputs: bytes | None = None, *, force: bool = False, cause: Cause = UNSAID) -> int:
        """Commit the open transaction and tell those who watch; its offset, or -1 if it consumed none.

        Raises ViewError if a view could not be kept in step; then the transaction is rolled back.
        """
        try:
            self.views.refresh()
        except ViewError:
            self.datastore.rollback()
            self.replace_dead()
            raise
        offset = self.datastore.commit(inputs, force=force)
        self.tell(offset, cause=cause)
        return offset

    def tell(self, offset: int, caller: Connection | None = None, cause: Cause = UNSAID) -> bytes:
        """Send what the transaction just committed changed to all who watch; the caller's own part comes back."""
        if offset < 0:
            return NO_UPDATE
        return self.subscriptions.committed(self.store.take_delta(), offset, caller, cause)

    # -- failures

    def settle_failure(self, function: str, status: Status, text: str, timestamp: int) -> str:
        """Log a failed call, replace the instance if it is dead; what its caller may be told comes back."""
        if status is Status.FAILED:
            self.logs.reducer_error(function, text, timestamp)
        self.replace_dead()
        if status in (Status.FAILED, Status.REFUSED):
            return text
        return OUT_OF_ENERGY if status is Status.EXHAUSTED else FATAL

    def replace_dead(self) -> None:
        """Put a fresh instance in the place of one that trapped."""
        if self._instance is not None and self._instance.dead:
            self._use(self._loader.instantiate(self.loaded, self.store, self._services))
