"""What becomes of one table that both definitions have, apart from its indexes, constraints and sequences."""

from __future__ import annotations

from spacetimedb_lib.moduledef.migrate.column_types import TypeComparison
from spacetimedb_lib.moduledef.migrate.errors import MigrationError, migration_error
from spacetimedb_lib.moduledef.migrate.steps import Step, StepKind
from spacetimedb_lib.moduledef.tables import ColumnDef, ScheduleDef, TableDef
from spacetimedb_lib.sats.errors import TypeRefError


class TableChanges:
    """The steps for one table, what forbids them, and whether they break clients.

    Event tables keep no rows, so their columns may change in every way; only clients suffer.
    """

    def __init__(self, old: TableDef, new: TableDef) -> None:
        self.steps: list[Step] = []
        self.errors: list[MigrationError] = []
        self.breaks_clients = False
        self._old = old
        self._new = new
        self._types_changed = False
        self._columns_added = False
        self._layout_changed = False
        self._compare_table()
        self._compare_schedules()
        self._compare_outboxes()
        self._compare_columns()

    def _compare_table(self) -> None:
        old, new = self._old, self._new
        if old.table_type is not new.table_type:
            self._refuse("ChangeTableType", old=old.table_type, new=new.table_type)
        if old.is_event != new.is_event:
            self._refuse("ChangeTableEventFlag")
        if old.access is not new.access:
            self._step(StepKind.CHANGE_ACCESS)
        if old.primary_key != new.primary_key:
            self._step(StepKind.CHANGE_PRIMARY_KEY)
        if old.full_accessor != new.full_accessor:
            self._step(StepKind.CHANGE_TABLE_ACCESSOR_NAME)

    def _compare_schedules(self) -> None:
        old, new = self._old.schedule, self._new.schedule
        if old is not None and new is not None and _schedule_key(old) == _schedule_key(new):
            return
        if old is not None:
            self.steps.append(
                Step(StepKind.REMOVE_SCHEDULE, old.name, old.namespace, old=old, table=self._old)
            )
        if new is not None:
            self.steps.append(Step(StepKind.ADD_SCHEDULE, new.name, new.namespace, new=new, table=self._new))

    def _compare_outboxes(self) -> None:
        old, new = self._old.outbox, self._new.outbox
        if old == new:
            return
        if old is None:
            self._refuse("AddOutbox")
        elif new is None:
            self._refuse("RemoveOutbox")
        elif self._old.primary_key != self._new.primary_key:
            self._refuse("ChangeOutboxPrimaryKey", old=self._old.primary_key, new=self._new.primary_key)
        elif old.target_column != new.target_column:
            self._refuse("ChangeOutboxTargetColumn", old=old.target_column, new=new.target_column)
        else:
            self._step(StepKind.CHANGE_OUTBOX)

    # --- columns ---

    def _compare_columns(self) -> None:
        old_columns = {column.name: column for column in self._old.columns}
        new_columns = {column.name: column for column in self._new.columns}
        for column in self._old.columns:
            successor = new_columns.get(column.name)
            if successor is None:
                self._lose_column(column)
            else:
                self._compare_column(column, successor)
        for column in self._new.columns:
            if column.name not in old_columns:
                self._gain_column(column)
        if self._layout_changed:
            self.breaks_clients = True
            self._step(StepKind.RESCHEMA_EVENT_TABLE)
        elif self._columns_added:
            self.breaks_clients = True
            self._step(StepKind.ADD_COLUMNS)
        elif self._types_changed:
            self._step(StepKind.CHANGE_COLUMNS)

    def _lose_column(self, column: ColumnDef) -> None:
        if self._old.is_event:
            self._layout_changed = True
        else:
            self._refuse("RemoveColumn", column=column.name)

    def _gain_column(self, column: ColumnDef) -> None:
        if self._old.is_event:
            self._layout_changed = True
        elif column.default is None:
            self._refuse("AddColumn", column=column.name)
        else:
            self._columns_added = True

    def _compare_column(self, old: ColumnDef, new: ColumnDef) -> None:
        moved = old.position != new.position
        if moved and not self._old.is_event:
            self._refuse("ReorderTable")
        if old.accessor != new.accessor:
            self._step(StepKind.CHANGE_COLUMN_ACCESSOR_NAME, column=old.name)
        try:
            types = TypeComparison(self._old.name, old.name, old.resolved, new.resolved)
        except TypeRefError as error:
            self._refuse("UnstorableColumnType", column=new.name, error=error)
            return
        if self._old.is_event:
            self._layout_changed |= moved or types.changed or bool(types.errors)
        else:
            self._types_changed |= types.changed
            self.errors += types.errors

    def _step(self, kind: StepKind, column: str | None = None) -> None:
        self.steps.append(
            Step(kind, self._new.name, self._new.namespace, self._old, self._new, column=column)
        )

    def _refuse(self, kind: str, **parts: object) -> None:
        self.errors.append(migration_error(kind, table=self._old.name, **parts))


def _schedule_key(schedule: ScheduleDef) -> tuple[object, ...]:
    """What makes two schedules of one table the same."""
    return schedule.name, schedule.at_column, schedule.id_column, schedule.function, schedule.function_kind
