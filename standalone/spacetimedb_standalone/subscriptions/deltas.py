"""What a transaction changes about the result of a query, without evaluating the query again.

Results are bags: a row counts as often as it is joined, and clients count along. With a prime for tables
after the transaction, `+X` and `-X` for the rows that came to and went from X, a join of R and S changes by

    came = +R⋈S'  ∪  R'⋈+S  ∪  +R⋈-S  ∪  -R⋈+S
    went = -R⋈S'  ∪  R'⋈-S  ∪  +R⋈+S  ∪  -R⋈-S

where equal rows on both sides cancel each other. So the state before the transaction is never needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from spacetimedb_standalone.sql.binding import Binding
from spacetimedb_standalone.sql.executable import Reader, grouped, reader, visible
from spacetimedb_standalone.sql.functions import (
    Filter,
    JoinedRow,
    column_bytes,
    column_key,
    join_filter,
    row_filter,
)
from spacetimedb_standalone.sql.plan import JoinMethod, Plan, Step, divided, join_step
from spacetimedb_standalone.sql.relation import Column, Joined, Relation, Typed, Variable, aliases
from spacetimedb_standalone.sql.schema import Rows

from .changes import Changes


class TableDelta:
    """Of a query over one table: the changed rows that satisfy its conditions."""

    def __init__(self, relation: Relation, binding: Binding) -> None:
        self._variable = relation.first
        own, residual = divided(relation)
        self._keep = row_filter(relation.first, [*own[relation.first.alias], *residual], binding)

    def evaluate(self, changes: Changes, store: Rows) -> tuple[list[bytes], list[bytes]]:
        """The visible rows that came into the result and those that went out of it."""
        table_id = self._variable.table.id
        return self._result(changes.inserts(table_id)), self._result(changes.deletes(table_id))

    def _result(self, rows: list[bytes]) -> list[bytes]:
        if rows and self._keep is not None:
            rows = self._keep(rows)
        return visible(self._variable, rows)


class JoinDelta:
    """Of a query over two tables joined by a column each, returning rows of one of them."""

    def __init__(self, relation: Relation, plan: Plan, returned: Variable, binding: Binding) -> None:
        (step,) = plan.steps
        assert step.outer is not None
        assert step.inner is not None
        own, residual = divided(relation)
        left, right = plan.variables
        self._left = _Side(left, step.outer, own[left.alias], residual, binding)
        self._right = _Side(right, step.inner, own[right.alias], residual, binding)
        reverse = join_step(Joined(left, (step.inner, step.outer)), own[left.alias], {right.alias})
        self._rights = _Probe(step, self._left, _single(residual, right), binding)
        self._lefts = _Probe(reverse, self._right, _single(residual, left), binding)
        crossing = [c for c in residual if len(aliases(c)) != 1]
        self._keep = join_filter((left, right), crossing, binding)
        self._returned = returned
        self._at = 0 if returned.alias == left.alias else 1

    def evaluate(self, changes: Changes, store: Rows) -> tuple[list[bytes], list[bytes]]:
        """The visible rows that came into the result and those that went out of it, net."""
        left_in, left_out = self._left.changed(changes)
        right_in, right_out = self._right.changed(changes)
        if not (left_in or left_out or right_in or right_out):
            return [], []
        came = self._joins(left_in, right_in, store)
        went = self._joins(left_out, right_out, store)
        came += self._pairs(left_in, right_out) + self._pairs(left_out, right_in)
        went += self._pairs(left_in, right_in) + self._pairs(left_out, right_out)
        net = Counter(self._projected(came))
        net.subtract(self._projected(went))
        inserts = [row for row, times in net.items() for _ in range(times)]
        deletes = [row for row, times in net.items() for _ in range(-times)]
        return visible(self._returned, inserts), visible(self._returned, deletes)

    def _joins(self, lefts: list[bytes], rights: list[bytes], store: Rows) -> list[JoinedRow]:
        """Changed rows of each side with the rows of the other side after the transaction."""
        found = [(left, right) for left, right in self._rights.matches(lefts, store)]
        return [*found, *((left, right) for right, left in self._lefts.matches(rights, store))]

    def _pairs(self, lefts: list[bytes], rights: list[bytes]) -> list[JoinedRow]:
        """Changed rows of both sides with each other."""
        if not (lefts and rights):
            return []
        by_key = grouped(rights, self._right.key)
        return [(left, right) for left in lefts for right in by_key.get(self._left.key(left), ())]

    def _projected(self, joined: list[JoinedRow]) -> list[bytes]:
        kept = joined if self._keep is None else self._keep(joined)
        return [rows[self._at] for rows in kept]


class _Side:
    """One of the two tables: which of its changed rows matter, and what they are joined by."""

    def __init__(
        self,
        variable: Variable,
        joined: Column,
        own: Sequence[Typed],
        residual: Sequence[Typed],
        binding: Binding,
    ) -> None:
        self._table_id = variable.table.id
        self._keep: Filter | None = row_filter(variable, [*own, *_single(residual, variable)], binding)
        self.key = column_key(variable.table, joined.position)
        self.probe = column_bytes(variable.table, joined.position)

    def changed(self, changes: Changes) -> tuple[list[bytes], list[bytes]]:
        return self._kept(changes.inserts(self._table_id)), self._kept(changes.deletes(self._table_id))

    def _kept(self, rows: list[bytes]) -> list[bytes]:
        return self._keep(rows) if rows and self._keep is not None else rows


class _Probe:
    """From rows of one side to those of the other that they are joined with, in the store."""

    def __init__(self, step: Step, outer: _Side, conditions: list[Typed], binding: Binding) -> None:
        assert step.inner is not None
        self._inner: Reader = reader(step.access, conditions, binding)
        self._indexed = step.method is JoinMethod.INDEX
        self._key = column_key(step.access.variable.table, step.inner.position)
        self._outer = outer

    def matches(self, rows: list[bytes], store: Rows) -> list[JoinedRow]:
        if not rows:
            return []
        if self._indexed:
            return [
                (row, other) for row in rows for other in self._inner.probe(store, self._outer.probe(row))
            ]
        by_key = grouped(self._inner.rows(store), self._key)
        return [(row, other) for row in rows for other in by_key.get(self._outer.key(row), ())]


def _single(residual: Sequence[Typed], variable: Variable) -> list[Typed]:
    """The conditions that speak of this table alone, though not as its own."""
    return [condition for condition in residual if aliases(condition) == {variable.alias}]
