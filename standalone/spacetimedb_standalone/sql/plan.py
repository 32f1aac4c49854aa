"""Physical plans: in which order tables are read, through which index, and what is checked where.

A plan is a first table and steps that each join one more to what is there. The choice of indexes is part of
what users see (subscriptions insist on them, the row limit counts with them), so it follows fixed rules:

1. Of two tables joined by ON where only the second has conditions of its own, the second is read first.
2. A table is joined through the first index whose last column is the joined one and whose other columns are
   fixed by equalities; else by hashing it on the joined column; without ON, by pairing all rows.
3. Any other table with equalities is read through the index of at most three columns that are all fixed;
   the most columns win, then the first in the schema. Ranges never use an index.

Conditions "of its own" are comparisons of one column with a constant, joined by AND.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from spacetimedb_lib.hashing import blake3
from spacetimedb_lib.sats.types import U256

from .errors import SqlPlanError
from .relation import Column, Compare, Constant, Joined, Parameter, Relation, Typed, Variable
from .schema import IndexDef, View

MAX_INDEX_COLUMNS = 3
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_ANONYMOUS_INSTANCE = Constant(U256, blake3(b"spacetimedb::view::args::v1\0"))


class JoinMethod(Enum):
    INDEX = auto()
    HASH = auto()
    PRODUCT = auto()


@dataclass(frozen=True, slots=True)
class Access:
    """How the rows of one table are got at: all of them, or those at a point of an index; then filtered."""

    variable: Variable
    filters: tuple[Compare, ...] = ()
    index: IndexDef | None = None
    point: tuple[Constant, ...] = ()
    """The constants that fix columns of the index, in its order; the last is missing where it is joined."""


@dataclass(frozen=True, slots=True)
class Step:
    method: JoinMethod
    access: Access
    outer: Column | None
    """The column of the tables before that must equal `inner`; neither exists for products."""
    inner: Column | None


@dataclass(frozen=True, slots=True)
class Plan:
    first: Access
    steps: tuple[Step, ...] = ()
    residual: tuple[Typed, ...] = ()
    """What is left to check on joined rows."""

    @property
    def accesses(self) -> tuple[Access, ...]:
        return (self.first, *(step.access for step in self.steps))

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(access.variable for access in self.accesses)

    @property
    def is_indexed(self) -> bool:
        """Whether every join goes through an index."""
        return all(step.method is JoinMethod.INDEX for step in self.steps)


def view_instance(view: View) -> Constant | None:
    """The `arg_hash` of the rows of a view that the caller sees."""
    if view is View.ANONYMOUS:
        return _ANONYMOUS_INSTANCE
    return Constant(U256, Parameter.SENDER_VIEW) if view is View.SENDER else None


def plan(relation: Relation) -> Plan:
    """Raises SqlPlanError for an ON that does not relate its table to those before it."""
    own, residual = divided(relation)
    first, joins = relation.first, list(relation.joins)
    on = joins[0].on if joins else None
    if on is not None:
        second = joins[0].variable
        if not own[first.alias] and own[second.alias]:
            first, joins[0] = second, Joined(first, on)
    seen = {first.alias}
    steps = []
    for join in joins:
        steps.append(join_step(join, own[join.variable.alias], seen))
        seen.add(join.variable.alias)
    return Plan(_through_index(Access(first, own[first.alias])), tuple(steps), residual)


def divided(relation: Relation) -> tuple[dict[str, tuple[Compare, ...]], tuple[Typed, ...]]:
    """The conditions that each table has of its own, by alias, and all others.

    That a view shows only the caller's instance is one of its own conditions.
    """
    own: dict[str, list[Compare]] = {variable.alias: [] for variable in relation.variables}
    residual: list[Typed] = []
    for variable in relation.variables:
        instance = view_instance(variable.table.view)
        if instance is not None:
            own[variable.alias].append(Compare(Column(variable.alias, 0, U256), "=", instance, U256))
    for condition in map(_canonical, relation.where):
        if isinstance(condition, Compare) and _is_own(condition):
            assert isinstance(condition.left, Column)
            own[condition.left.alias].append(condition)
        else:
            residual.append(condition)
    return {alias: tuple(conditions) for alias, conditions in own.items()}, tuple(residual)


def _canonical(condition: Typed) -> Typed:
    """A comparison with its constant on the right."""
    if (
        isinstance(condition, Compare)
        and isinstance(condition.left, Constant)
        and isinstance(condition.right, Column)
    ):
        return Compare(condition.right, _MIRRORED[condition.op], condition.left, condition.type)
    return condition


def _is_own(condition: Compare) -> bool:
    return isinstance(condition.left, Column) and isinstance(condition.right, Constant)


def join_step(join: Joined, own: tuple[Compare, ...], seen: set[str]) -> Step:
    """How a table with conditions of its own is joined to those already seen. Raises SqlPlanError."""
    if join.on is None:
        return Step(JoinMethod.PRODUCT, _through_index(Access(join.variable, own)), None, None)
    outer, inner = join.on
    if inner.alias != join.variable.alias:
        outer, inner = inner, outer
    if inner.alias != join.variable.alias or outer.alias not in seen:
        raise SqlPlanError("Could not compute positional arguments during query planning")
    access = _probed(join.variable, own, inner)
    if access is not None:
        return Step(JoinMethod.INDEX, access, outer, inner)
    return Step(JoinMethod.HASH, _through_index(Access(join.variable, own)), outer, inner)


def _probed(variable: Variable, own: tuple[Compare, ...], inner: Column) -> Access | None:
    for index in variable.table.indexes:
        *fixed, last = index.columns
        if last != inner.position:
            continue
        equalities = _equalities(own, fixed)
        if equalities is not None:
            return _consume(Access(variable, own), index, equalities)
    return None


def _through_index(access: Access) -> Access:
    best: tuple[IndexDef, list[Compare]] | None = None
    for index in access.variable.table.indexes:
        if len(index.columns) > MAX_INDEX_COLUMNS or (best and len(best[1]) >= len(index.columns)):
            continue
        equalities = _equalities(access.filters, list(index.columns))
        if equalities is not None:
            best = index, equalities
    return access if best is None else _consume(access, *best)


def _equalities(own: tuple[Compare, ...], columns: list[int]) -> list[Compare] | None:
    """One equality for each column, or None if any has none."""
    found = []
    for position in columns:
        equality = next((c for c in own if c.op == "=" and _position(c) == position), None)
        if equality is None:
            return None
        found.append(equality)
    return found


def _position(condition: Compare) -> int:
    assert isinstance(condition.left, Column)
    return condition.left.position


def _consume(access: Access, index: IndexDef, equalities: list[Compare]) -> Access:
    used = {id(equality) for equality in equalities}
    point = tuple(equality.right for equality in equalities)
    return replace(
        access,
        index=index,
        point=tuple(constant for constant in point if isinstance(constant, Constant)),
        filters=tuple(condition for condition in access.filters if id(condition) not in used),
    )
