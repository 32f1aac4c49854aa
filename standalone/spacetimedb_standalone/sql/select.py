"""SELECT: planned for a caller, held to the row limit, run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from .binding import Binding
from .errors import SqlPlanError
from .estimate import rows_read
from .executable import Executable
from .functions import column_key, projection
from .plan import Plan, plan
from .relation import CountOf, Fields, Relation, Selection, WholeRow
from .results import SqlResult
from .rules import visible_parts
from .schema import Caller, Catalog, Rows, TableDef, View, Views
from .variables import row_limit


@dataclass(frozen=True)
class SelectStatement:
    """A query ready to run. `parts` are what row-level rules made of it: their results together are it."""

    selection: Selection
    parts: tuple[Executable, ...]
    caller: Caller
    catalog: Catalog

    writes = False

    @property
    def views(self) -> tuple[TableDef, ...]:
        return views_of([part.plan for part in self.parts])

    @property
    def table(self) -> TableDef:
        """The table whose rows a query of the subscription language returns."""
        assert isinstance(self.selection.output, WholeRow)
        return self.selection.output.variable.table

    def run(self, store: Rows, views: Views) -> SqlResult:
        """Raises SqlPlanError if more rows would be read than this caller may have read."""
        materialize(self.views, views, self.caller)
        limit = self.selection.limit
        whole = isinstance(self.selection.output, WholeRow)
        check_row_limit(
            [part.plan for part in self.parts], limit if whole else None, self.catalog, self.caller, store
        )
        rows = self._rows(store)
        return SqlResult(self.selection.schema, list(rows if limit is None else islice(rows, limit)))

    def _rows(self, store: Rows) -> Iterator[bytes]:
        match self.selection.output:
            case CountOf():
                total = sum(part.count(store) for part in self.parts)
                return iter((total.to_bytes(8, "little"),))
            case WholeRow(variable):
                return chain.from_iterable(part.rows_of(variable, store) for part in self.parts)
            case Fields(items):
                columns = [column for column, _ in items]
                return chain.from_iterable(
                    map(projection(part.plan.variables, columns), part.joined(store)) for part in self.parts
                )


def prepare_select(selection: Selection, catalog: Catalog, caller: Caller) -> SelectStatement:
    parts = executables(selection.relation, catalog, caller)
    return SelectStatement(selection, tuple(parts), caller, catalog)


def executables(relation: Relation, catalog: Catalog, caller: Caller) -> list[Executable]:
    binding = Binding(caller.identity)
    return [Executable(plan(part), binding) for part in visible_parts(relation, catalog, caller)]


def views_of(plans: Sequence[Plan]) -> tuple[TableDef, ...]:
    """The views that some plans read, each once."""
    tables = [variable.table for each in plans for variable in each.variables]
    return tuple({table.id: table for table in tables if table.view is not View.NONE}.values())


def view_sender(view: TableDef, caller: Caller) -> bytes | None:
    """Whose instance of a view this caller sees."""
    return caller.identity if view.view is View.SENDER else None


def materialize(read: Sequence[TableDef], views: Views, caller: Caller) -> None:
    for view in read:
        views.materialize(view, view_sender(view, caller))


def check_row_limit(
    plans: Sequence[Plan], limit: int | None, catalog: Catalog, caller: Caller, store: Rows
) -> None:
    """`limit` is the LIMIT of a query for whole rows. Raises SqlPlanError; the owner has no row limit."""
    if caller.is_owner:
        return
    most = row_limit(catalog, store)
    if most is None:
        return
    statistics = StoreStatistics(catalog, store)
    estimate = sum(rows_read(each, limit, statistics) for each in plans)
    if estimate > most:
        raise SqlPlanError(f"Estimated cardinality ({estimate} rows) exceeds limit ({most} rows)")


class StoreStatistics:
    """Figures of a store. Distinct keys are counted by going through the table: only the row limit asks."""

    def __init__(self, catalog: Catalog, store: Rows) -> None:
        self._catalog = catalog
        self._store = store

    def count(self, table_id: int, /) -> int:
        return self._store.count(table_id)

    def distinct(self, table: TableDef, columns: tuple[int, ...], /) -> int:
        keys: list[Callable[[bytes], bytes]] = [column_key(table, position) for position in columns]
        return len({tuple(key(row) for key in keys) for row in self._store.scan(table.id)})
