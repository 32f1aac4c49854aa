"""Views: functions of the module whose rows are kept in tables of their own, in step with what they read.

An instance of a view is the view for one caller, or for everybody. It is computed when a query first needs it,
and again, inside the very transaction, whenever one changes a table that it read. Its rows lie in the view's
backing table behind the hash of its arguments; that table is never logged and is empty after a restart.

A view that fails takes the transaction with it: nobody may see rows that no longer follow from the others.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spacetimedb_engine import EngineError, Status
from spacetimedb_lib.moduledef import ViewDef
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_standalone.host.interface import ViewOutcome
from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.sql import Caller, SqlError, TableDef
from spacetimedb_standalone.sql.binding import view_hash
from spacetimedb_standalone.sql.statement import prepare_query

if TYPE_CHECKING:
    from spacetimedb_standalone.database.database import Database

log = logging.getLogger(__name__)

KEPT_SECONDS = 600.0
"""How long an instance that nobody watches is kept after its last use."""
ROW_COUNT_BYTES = 4


class ViewError(SqlError):
    """A view could not be computed; the text is for whoever asked for it. The module's fault."""


@dataclass(slots=True)
class _Instance:
    """One view for one caller (None: for everybody), and the tables its rows follow from."""

    view: ViewDef
    table_id: int
    sender: bytes | None
    reads: frozenset[int] = frozenset()
    watchers: int = 0
    used: float = field(default=0.0)


class MaterializedViews:
    """Implements `sql.Views`. `Database` asks it to `refresh` before every commit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._instances: dict[tuple[int, bytes | None], _Instance] = {}

    # -- what queries ask for

    def materialize(self, view: TableDef, sender: bytes | None, /) -> None:
        """See to it that the instance's rows are there. Raises ViewError; then none of them are."""
        instance = self._instances.get((view.id, sender))
        if instance is None:
            instance = self._new_instance(view, sender)
            self._compute_alone(instance)
            self._instances[view.id, sender] = instance
            self._database.turn.before_commit = True
        instance.used = self._clock.monotonic()

    def retain(self, view: TableDef, sender: bytes | None, /) -> None:
        instance = self._instances.get((view.id, sender))
        if instance is None:
            self.materialize(view, sender)
            instance = self._instances[view.id, sender]
        instance.watchers += 1

    def release(self, view: TableDef, sender: bytes | None, /) -> None:
        instance = self._instances.get((view.id, sender))
        if instance is not None:
            instance.watchers -= 1
            instance.used = self._clock.monotonic()

    # -- what transactions ask for

    def refresh(self) -> None:
        """In a transaction about to commit: compute again what read a table that it wrote to. Raises ViewError."""
        if not self._instances:
            return
        touched = set(self._database.store.touched())
        for instance in list(self._instances.values()):
            if not touched.isdisjoint(instance.reads):
                self._compute(instance)

    def recompute(self) -> None:
        """In a transaction: compute everything again, for another program runs. Raises ViewError."""
        definition = self._database.definition
        for key, instance in list(self._instances.items()):
            table = self._database.datastore.schema.by_id(instance.table_id)
            view = None if table is None else definition.find_view(table.name)
            if view is None:
                del self._instances[key]
            else:
                instance.view = view
                self._compute(instance)

    def expire(self) -> None:
        """Drop instances that nobody watches and nobody has asked for of late."""
        horizon = self._clock.monotonic() - KEPT_SECONDS
        old = [key for key, one in self._instances.items() if not one.watchers and one.used < horizon]
        for key in old:
            instance = self._instances.pop(key)
            self._database.datastore.begin()
            self._clear(instance)
            self._database.commit()
        self._database.turn.before_commit = bool(self._instances)

    # -- computing

    def _new_instance(self, view: TableDef, sender: bytes | None) -> _Instance:
        definition = self._database.definition.find_view(view.name)
        if definition is None:
            raise ViewError(f"failed to resolve view: the module has no view `{view.name}`")
        return _Instance(definition, view.id, sender)

    def _compute_alone(self, instance: _Instance) -> None:
        """In a transaction of its own, which changes no logged table and of which nobody is told."""
        datastore = self._database.datastore
        datastore.begin()
        try:
            self._compute(instance)
        except BaseException:
            datastore.rollback()
            self._database.replace_dead()
            raise
        datastore.commit()
        self._database.store.take_delta()

    def _compute(self, instance: _Instance) -> None:
        outcome = self._database.run_view(instance.view, instance.sender)
        if outcome.status is not Status.OK:
            raise ViewError(f"Error materializing view `{instance.view.full_name}`: {outcome.text}")
        if outcome.sql is not None:
            rows, reads = self._rows_of_query(instance.view, outcome.sql)
        else:
            rows, reads = self._rows_of_data(instance, outcome), self._tables_read(outcome)
        self._replace(instance, rows)
        instance.reads = reads

    def _rows_of_data(self, instance: _Instance, outcome: ViewOutcome) -> list[bytes]:
        """The rows of a BSATN array, each cut out as it is."""
        data = outcome.rows or b""
        table = self._database.datastore.schema.tables[instance.table_id]
        row_codec = codec(type(table.row_type)(table.row_type.elements[1:]))
        rows, at = [], ROW_COUNT_BYTES
        try:
            for _ in range(int.from_bytes(data[:ROW_COUNT_BYTES], "little")):
                _, end = row_codec.decode(data, at)
                rows.append(data[at:end])
                at = end
        except DecodeError as error:
            name = instance.view.full_name
            raise ViewError(f"Error materializing view `{name}`: {error}") from error
        return rows

    def _rows_of_query(self, view: ViewDef, sql: str) -> tuple[list[bytes], frozenset[int]]:
        """A view may also return SQL; it is run as the database itself, which sees everything."""
        if not sql.strip():
            return [], frozenset()
        database = self._database
        asking = Caller(bytes(database.datastore.database_identity), is_owner=True)
        try:
            statement = prepare_query(sql, asking, database.catalog)
            if statement.views:
                raise ViewError("view definition cannot read from other views")
            result = statement.run(database.store, self)
        except SqlError as error:
            raise ViewError(f"Error materializing view `{view.full_name}`: {error}") from error
        return result.rows, frozenset(
            variable.table.id for part in statement.parts for variable in part.plan.variables
        )

    def _tables_read(self, outcome: ViewOutcome) -> frozenset[int]:
        """Reads by index count as reads of the index's table: that may compute too often, never too seldom."""
        schema = self._database.datastore.schema
        of_index = {index.id: table.id for table in schema.tables.values() for index in table.indexes}
        return frozenset(read.id if read.whole_table else of_index[read.id] for read in outcome.reads)

    def _replace(self, instance: _Instance, rows: list[bytes]) -> None:
        """Set semantics make the difference: rows that were there before count as unchanged."""
        store, prefix = self._database.store, view_hash(instance.sender)
        self._clear(instance)
        try:
            for row in rows:
                store.insert(instance.table_id, prefix + row)
        except EngineError as error:
            raise ViewError(f"Error materializing view `{instance.view.full_name}`: {error}") from error

    def _clear(self, instance: _Instance) -> None:
        table = self._database.datastore.schema.tables.get(instance.table_id)
        if table is not None:
            index = next(index for index in table.indexes if index.columns == (0,))
            self._database.store.delete_seek(index.id, view_hash(instance.sender))
