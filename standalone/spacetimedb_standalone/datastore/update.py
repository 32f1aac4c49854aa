"""Carrying out a migration: the steps of a plan, on the data there is, inside one transaction.

The plan comes from comparing two definitions and is in order; this module knows what each kind of step does
to the system tables and the engine. Whatever cannot be done raises `UpdateError`, and the caller rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from spacetimedb_engine import EngineError, Store, UniqueViolation
from spacetimedb_lib.moduledef import (
    IndexDef,
    SequenceDef,
    TableAccess,
    TableDef,
    UniqueConstraintDef,
    ViewDef,
)
from spacetimedb_lib.moduledef.migrate import Plan, Step, StepKind, log_line
from spacetimedb_lib.moduledef.migrate.steps import Definition
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_standalone.datastore.definitions import Definitions
from spacetimedb_standalone.datastore.errors import InitError, UpdateError
from spacetimedb_standalone.datastore.initialization import RuleTarget, SystemLog, add_rule
from spacetimedb_standalone.datastore.schema import Constraint, Index, Schema, Sequence, Table
from spacetimedb_standalone.datastore.update_checks import duplicates, require_definition, require_room
from spacetimedb_standalone.datastore.view_definitions import (
    add_view,
    backing_row_type,
    drop_view,
    renew_view,
)
from spacetimedb_standalone.module_logs import Level

D = TypeVar("D", TableDef, ViewDef, IndexDef, UniqueConstraintDef, SequenceDef)
P = TypeVar("P", Index, Constraint, Sequence)


class Update:
    """One migration. `read_schema` gives the schema as the open transaction has it."""

    def __init__(
        self,
        store: Store,
        plan: Plan,
        read_schema: Callable[[], Schema],
        system_log: SystemLog,
        rule_target: RuleTarget,
    ) -> None:
        self._store, self._plan = store, plan
        self._read_schema, self._system_log, self._rule_target = read_schema, system_log, rule_target
        self._definitions = Definitions(store)

    def run(self) -> None:
        """Raises `UpdateError`."""
        schema = self._read_schema()
        require_definition(schema, self._plan.old)
        for check in self._plan.prechecks:
            require_room(self._store, schema, check)
        for step in self._plan.steps:
            line = log_line(step)
            if line is not None:
                self._system_log(Level.INFO, line)
            try:
                _ACTIONS[step.kind](self, step)
            except (EngineError, TypeRefError) as error:
                raise UpdateError(f"{step.kind.value} {step.full_name} failed: {error}") from error

    # --- finding what a step is about ---

    def _table(self, name: str) -> Table:
        table = self._read_schema().named(name)
        if table is None:
            raise UpdateError(f"table {name} not found")
        return table

    def _table_of(self, step: Step) -> Table:
        """The table that an index, constraint or sequence belongs to."""
        assert step.table is not None
        return self._table(step.table.full_name)

    # --- tables ---

    def _add_table(self, step: Step) -> None:
        self._definitions.add_table(_given(step.new, TableDef))

    def _remove_table(self, step: Step) -> None:
        table = self._table(step.full_name)
        if self._store.count(table.id):
            raise UpdateError(
                f"Cannot remove table `{table.name}`: table contains data. Clear the table's rows "
                "(e.g. via a reducer) before removing it from your schema."
            )
        self._definitions.drop_table(table.id)

    def _change_columns(self, step: Step) -> None:
        self._definitions.set_columns(self._table(step.full_name).id, _given(step.new, TableDef))

    def _add_columns(self, step: Step) -> None:
        """The table is made anew under another id, with what it has of indexes and so on at this point."""
        new = _given(step.new, TableDef)
        old = self._table(step.full_name)
        added = [column.default for column in new.columns[len(old.columns) :]]
        missing = b"".join(default for default in added if default is not None)
        rows = self._store.scan(old.id)
        states = {sequence.name: self._store.sequence_state(sequence.id) for sequence in old.sequences}
        indexes, constraints = _names(old.indexes), _names(old.constraints)
        self._definitions.drop_table(old.id)
        table_id = self._definitions.add_table(
            replace(
                new,
                indexes={name: part for name, part in new.indexes.items() if part.full_name in indexes},
                constraints={
                    name: part for name, part in new.constraints.items() if part.full_name in constraints
                },
                sequences={},
            )
        )
        for row in rows:
            self._store.insert(table_id, row + missing)
        for sequence in new.sequences.values():
            if sequence.full_name in states:
                self._definitions.add_sequence(table_id, sequence, states[sequence.full_name])

    def _change_access(self, step: Step) -> None:
        table = self._table(step.full_name)
        match step.new:
            case TableDef(access=access):
                self._definitions.set_access(table.id, access)
            case ViewDef() as view:
                access = TableAccess.PUBLIC if view.is_public else TableAccess.PRIVATE
                self._definitions.set_access(table.id, access)

    def _change_primary_key(self, step: Step) -> None:
        table = self._table(step.full_name)
        self._definitions.set_primary_key(table.id, _given(step.new, TableDef).primary_key)

    def _change_table_accessor(self, step: Step) -> None:
        self._definitions.set_table_accessor(step.full_name, _given(step.new, TableDef).full_accessor)

    def _change_column_accessor(self, step: Step) -> None:
        column = _given(step.new, TableDef).column(step.column or "")
        assert column is not None
        self._definitions.set_column_accessor(step.full_name, column.name, column.accessor)

    # --- what belongs to tables ---

    def _add_index(self, step: Step) -> None:
        index, table = _given(step.new, IndexDef), self._table_of(step)
        self._definitions.add_index(table.id, index, unique=_is_unique(table, index.columns))

    def _remove_index(self, step: Step) -> None:
        self._definitions.drop_index(_named(self._table_of(step).indexes, step.full_name))

    def _change_index_source_name(self, step: Step) -> None:
        self._definitions.set_index_accessor(step.full_name, _given(step.new, IndexDef).full_source_name)

    def _add_constraint(self, step: Step) -> None:
        constraint, table = _given(step.new, UniqueConstraintDef), self._table_of(step)
        try:
            for index in _over(table, constraint.columns):
                if not index.unique:
                    self._definitions.set_unique(index, True)
        except UniqueViolation as error:
            raise UpdateError(duplicates(self._store, table, constraint)) from error
        self._definitions.add_constraint(table.id, constraint)

    def _remove_constraint(self, step: Step) -> None:
        table = self._table_of(step)
        constraint = _named(table.constraints, step.full_name)
        self._definitions.drop_constraint(constraint.id)
        for index in _over(table, constraint.columns):
            self._definitions.set_unique(index, False)

    def _add_sequence(self, step: Step) -> None:
        self._definitions.add_sequence(self._table_of(step).id, _given(step.new, SequenceDef))

    def _remove_sequence(self, step: Step) -> None:
        self._definitions.drop_sequence(_named(self._table_of(step).sequences, step.full_name).id)

    # --- views and rules ---

    def _add_view(self, step: Step) -> None:
        add_view(self._store, self._definitions, _given(step.new, ViewDef))

    def _remove_view(self, step: Step) -> None:
        drop_view(self._definitions, self._table(step.full_name))

    def _update_view(self, step: Step) -> None:
        """Its rows are made anew by whoever runs views; the table only if its columns are not the same."""
        view, schema = _given(step.new, ViewDef), self._read_schema()
        if self._table(step.full_name).row_type != backing_row_type(view):
            renew_view(self._store, self._definitions, schema, view)

    def _add_rule(self, step: Step) -> None:
        self._read_schema()  # rules are looked at with the tables as they are now
        try:
            add_rule(self._definitions, step.name, self._rule_target)
        except InitError as error:
            raise UpdateError(str(error)) from error

    def _remove_rule(self, step: Step) -> None:
        self._definitions.drop_rule(step.name)

    def _nothing(self, step: Step) -> None:
        """The step concerns those who use the data, not the data."""

    def _refuse_adding_schedule(self, step: Step) -> None:
        raise UpdateError("Adding schedules is not yet implemented")

    def _refuse_removing_schedule(self, step: Step) -> None:
        raise UpdateError("Removing schedules is not yet implemented")


def _given(definition: Definition | None, kind: type[D]) -> D:
    """The definition that a step of its kind always has."""
    if not isinstance(definition, kind):
        raise TypeError(f"a step comes with {definition!r} where a {kind.__name__} is due")
    return definition


def _named(parts: Iterable[P], name: str) -> P:
    for part in parts:
        if part.name == name:
            return part
    raise UpdateError(f"{name} not found")


def _names(parts: Iterable[Index | Constraint]) -> set[str]:
    return {part.name for part in parts}


def _over(table: Table, columns: tuple[int, ...]) -> list[Index]:
    """The indexes over this set of columns."""
    return [index for index in table.indexes if frozenset(index.columns) == frozenset(columns)]


def _is_unique(table: Table, columns: tuple[int, ...]) -> bool:
    return any(frozenset(constraint.columns) == frozenset(columns) for constraint in table.constraints)


_ACTIONS: dict[StepKind, Callable[[Update, Step], None]] = {
    StepKind.REMOVE_INDEX: Update._remove_index,
    StepKind.REMOVE_CONSTRAINT: Update._remove_constraint,
    StepKind.REMOVE_SEQUENCE: Update._remove_sequence,
    StepKind.REMOVE_SCHEDULE: Update._refuse_removing_schedule,
    StepKind.REMOVE_VIEW: Update._remove_view,
    StepKind.REMOVE_ROW_LEVEL_SECURITY: Update._remove_rule,
    StepKind.REMOVE_TABLE: Update._remove_table,
    StepKind.CHANGE_COLUMNS: Update._change_columns,
    StepKind.RESCHEMA_EVENT_TABLE: Update._change_columns,
    StepKind.ADD_COLUMNS: Update._add_columns,
    StepKind.CHANGE_INDEX_SOURCE_NAME: Update._change_index_source_name,
    StepKind.CHANGE_TABLE_ACCESSOR_NAME: Update._change_table_accessor,
    StepKind.CHANGE_OUTBOX: Update._nothing,
    StepKind.CHANGE_COLUMN_ACCESSOR_NAME: Update._change_column_accessor,
    StepKind.ADD_TABLE: Update._add_table,
    StepKind.ADD_INDEX: Update._add_index,
    StepKind.ADD_CONSTRAINT: Update._add_constraint,
    StepKind.ADD_SEQUENCE: Update._add_sequence,
    StepKind.ADD_SCHEDULE: Update._refuse_adding_schedule,
    StepKind.ADD_VIEW: Update._add_view,
    StepKind.ADD_ROW_LEVEL_SECURITY: Update._add_rule,
    StepKind.CHANGE_ACCESS: Update._change_access,
    StepKind.CHANGE_PRIMARY_KEY: Update._change_primary_key,
    StepKind.UPDATE_VIEW: Update._update_view,
    StepKind.DISCONNECT_ALL_USERS: Update._nothing,
}
