"""INSERT, UPDATE, DELETE and SET: checked, then applied to a store inside a transaction.

They find their rows on the old state, delete, then insert; whoever runs them rolls back if they raise.

The rows of system tables say what the database is made of. The server keeps them in step with what it has built by
them, and one that was changed behind its back would not start again. So all of them are closed to SQL but
`st_var`; a statement that finds nothing to change is carried out, since clients try whether they may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spacetimedb_engine.errors import UniqueViolation

from .binding import Binding
from .checking import check_filter, find_table
from .errors import SqlForbidden, SqlNameError, SqlTypeError
from .executable import Executable
from .forms import DeleteForm, InsertForm, SetForm, UpdateForm
from .functions import replacement
from .literals import row_limit_value, typed_value
from .plan import plan
from .results import SqlResult
from .schema import Caller, Catalog, Store, TableDef, View, Views
from .variables import VARIABLES, variable_row, variables_table
from .violations import unique_violation


@dataclass(frozen=True)
class InsertStatement:
    table: TableDef
    rows: tuple[bytes, ...]

    writes = True
    views: tuple[TableDef, ...] = ()

    def run(self, store: Store, views: Views) -> SqlResult:
        _require_open(self.table, bool(self.rows))
        before = store.count(self.table.id)
        for row in self.rows:
            _insert(store, self.table, row)
        # A row that is there already is not inserted again.
        return SqlResult(inserted=store.count(self.table.id) - before)


@dataclass(frozen=True)
class DeleteStatement:
    table: TableDef
    matching: Executable

    writes = True
    views: tuple[TableDef, ...] = ()

    def run(self, store: Store, views: Views) -> SqlResult:
        rows = [row for (row,) in self.matching.joined(store)]
        _require_open(self.table, bool(rows))
        return SqlResult(deleted=sum(store.delete(self.table.id, row) for row in rows))


@dataclass(frozen=True)
class UpdateStatement:
    table: TableDef
    matching: Executable
    change: Callable[[bytes], bytes]

    writes = True
    views: tuple[TableDef, ...] = ()

    def run(self, store: Store, views: Views) -> SqlResult:
        rows = [row for (row,) in self.matching.joined(store)]
        _require_open(self.table, bool(rows))
        for row in rows:
            store.delete(self.table.id, row)
        for row in rows:
            _insert(store, self.table, self.change(row))
        return SqlResult(updated=len(rows))


def prepare_insert(form: InsertForm, catalog: Catalog, caller: Caller) -> InsertStatement:
    table = _writable(form.table, catalog, caller)
    width = len(table.columns)
    if form.field_count != width:
        raise SqlTypeError(
            f"The number of fields ({form.field_count}) in the INSERT does not match the number of columns "
            f"({width}) of the table `{table.name}`"
        )
    rows = []
    for literals in form.rows:
        if len(literals) != width:
            raise SqlTypeError(
                f"Inserting a row with {len(literals)} values into `{table.name}` which has {width} fields"
            )
        # Values belong to columns by position; the names before VALUES are only counted.
        values = (
            typed_value(literal, column.type) for literal, column in zip(literals, table.columns, strict=True)
        )
        rows.append(b"".join(values))
    _authorize(caller)
    return InsertStatement(table, tuple(rows))


def prepare_delete(form: DeleteForm, catalog: Catalog, caller: Caller) -> DeleteStatement:
    table = _writable(form.table, catalog, caller)
    relation = check_filter(form.where, form.table, table)
    _authorize(caller)
    return DeleteStatement(table, Executable(plan(relation), Binding(caller.identity)))


def prepare_update(form: UpdateForm, catalog: Catalog, caller: Caller) -> UpdateStatement:
    table = _writable(form.table, catalog, caller)
    values: dict[int, bytes] = {}
    for name, literal in form.changes:
        position = table.position_of(name)
        if position is None:
            raise SqlNameError(f"`{table.name}` does not have a field `{name}`")
        values.setdefault(position, typed_value(literal, table.columns[position].type))
    relation = check_filter(form.where, form.table, table)
    _authorize(caller)
    matching = Executable(plan(relation), Binding(caller.identity))
    return UpdateStatement(table, matching, replacement(table, values))


def prepare_set(form: SetForm, catalog: Catalog, caller: Caller) -> InsertStatement:
    """A system variable is a row of `st_var`; one that is set already has to be deleted first."""
    table = variables_table(form.variable, catalog, caller)
    value = row_limit_value(form.value)
    _authorize(caller)
    return InsertStatement(table, (variable_row(table, form.variable, value),))


def _insert(store: Store, table: TableDef, row: bytes) -> None:
    try:
        store.insert(table.id, row)
    except UniqueViolation as violation:
        raise unique_violation(table, violation.index_id, row) from violation


def _writable(name: str, catalog: Catalog, caller: Caller) -> TableDef:
    table = find_table(name, catalog, caller)
    if table.view is not View.NONE:
        raise SqlTypeError(f"`{table.name}` is a view; DML on views is not supported")
    return table


def _require_open(table: TableDef, changes: bool) -> None:
    if changes and table.system and table.name != VARIABLES:
        raise SqlForbidden(
            f"`{table.name}` is kept by the server: of the system tables, SQL may write only `{VARIABLES}`"
        )


def _authorize(caller: Caller) -> None:
    if not caller.is_owner:
        identity = caller.identity[::-1].hex()
        raise SqlForbidden(f"Caller {identity} is not authorized to run SQL DML statements")
