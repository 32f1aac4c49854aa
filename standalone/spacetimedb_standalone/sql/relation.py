"""Queries with names looked up and types checked: tables joined from left to right, conditions over them.

A relation is always left-deep and in the order written. Joining without ON is a product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeAlias

from spacetimedb_lib.sats.types import U64, AlgebraicType, Element, Product

from .schema import TableDef


@dataclass(frozen=True, slots=True)
class Variable:
    """A table under the name it goes by in this query."""

    alias: str
    table: TableDef


@dataclass(frozen=True, slots=True)
class Column:
    alias: str
    position: int
    """In the rows as stored."""
    type: AlgebraicType


class Parameter(Enum):
    """A value that depends on who asks."""

    SENDER_IDENTITY = auto()
    """As an Identity: the 32 bytes, little-endian."""
    SENDER_BYTES = auto()
    """As bytes: big-endian, like the text form."""
    SENDER_VIEW = auto()
    """Which instance of a sender's view is theirs."""


@dataclass(frozen=True, slots=True)
class Constant:
    """`value` is BSATN, or is not known before the query is bound to a caller."""

    type: AlgebraicType
    value: bytes | Parameter


@dataclass(frozen=True, slots=True)
class Compare:
    left: Typed
    op: str
    right: Typed
    type: AlgebraicType
    """Of both sides."""


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold; of none at all, that is true."""

    conditions: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class Some:
    conditions: tuple[Typed, ...]


Typed: TypeAlias = Column | Constant | Compare | Every | Some


@dataclass(frozen=True, slots=True)
class Joined:
    """A further table; `on` are two columns that must be equal."""

    variable: Variable
    on: tuple[Column, Column] | None


@dataclass(frozen=True, slots=True)
class Relation:
    first: Variable
    joins: tuple[Joined, ...] = ()
    where: tuple[Typed, ...] = ()
    """Conditions that all hold."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (self.first, *(join.variable for join in self.joins))

    def variable(self, alias: str) -> Variable | None:
        return next((variable for variable in self.variables if variable.alias == alias), None)


@dataclass(frozen=True, slots=True)
class WholeRow:
    """All visible columns of one table."""

    variable: Variable


@dataclass(frozen=True, slots=True)
class Fields:
    items: tuple[tuple[Column, str], ...]


@dataclass(frozen=True, slots=True)
class CountOf:
    name: str


@dataclass(frozen=True, slots=True)
class Selection:
    """A SELECT. `limit` is a number of rows, or None."""

    relation: Relation
    output: WholeRow | Fields | CountOf
    limit: int | None = None

    @property
    def schema(self) -> Product:
        match self.output:
            case WholeRow(variable):
                return variable.table.visible_type
            case Fields(items):
                return Product(tuple(Element(name, column.type) for column, name in items))
            case CountOf(name):
                return Product((Element(name, U64),))


def conjuncts(condition: Typed) -> tuple[Typed, ...]:
    """The conditions of a conjunction, or the one condition that it is."""
    return condition.conditions if isinstance(condition, Every) else (condition,)


def leaves(condition: Typed) -> Iterator[Column | Constant]:
    """Every column and constant of a condition, from left to right."""
    match condition:
        case Compare(left, _, right):
            yield from leaves(left)
            yield from leaves(right)
        case Every(conditions) | Some(conditions):
            for part in conditions:
                yield from leaves(part)
        case _:
            yield condition


def aliases(condition: Typed) -> frozenset[str]:
    """The tables a condition speaks of."""
    return frozenset(leaf.alias for leaf in leaves(condition) if isinstance(leaf, Column))


def renamed(condition: Typed, names: dict[str, str]) -> Typed:
    """The same condition with other aliases."""
    match condition:
        case Column(alias):
            return replace(condition, alias=names[alias])
        case Compare(left, op, right, type_):
            return Compare(renamed(left, names), op, renamed(right, names), type_)
        case Every(conditions):
            return Every(tuple(renamed(part, names) for part in conditions))
        case Some(conditions):
            return Some(tuple(renamed(part, names) for part in conditions))
        case _:
            return condition
