"""A plan as text for the one who publishes.

Lines are those of the public system. Steps that change nothing that a publisher could see (views that are
only computed again, rules that stay) are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spacetimedb_lib.moduledef.functions import ViewDef
from spacetimedb_lib.moduledef.migrate.debug_value import debug_value
from spacetimedb_lib.moduledef.migrate.errors import PlanFormatError
from spacetimedb_lib.moduledef.migrate.paint import PAINTERS, Paint, Painter, Style
from spacetimedb_lib.moduledef.migrate.steps import Plan, Step, StepKind
from spacetimedb_lib.moduledef.raw_common import TableType
from spacetimedb_lib.moduledef.tables import (
    ColumnDef,
    IndexDef,
    ScheduleDef,
    SequenceDef,
    TableDef,
    UniqueConstraintDef,
)
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.type_forms import type_text

_RULE = "━" * 60
_BULLET = "▸ "
_ITEM = "        • "


def pretty(plan: Plan, style: Style = Style.ANSI_COLOR) -> str:
    """The plan as text.

    Raises `PlanFormatError` when it has a step for which there are no words, or a recursive type to show.
    """
    printer = _Printer(plan, PAINTERS[style])
    lines = [_RULE, printer.paint(Paint.TITLE, "Database Migration Plan"), _RULE, ""]
    try:
        for step in plan.steps:
            lines += printer.step(step)
    except TypeRefError as error:
        raise PlanFormatError(str(error)) from error
    return "".join(f"{line}\n" for line in lines)


class _Printer:
    def __init__(self, plan: Plan, paint: Painter) -> None:
        self.paint = paint
        self._plan = plan
        old, new = plan.old.row_level_security, plan.new.row_level_security
        self._kept_rules = set(old) & set(new)

    def step(self, step: Step) -> Iterable[str]:
        """The lines of one step."""
        match step:
            case Step(kind=StepKind.ADD_TABLE, new=TableDef() as table):
                return self._created_table(table)
            case Step(kind=StepKind.REMOVE_TABLE):
                return [f"{_BULLET}{self._removed} table: {self._name(step.full_name)}", ""]
            case Step(kind=StepKind.ADD_VIEW, new=ViewDef() as view):
                return self._view(self._created, view)
            case Step(kind=StepKind.REMOVE_VIEW, old=ViewDef() as view):
                return self._view(self._removed, view)
            case Step(kind=StepKind.ADD_ROW_LEVEL_SECURITY | StepKind.REMOVE_ROW_LEVEL_SECURITY):
                return self._rule(step)
            case Step(table=TableDef() as table):
                return [f"{_BULLET}{self._action(step)} {self._part(step, table)}"]
            case Step(old=TableDef() as old, new=TableDef() as new):
                return self._changed_table(step, old, new)
            case Step(kind=StepKind.DISCONNECT_ALL_USERS):
                warning = "!!! Warning: All clients will be disconnected due to breaking schema changes"
                return [self.paint(Paint.WARNING, warning)]
            case Step(kind=StepKind.CHANGE_ACCESS):
                # A view. The public system has no words for it either and answers with this error.
                raise PlanFormatError(f"Table not found: {step.full_name}")
        return []

    # --- words ---

    @property
    def _created(self) -> str:
        return self.paint(Paint.CREATED, "Created")

    @property
    def _removed(self) -> str:
        return self.paint(Paint.REMOVED, "Removed")

    @property
    def _changed(self) -> str:
        return self.paint(Paint.CHANGED, "Changed")

    def _action(self, step: Step) -> str:
        if step.old is not None and step.new is not None:
            return self._changed
        return self._created if step.old is None else self._removed

    def _name(self, name: str) -> str:
        return self.paint(Paint.NAME, name)

    def _typed(self, name: str, text: str) -> str:
        return f"{name}: {self.paint(Paint.TYPE, text)}"

    def _section(self, header: str, items: Iterable[str]) -> Iterator[str]:
        """A list under a header; nothing when it is empty."""
        for position, item in enumerate(items):
            if position == 0:
                yield f"    {self.paint(Paint.HEADER, header)}"
            yield _ITEM + item

    def _columns(self, columns: Iterable[ColumnDef]) -> list[str]:
        return [self._typed(column.name, type_text(column.resolved)) for column in columns]

    # --- tables ---

    def _created_table(self, table: TableDef) -> Iterator[str]:
        kind = "system" if table.table_type is TableType.SYSTEM else "user"
        access = self.paint(Paint.ACCESS, table.access.value.lower())
        yield f"{_BULLET}{self._created} {kind} table: {self._name(table.full_name)} ({access})"
        yield from self._section("Columns:", self._columns(table.columns))
        yield from self._section("Unique constraints:", _named_columns(table, table.constraints.values()))
        yield from self._section("Indexes:", _named_columns(table, table.indexes.values()))
        sequences = sorted(table.sequences.values(), key=lambda sequence: sequence.name)
        numbered = [f"{sequence.name} on {table.columns[sequence.column].name}" for sequence in sequences]
        yield from self._section("Auto-increment constraints:", numbered)
        if table.schedule is not None:
            yield from self._section("Schedule:", [f"Calls {_call(table.schedule, ': ')}"])
        yield ""

    def _changed_table(self, step: Step, old: TableDef, new: TableDef) -> Iterator[str]:
        name = self._name(new.full_name)
        match step.kind:
            case StepKind.CHANGE_COLUMNS:
                yield f"{_BULLET}{self._changed} columns for table {name}"
                yield from self._modified_columns(old, new)
            case StepKind.RESCHEMA_EVENT_TABLE:
                yield f"{_BULLET}{self._changed} schema of event table {name}"
            case StepKind.ADD_COLUMNS:
                added = new.columns[len(old.columns) :]
                plural = "s" if len(added) > 1 else ""
                yield f"{_BULLET}{self._created} column{plural} in table {name}"
                yield from map(self._added_column, added)
            case StepKind.CHANGE_TABLE_ACCESSOR_NAME:
                yield f"{_BULLET}{self._changed} table accessor name for {name}"
            case StepKind.CHANGE_COLUMN_ACCESSOR_NAME:
                column = self.paint(Paint.COLUMN, str(step.column))
                yield f"{_BULLET}{self._changed} column accessor name for {name}.{column}"
            case StepKind.CHANGE_ACCESS:
                direction = f"{old.access.value.lower()} → {new.access.value.lower()}"
                accesses = self.paint(Paint.ACCESS, direction)
                yield f"{_BULLET}{self._changed} access for table {name} ({accesses})"
            case StepKind.CHANGE_PRIMARY_KEY:
                yield f"{_BULLET}{self._changed} primary key on table {name} ({_key_change(old, new)})"

    def _modified_columns(self, old: TableDef, new: TableDef) -> Iterator[str]:
        """Columns whose declared types differ; a change behind a reference does not show."""
        for before, after in zip(old.columns, new.columns, strict=False):
            if before.type != after.type:
                types = (type_text(before.resolved), type_text(after.resolved))
                painted = " → ".join(self.paint(Paint.TYPE, text) for text in types)
                yield f"    ~ Modified: {after.name} ({painted})"

    def _added_column(self, column: ColumnDef) -> str:
        line = f"    + {self._typed(column.name, type_text(column.resolved))}"
        if column.default is None:
            return line
        value, _ = codec(column.resolved).decode(column.default)
        return f"{line} (default: {debug_value(column.resolved, value)})"

    def _part(self, step: Step, table: TableDef) -> str:
        """An index, constraint, sequence or schedule, and its table."""
        name = self._name(table.full_name)
        match step.new or step.old:
            case IndexDef() as index:
                return f"index {_on_columns(table, index)} of table {name}"
            case UniqueConstraintDef() as constraint:
                return f"unique constraint {_on_columns(table, constraint)} of table {name}"
            case SequenceDef() as sequence:
                column = table.columns[sequence.column].name
                return f"auto-increment constraint {sequence.name} on column {column} of table {name}"
            case ScheduleDef() as schedule:
                return f"schedule for table {name} calling {_call(schedule, ' ')}"
        raise PlanFormatError(f"no words for {step.kind.value}")

    # --- views and rules ---

    def _view(self, action: str, view: ViewDef) -> Iterator[str]:
        kind = "anonymous view" if view.is_anonymous else "view"
        yield f"{_BULLET}{_BULLET}{action} {kind}: {self._name(view.full_name)}"
        params = zip(view.param_names, map(type_text, view.resolved_params), strict=True)
        yield from self._section("Parameters:", (self._typed(name, text) for name, text in params))
        yield from self._section("Columns:", self._columns(view.columns))
        yield ""

    def _rule(self, step: Step) -> Iterator[str]:
        if step.name not in self._kept_rules:
            action = self._created if step.kind is StepKind.ADD_ROW_LEVEL_SECURITY else self._removed
            yield f"{_BULLET}{action} row level security policy:"
            yield f"    `{self.paint(Paint.SQL, step.name)}`"


def _on_columns(table: TableDef, part: IndexDef | UniqueConstraintDef) -> str:
    return f"{part.name} on [{', '.join(table.columns[column].name for column in part.columns)}]"


def _named_columns(table: TableDef, parts: Iterable[IndexDef | UniqueConstraintDef]) -> list[str]:
    return [_on_columns(table, part) for part in sorted(parts, key=lambda part: part.name)]


def _call(schedule: ScheduleDef, separator: str) -> str:
    return f"{schedule.function_kind.value}{separator}{schedule.function}"


def _key_change(old: TableDef, new: TableDef) -> str:
    if new.primary_key is None:
        return "removed"
    return f"{'added on' if old.primary_key is None else 'changed to'} column {new.primary_key}"
