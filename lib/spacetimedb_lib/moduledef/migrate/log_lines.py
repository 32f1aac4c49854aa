"""What the log of a database says while a migration is carried out."""

from __future__ import annotations

from spacetimedb_lib.moduledef.migrate.steps import Step, StepKind
from spacetimedb_lib.moduledef.tables import IndexDef, TableDef

_LINES = {
    StepKind.REMOVE_INDEX: "Dropping index `{name}` on table `{table}`",
    StepKind.REMOVE_CONSTRAINT: "Dropping constraint `{name}` on table `{table}`",
    StepKind.REMOVE_SEQUENCE: "Dropping sequence `{name}` from table `{table}`",
    StepKind.REMOVE_ROW_LEVEL_SECURITY: "Removing row-level security `{name}`",
    StepKind.REMOVE_TABLE: "Dropping table `{name}`",
    StepKind.CHANGE_COLUMNS: "Changing columns of table `{name}`",
    StepKind.RESCHEMA_EVENT_TABLE: "Changing schema of event table `{name}`",
    StepKind.CHANGE_INDEX_SOURCE_NAME: (
        "Changing index source name for `{name}` on table `{table}` from `{old}` to `{new}`"
    ),
    StepKind.CHANGE_TABLE_ACCESSOR_NAME: "Changing table accessor name for `{name}` to `{new}`",
    StepKind.CHANGE_COLUMN_ACCESSOR_NAME: (
        "Changing column accessor name for `{name}`.`{column}` to `{new}`"
    ),
    StepKind.ADD_TABLE: "Creating table `{name}`",
    StepKind.ADD_INDEX: "Creating index `{name}` on table `{table}`",
    StepKind.ADD_CONSTRAINT: "Adding constraint `{name}` on table `{table}`",
    StepKind.ADD_SEQUENCE: "Adding sequence `{name}` to table `{table}`",
    StepKind.ADD_ROW_LEVEL_SECURITY: "Adding row-level security `{name}`",
    StepKind.CHANGE_PRIMARY_KEY: "Changing primary key for table `{name}`",
    StepKind.DISCONNECT_ALL_USERS: "Disconnecting all users",
}


def log_line(step: Step) -> str | None:
    """The line (level info) that announces a step; None for steps that go without."""
    line = _LINES.get(step.kind)
    if line is None:
        return None
    table = "" if step.table is None else step.table.full_name
    old, new = _aliases(step)
    return line.format(name=step.full_name, table=table, column=step.column, old=old, new=new)


def _aliases(step: Step) -> tuple[str, str]:
    """The name in the source before and after, of an index, a column or a table."""
    match step:
        case Step(old=IndexDef() as old_index, new=IndexDef() as new_index):
            return old_index.full_source_name, new_index.full_source_name
        case Step(old=TableDef() as old, new=TableDef() as new, column=str(column)):
            before, after = old.column(column), new.column(column)
            return before.accessor if before else "", after.accessor if after else ""
        case Step(old=TableDef() as old, new=TableDef() as new):
            return old.full_accessor, new.full_accessor
    return "", ""
