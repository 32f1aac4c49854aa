"""How many rows a plan is expected to read: what the row limit is compared with.

The figures are part of what users see, so they follow the public server's arithmetic, rough as it is:
for every operator the rows it hands on and the rows read to get them, up to 2**64 - 1.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .plan import Access, JoinMethod, Plan, Step
from .schema import IndexDef, TableDef

_MOST = (1 << 64) - 1


class Statistics(Protocol):
    def count(self, table_id: int, /) -> int:
        """Rows of a table."""

    def distinct(self, table: TableDef, columns: tuple[int, ...], /) -> int:
        """Different values of some columns."""


class Estimate(NamedTuple):
    rows: int
    read: int


def rows_read(plan: Plan, limit: int | None, statistics: Statistics) -> int:
    """`limit` is that of a query for whole rows; where nothing is filtered it bounds what is read."""
    if limit is not None and not (plan.steps or plan.residual or plan.first.filters):
        return min(limit, _MOST)
    estimate = _access(plan.first, statistics)
    for step in plan.steps:
        estimate = _joined(estimate, step, statistics)
    if plan.residual:
        estimate = _filtered(estimate)
    return min(estimate.read, _MOST)


def _access(access: Access, statistics: Statistics) -> Estimate:
    table = access.variable.table
    index = access.index
    rows = statistics.count(table.id) if index is None else _per_key(index, table, statistics)
    estimate = Estimate(rows, rows)
    return _filtered(estimate) if access.filters else estimate


def _filtered(estimate: Estimate) -> Estimate:
    return Estimate(estimate.rows, estimate.read + estimate.rows)


def _per_key(index: IndexDef, table: TableDef, statistics: Statistics) -> int:
    rows = statistics.count(table.id)
    if index.unique:
        return min(rows, 1)
    keys = statistics.distinct(table, index.columns)
    return rows // keys if keys else 0


def _joined(left: Estimate, step: Step, statistics: Statistics) -> Estimate:
    table = step.access.variable.table
    if step.method is JoinMethod.INDEX:
        index = step.access.index
        assert index is not None
        if index.unique and len(index.columns) == 1:
            joined = Estimate(left.rows, left.read + left.rows)
        else:
            rows = left.rows * _per_key(index, table, statistics)
            joined = Estimate(rows, left.read + rows)
        return _filtered(joined) if step.access.filters else joined
    right = _access(step.access, statistics)
    rows = left.rows * right.rows
    return Estimate(rows, left.read + right.read + rows)
