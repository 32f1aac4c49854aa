"""Planning an automatic migration: everything that differs becomes a step or an error.

Tables, views, indexes, constraints and sequences are the same thing in both definitions if they have the same
qualified canonical name. What belongs to a table that comes or goes has no steps of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from spacetimedb_lib.moduledef.definition import ModuleDef
from spacetimedb_lib.moduledef.functions import ViewDef
from spacetimedb_lib.moduledef.migrate.errors import MigrationError, MigrationErrors, migration_error
from spacetimedb_lib.moduledef.migrate.steps import Definition, Plan, Precheck, Step, StepKind
from spacetimedb_lib.moduledef.migrate.table_changes import TableChanges
from spacetimedb_lib.moduledef.migrate.view_changes import is_same_view
from spacetimedb_lib.moduledef.tables import IndexDef, SequenceDef, TableDef, UniqueConstraintDef
from spacetimedb_lib.sats.display import quoted

Part = TypeVar("Part", IndexDef, UniqueConstraintDef, SequenceDef)


def plan_migration(old: ModuleDef, new: ModuleDef) -> Plan:
    """The steps that turn a database of `old` into one of `new`. Raises `MigrationErrors`."""
    planner = _Planner(old, new)
    planner.views()
    planner.tables()
    planner.indexes()
    planner.sequences()
    planner.constraints()
    planner.row_level_security()
    return planner.finish()


class _Planner:
    def __init__(self, old: ModuleDef, new: ModuleDef) -> None:
        self._old = old
        self._new = new
        self._old_tables = {table.full_name: table for table in old.all_tables}
        self._new_tables = {table.full_name: table for table in new.all_tables}
        self._steps: list[Step] = []
        self._prechecks: list[Precheck] = []
        self._errors: list[MigrationError] = []
        self._disconnects = False

    def finish(self) -> Plan:
        if self._errors:
            raise MigrationErrors(self._errors)
        if self._disconnects:
            self._steps.append(Step(StepKind.DISCONNECT_ALL_USERS))
        return Plan(
            old=self._old,
            new=self._new,
            steps=tuple(sorted(self._steps, key=lambda step: step.rank)),
            prechecks=tuple(sorted(self._prechecks, key=lambda check: check.full_name)),
        )

    # --- views and tables ---

    def views(self) -> None:
        old_views = {view.full_name: view for view in self._old.all_views}
        new_views = {view.full_name: view for view in self._new.all_views}
        for name in old_views.keys() | new_views.keys():
            self._view(old_views.get(name), new_views.get(name))

    def _view(self, old: ViewDef | None, new: ViewDef | None) -> None:
        if old is not None and new is not None:
            if old.is_public != new.is_public:
                self._add(StepKind.CHANGE_ACCESS, old, new)
            if is_same_view(old, new):
                self._add(StepKind.UPDATE_VIEW, old, new)
                return
        if old is not None:
            self._add(StepKind.REMOVE_VIEW, old, None)
            self._disconnects = True
        if new is not None:
            self._add(StepKind.ADD_VIEW, None, new)

    def tables(self) -> None:
        for name, old in self._old_tables.items():
            if name not in self._new_tables:
                self._add(StepKind.REMOVE_TABLE, old, None)
                self._disconnects = True
        for name, new in self._new_tables.items():
            if name not in self._old_tables:
                self._add(StepKind.ADD_TABLE, None, new)
            else:
                changes = TableChanges(self._old_tables[name], new)
                self._steps += changes.steps
                self._errors += changes.errors
                self._disconnects |= changes.breaks_clients

    # --- parts of tables ---

    def indexes(self) -> None:
        for table, old, new in self._parts(lambda table: table.indexes):
            if old is None or new is None:
                self._replace(StepKind.REMOVE_INDEX, StepKind.ADD_INDEX, table, old, new)
            elif old.accessor != new.accessor:
                error = migration_error(
                    "ChangeIndexAccessor",
                    index=old.name,
                    old=_optional(old.accessor),
                    new=_optional(new.accessor),
                )
                self._errors.append(error)
            elif (old.kind, old.columns) != (new.kind, new.columns):
                self._replace(StepKind.REMOVE_INDEX, StepKind.ADD_INDEX, table, old, new)
            elif old.full_source_name != new.full_source_name:
                self._add(StepKind.CHANGE_INDEX_SOURCE_NAME, old, new, table)

    def sequences(self) -> None:
        for table, old, new in self._parts(lambda table: table.sequences):
            if old is None or new is None or _numbers(old) != _numbers(new):
                self._replace(StepKind.REMOVE_SEQUENCE, StepKind.ADD_SEQUENCE, table, old, new)
                if new is not None:
                    self._prechecks.append(Precheck(table, new))

    def constraints(self) -> None:
        for table, old, new in self._parts(lambda table: table.constraints):
            if old is None or new is None:
                self._replace(StepKind.REMOVE_CONSTRAINT, StepKind.ADD_CONSTRAINT, table, old, new)
            elif old.columns != new.columns:
                self._errors.append(migration_error("ChangeUniqueConstraint", constraint=old.name))

    def _parts(
        self, parts_of: Callable[[TableDef], Mapping[str, Part]]
    ) -> Iterable[tuple[TableDef, Part | None, Part | None]]:
        """(new table, old part, new part) of the tables that stay; names are unique within a module."""
        for name, new_table in self._new_tables.items():
            if name in self._old_tables:
                old_parts: Mapping[str, Part] = parts_of(self._old_tables[name])
                new_parts: Mapping[str, Part] = parts_of(new_table)
                for part in dict.fromkeys((*old_parts, *new_parts)):
                    yield new_table, old_parts.get(part), new_parts.get(part)

    def _replace(
        self,
        removal: StepKind,
        addition: StepKind,
        table: TableDef,
        old: IndexDef | UniqueConstraintDef | SequenceDef | None,
        new: IndexDef | UniqueConstraintDef | SequenceDef | None,
    ) -> None:
        if old is not None:
            self._add(removal, old, None, self._old_tables[table.full_name])
        if new is not None:
            self._add(addition, None, new, table)

    # --- row level security ---

    def row_level_security(self) -> None:
        """A rule may mention any table, so all are removed and added again around the changes."""
        old, new = self._old.row_level_security, self._new.row_level_security
        self._steps += (Step(StepKind.REMOVE_ROW_LEVEL_SECURITY, sql) for sql in old)
        self._steps += (Step(StepKind.ADD_ROW_LEVEL_SECURITY, sql) for sql in new)
        self._disconnects |= set(old) != set(new)

    def _add(
        self, kind: StepKind, old: Definition | None, new: Definition | None, table: TableDef | None = None
    ) -> None:
        subject = new or old
        if subject is not None:
            self._steps.append(Step(kind, subject.name, subject.namespace, old, new, table))


def _numbers(sequence: SequenceDef) -> tuple[int | None, ...]:
    return sequence.column, sequence.start, sequence.min_value, sequence.max_value, sequence.increment


def _optional(name: str | None) -> str:
    return "None" if name is None else f"Some({quoted(name)})"
