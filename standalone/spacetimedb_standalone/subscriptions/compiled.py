"""Queries made ready to be watched: compiled, bound to a caller, and judged fit for it.

A query is a union of fragments, one unless row-level rules made more of it. Each knows its present rows, what
a transaction changes about them, and by what marks most transactions can be told not to concern it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spacetimedb_lib.sats.types import F32, F64
from spacetimedb_standalone.sql.binding import Binding
from spacetimedb_standalone.sql.checking import check_query
from spacetimedb_standalone.sql.errors import SqlPlanError
from spacetimedb_standalone.sql.executable import Executable
from spacetimedb_standalone.sql.parsing import parse
from spacetimedb_standalone.sql.plan import Plan, divided, plan
from spacetimedb_standalone.sql.relation import (
    Column,
    Compare,
    Constant,
    Parameter,
    Relation,
    Typed,
    Variable,
    leaves,
)
from spacetimedb_standalone.sql.restriction import query_form
from spacetimedb_standalone.sql.rules import visible_parts
from spacetimedb_standalone.sql.schema import Caller, Catalog, Rows, TableDef
from spacetimedb_standalone.sql.select import views_of

from .changes import Changes
from .deltas import JoinDelta, TableDelta

MAX_TABLES = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """Only rows of the table with this value (BSATN) in this column can concern a query."""

    table: TableDef
    position: int
    value: bytes


@dataclass(frozen=True, slots=True)
class LinkedMark:
    """Only rows that are joined with a marked row of another table can concern a query.

    `position` of `table` equals the column of `other` that the unique index `index_id` is over.
    """

    table: TableDef
    position: int
    other: TableDef
    index_id: int
    mark: Mark


class Fragment:
    """One relation of a query. It is bound to a caller; its tables are those of one catalog version."""

    def __init__(self, relation: Relation, returned: str, binding: Binding) -> None:
        self.plan: Plan = plan(relation)
        self.returned = _variable(self.plan, returned)
        self.table: TableDef = self.returned.table
        self._relation = relation
        self._binding = binding
        self._executable = Executable(self.plan, binding)

    def watch(self) -> None:
        """Prepare for deltas. Raises SqlPlanError if the plan is none that can be watched."""
        _judge(self.plan)
        if self.plan.steps:
            self._delta: JoinDelta | TableDelta = JoinDelta(
                self._relation, self.plan, self.returned, self._binding
            )
        else:
            self._delta = TableDelta(self._relation, self._binding)

    def rows(self, store: Rows) -> list[bytes]:
        return self._executable.rows_of(self.returned, store)

    def reads_an_empty_table(self, store: Rows) -> bool:
        return any(store.count(variable.table.id) == 0 for variable in self.plan.variables)

    def changes(self, changes: Changes, store: Rows) -> tuple[list[bytes], list[bytes]]:
        """The rows that came into the result and those that went out of it."""
        return self._delta.evaluate(changes, store)

    def marks(self) -> list[TableDef | Mark | LinkedMark]:
        """For each table read: the table if all its changes may matter, else which do."""
        own, _ = divided(self._relation)
        marked = {
            variable.alias: self._mark(variable, own[variable.alias]) for variable in self.plan.variables
        }
        return [marked[v.alias] or self._linked(v, marked) or v.table for v in self.plan.variables]

    def _mark(self, variable: Variable, own: Sequence[Compare]) -> Mark | None:
        unique = {
            index.columns[0] for index in variable.table.indexes if index.unique and len(index.columns) == 1
        }
        best: Mark | None = None
        for condition in own:
            column, constant = condition.left, condition.right
            assert isinstance(column, Column)
            assert isinstance(constant, Constant)
            if condition.op != "=" or condition.type in (F32, F64):
                continue  # equal floats may differ in their bytes
            mark = Mark(variable.table, column.position, self._binding.bsatn(constant))
            if column.position in unique:
                return mark
            best = best or mark
        return best

    def _linked(self, variable: Variable, marked: dict[str, Mark | None]) -> LinkedMark | None:
        """The mark of the other table, if each row of this one is joined with at most one of it."""
        for step in self.plan.steps:
            assert step.outer is not None
            assert step.inner is not None
            mine, theirs = step.outer, step.inner
            if mine.alias != variable.alias:
                mine, theirs = theirs, mine
            other = _variable(self.plan, theirs.alias).table
            mark = marked[theirs.alias]
            if mark is None or other.id == variable.table.id or mine.type in (F32, F64):
                return None
            for index in other.indexes:
                if index.unique and index.columns == (theirs.position,):
                    return LinkedMark(variable.table, mine.position, other, index.id, mark)
        return None


@dataclass(frozen=True)
class CompiledQuery:
    text: str
    fragments: tuple[Fragment, ...]
    depends_on_caller: bool
    """Whether it gives different callers different rows (all owners being alike)."""

    @property
    def views(self) -> tuple[TableDef, ...]:
        return views_of([fragment.plan for fragment in self.fragments])


def compile_query(text: str, catalog: Catalog, caller: Caller) -> CompiledQuery:
    """A query to be watched. Raises SqlError."""
    relation, returned = check_query(query_form(parse(text)), catalog, caller)
    binding = Binding(caller.identity)
    parts = visible_parts(relation, catalog, caller)
    fragments = tuple(Fragment(part, returned.alias, binding) for part in parts)
    for fragment in fragments:
        fragment.watch()
    depends = any(_depends_on_caller(fragment.plan) for fragment in fragments)
    return CompiledQuery(text, fragments, depends)


def _judge(plan: Plan) -> None:
    if not plan.is_indexed:
        raise SqlPlanError("Subscriptions require indexes on join columns")
    if any(step.access.variable.table.event for step in plan.steps):
        raise SqlPlanError("Event tables cannot be used as the lookup table in subscription joins")
    if len(plan.variables) > MAX_TABLES:
        raise SqlPlanError(f"Invalid number of tables in subscription: {len(plan.variables)}")


def _depends_on_caller(plan: Plan) -> bool:
    constants = [constant for access in plan.accesses for constant in access.point]
    conditions: list[Typed] = [condition for access in plan.accesses for condition in access.filters]
    conditions += plan.residual
    met = [*constants, *(leaf for condition in conditions for leaf in leaves(condition))]
    return any(isinstance(each, Constant) and isinstance(each.value, Parameter) for each in met)


def _variable(plan: Plan, alias: str) -> Variable:
    return next(variable for variable in plan.variables if variable.alias == alias)
