"""The front of the SQL house: a text and a caller in, a statement that can be run out."""

from __future__ import annotations

from typing import Protocol, cast

from .checking import check_query, check_select
from .forms import DeleteForm, InsertForm, SelectForm, SetForm, ShowForm, StatementForm, UpdateForm
from .parsing import parse
from .relation import Selection, WholeRow
from .restriction import query_form, statement_form
from .results import SqlResult
from .schema import Caller, Catalog, NoViews, Rows, Store, TableDef, Views
from .select import SelectStatement, prepare_select
from .variables import variable_query, variables_table
from .write import prepare_delete, prepare_insert, prepare_set, prepare_update


class _Prepared(Protocol):
    @property
    def views(self) -> tuple[TableDef, ...]: ...

    def run(self, store: Store, views: Views, /) -> SqlResult: ...


class Statement:
    """A checked statement of one caller. It holds good while the catalog's version does."""

    def __init__(self, prepared: _Prepared, *, writes: bool) -> None:
        self._prepared = prepared
        self.writes = writes
        """Whether it has to run inside a transaction of the store, to be rolled back if `run` raises."""

    @property
    def views(self) -> tuple[TableDef, ...]:
        """The views it reads: `run` asks for their rows first."""
        return self._prepared.views

    def run(self, store: Rows, views: Views | None = None) -> SqlResult:
        """`store` must also be a `Store` if the statement writes.

        Raises SqlPlanError beyond the row limit, SqlConstraintError for a key that exists already.
        """
        return self._prepared.run(cast(Store, store), NoViews() if views is None else views)


def prepare(text: str, caller: Caller, catalog: Catalog) -> Statement:
    """A statement of SQL. Raises SqlError: whatever is wrong with it is its sender's fault."""
    form = statement_form(parse(text))
    return Statement(_prepared(form, catalog, caller), writes=not isinstance(form, SelectForm | ShowForm))


def prepare_query(text: str, caller: Caller, catalog: Catalog) -> SelectStatement:
    """A query of the subscription language, to be answered once. Raises SqlError."""
    relation, returned = check_query(query_form(parse(text)), catalog, caller)
    return prepare_select(Selection(relation, WholeRow(returned)), catalog, caller)


def run_sql(
    text: str, caller: Caller, catalog: Catalog, store: Rows, views: Views | None = None
) -> SqlResult:
    """Prepare and run. For statements that write, `store` is inside a transaction of the caller's."""
    return prepare(text, caller, catalog).run(store, views)


def _prepared(form: StatementForm, catalog: Catalog, caller: Caller) -> _Prepared:
    match form:
        case SelectForm():
            return prepare_select(check_select(form, catalog, caller), catalog, caller)
        case InsertForm():
            return prepare_insert(form, catalog, caller)
        case UpdateForm():
            return prepare_update(form, catalog, caller)
        case DeleteForm():
            return prepare_delete(form, catalog, caller)
        case SetForm():
            return prepare_set(form, catalog, caller)
        case ShowForm(variable):
            table = variables_table(variable, catalog, caller)
            return prepare_select(variable_query(table, variable), catalog, caller)
