"""Plans made runnable for one caller, over any store.

Conditions are checked as soon as all tables they speak of are there, even where the plan, whose shape users
can observe, keeps them for the end. Joins are streamed: nothing is held but the rows of one table at a time
and, for hash joins, the hashed side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .binding import Binding
from .functions import Filter, JoinedRow, Key, column_bytes, column_key, join_filter, row_filter
from .plan import Access, JoinMethod, Plan, Step
from .relation import Typed, Variable, aliases
from .schema import Rows

Joining = Callable[[Rows, Iterable[JoinedRow]], Iterator[JoinedRow]]


@dataclass(frozen=True, slots=True)
class Reader:
    """How the rows of one table that a plan wants are got from a store."""

    table_id: int
    index_id: int | None
    point: bytes
    """The key, or the beginning of it where the rest comes from a join."""
    keep: Filter | None

    def rows(self, store: Rows) -> list[bytes]:
        if self.index_id is None:
            return self.kept(store.scan(self.table_id))
        return self.kept(store.seek(self.index_id, self.point))

    def probe(self, store: Rows, key: bytes) -> list[bytes]:
        assert self.index_id is not None
        return self.kept(store.seek(self.index_id, self.point + key))

    def kept(self, rows: list[bytes]) -> list[bytes]:
        return rows if self.keep is None else self.keep(rows)


class Executable:
    """A plan bound to a caller."""

    def __init__(self, plan: Plan, binding: Binding) -> None:
        self.plan = plan
        pending = list(plan.residual)
        self._first = reader(plan.first, _taken(pending, {plan.first.variable.alias}), binding)
        self._steps: list[Joining] = []
        known = [plan.first.variable]
        for step in plan.steps:
            variable = step.access.variable
            inner = reader(step.access, _taken(pending, {variable.alias}), binding)
            self._steps.append(_joining(step, known, inner))
            known.append(variable)
            keep = join_filter(known, _taken(pending, {each.alias for each in known}), binding)
            if keep is not None:
                self._steps.append(_filtering(keep))
        # Conditions without any table are taken by the first reader, so nothing is left over.
        assert not pending

    def joined(self, store: Rows) -> Iterator[JoinedRow]:
        """The rows of the plan, one of each of its tables."""
        joined: Iterator[JoinedRow] = ((row,) for row in self._first.rows(store))
        for step in self._steps:
            joined = step(store, joined)
        return joined

    def rows_of(self, variable: Variable, store: Rows) -> list[bytes]:
        """The visible rows of one of the plan's tables, as often as they are joined."""
        if not self._steps:
            rows = self._first.rows(store)
        else:
            at = next(i for i, each in enumerate(self.plan.variables) if each.alias == variable.alias)
            rows = [joined[at] for joined in self.joined(store)]
        return visible(variable, rows)

    def count(self, store: Rows) -> int:
        if self._steps:
            return sum(1 for _ in self.joined(store))
        if self._first.index_id is None and self._first.keep is None:
            return store.count(self._first.table_id)
        return len(self._first.rows(store))


def visible(variable: Variable, rows: list[bytes]) -> list[bytes]:
    """Rows without the hidden column of a view, which has 32 bytes."""
    return [row[32:] for row in rows] if variable.table.hidden else rows


def reader(access: Access, conditions: list[Typed], binding: Binding) -> Reader:
    """`conditions` are checked besides the access's own."""
    variable = access.variable
    keep = row_filter(variable, [*access.filters, *conditions], binding)
    point = b"".join(map(binding.bsatn, access.point))
    return Reader(variable.table.id, None if access.index is None else access.index.id, point, keep)


def _taken(pending: list[Typed], known: set[str]) -> list[Typed]:
    """Those of the pending conditions that speak of known tables only; they are pending no more."""
    taken = [condition for condition in pending if aliases(condition) <= known]
    pending[:] = [condition for condition in pending if not aliases(condition) <= known]
    return taken


def _joining(step: Step, known: list[Variable], inner: Reader) -> Joining:
    if step.method is JoinMethod.PRODUCT:
        return lambda store, joined: _product(inner, store, joined)
    assert step.outer is not None
    assert step.inner is not None
    at = next(i for i, variable in enumerate(known) if variable.alias == step.outer.alias)
    table = known[at].table
    if step.method is JoinMethod.INDEX:
        probe = column_bytes(table, step.outer.position)
        return lambda store, joined: _through_index(inner, at, probe, store, joined)
    outer_key = column_key(table, step.outer.position)
    inner_key = column_key(step.access.variable.table, step.inner.position)
    return lambda store, joined: _hashed(inner, inner_key, at, outer_key, store, joined)


def _filtering(keep: Callable[[Iterable[JoinedRow]], Iterator[JoinedRow]]) -> Joining:
    return lambda store, joined: keep(joined)


def _product(inner: Reader, store: Rows, joined: Iterable[JoinedRow]) -> Iterator[JoinedRow]:
    rows = inner.rows(store)
    for outer in joined:
        for row in rows:
            yield (*outer, row)


def _through_index(
    inner: Reader, at: int, key: Key, store: Rows, joined: Iterable[JoinedRow]
) -> Iterator[JoinedRow]:
    for outer in joined:
        for row in inner.probe(store, key(outer[at])):
            yield (*outer, row)


def _hashed(
    inner: Reader, inner_key: Key, at: int, outer_key: Key, store: Rows, joined: Iterable[JoinedRow]
) -> Iterator[JoinedRow]:
    by_key = grouped(inner.rows(store), inner_key)
    for outer in joined:
        for row in by_key.get(outer_key(outer[at]), ()):
            yield (*outer, row)


def grouped(rows: Iterable[bytes], key: Key) -> dict[bytes, list[bytes]]:
    by_key: dict[bytes, list[bytes]] = {}
    for row in rows:
        by_key.setdefault(key(row), []).append(row)
    return by_key
