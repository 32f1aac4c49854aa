"""The tree of a statement as written, printed by `str()` like that of expressions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from .expression_tree import Expr, Ident, Name, Opaque


@dataclass(frozen=True, slots=True)
class Wildcard:
    """``*``, or ``name.*``."""

    of: Name | None = None

    def __str__(self) -> str:
        return "*" if self.of is None else f"{self.of}.*"


@dataclass(frozen=True, slots=True)
class Item:
    """An expression of a select list."""

    expr: Expr
    alias: Ident | None

    def __str__(self) -> str:
        return str(self.expr) if self.alias is None else f"{self.expr} AS {self.alias}"


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table of a FROM clause; `extra` is whatever else was written: hints, aliases of columns."""

    name: Name
    alias: Ident | None
    extra: str = ""

    def __str__(self) -> str:
        alias = "" if self.alias is None else f" AS {self.alias}"
        return f"{self.name}{alias}{self.extra}"


class JoinKind(Enum):
    INNER = auto()
    CROSS = auto()
    OTHER = auto()
    """Outer and natural joins, and those with USING."""


@dataclass(frozen=True, slots=True)
class Join:
    kind: JoinKind
    table: TableRef | Opaque
    on: Expr | None
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class FromItem:
    table: TableRef | Opaque
    joins: tuple[Join, ...]

    def __str__(self) -> str:
        return " ".join([str(self.table), *map(str, self.joins)])


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT block. `head` is DISTINCT, TOP ..; `into` and `tail` (GROUP BY ..) are printed clauses."""

    head: str
    projection: tuple[Wildcard | Item, ...]
    into: str
    sources: tuple[FromItem, ...]
    where: Expr | None
    tail: str

    @property
    def is_plain(self) -> bool:
        return not (self.head or self.into or self.tail)

    def __str__(self) -> str:
        parts = [f"SELECT{self.head} {', '.join(map(str, self.projection))}{self.into}"]
        if self.sources:
            parts.append(f"FROM {', '.join(map(str, self.sources))}")
        if self.where is not None:
            parts.append(f"WHERE {self.where}")
        return " ".join(parts) + self.tail


@dataclass(frozen=True, slots=True)
class Values:
    rows: tuple[tuple[Expr, ...], ...]

    def __str__(self) -> str:
        return "VALUES " + ", ".join(f"({', '.join(map(str, row))})" for row in self.rows)


@dataclass(frozen=True, slots=True)
class Query:
    """`before` is WITH .., `after` ORDER BY .., `rest` OFFSET, FETCH and the like, as printed clauses."""

    body: Select | Values | Opaque
    limit: Expr | None = None
    before: str = ""
    after: str = ""
    rest: str = ""

    @property
    def is_plain(self) -> bool:
        return not (self.before or self.after or self.rest)

    def __str__(self) -> str:
        limit = "" if self.limit is None else f" LIMIT {self.limit}"
        return f"{self.before}{self.body}{self.after}{limit}{self.rest}"


@dataclass(frozen=True, slots=True)
class Insert:
    table: Name
    columns: tuple[Ident, ...]
    source: Query
    rest: str

    def __str__(self) -> str:
        columns = f"({', '.join(map(str, self.columns))}) " if self.columns else ""
        return f"INSERT INTO {self.table} {columns}{self.source}{self.rest}"


@dataclass(frozen=True, slots=True)
class Delete:
    tables: tuple[Name, ...]
    sources: tuple[FromItem, ...]
    where: Expr | None
    using: str
    rest: str

    def __str__(self) -> str:
        named = f" {', '.join(map(str, self.tables))}" if self.tables else ""
        where = "" if self.where is None else f" WHERE {self.where}"
        return f"DELETE{named} FROM {', '.join(map(str, self.sources))}{self.using}{where}{self.rest}"


@dataclass(frozen=True, slots=True)
class Assignment:
    target: Name
    value: Expr

    def __str__(self) -> str:
        return f"{self.target} = {self.value}"


@dataclass(frozen=True, slots=True)
class Update:
    table: FromItem
    assignments: tuple[Assignment, ...]
    where: Expr | None
    source: str
    rest: str

    def __str__(self) -> str:
        where = "" if self.where is None else f" WHERE {self.where}"
        changes = ", ".join(map(str, self.assignments))
        return f"UPDATE {self.table} SET {changes}{self.source}{where}{self.rest}"


@dataclass(frozen=True, slots=True)
class SetVariable:
    scope: str
    variable: Name
    values: tuple[Expr, ...]

    def __str__(self) -> str:
        return f"SET {self.scope}{self.variable} = {', '.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class ShowVariable:
    words: tuple[Ident, ...]

    def __str__(self) -> str:
        return f"SHOW {' '.join(map(str, self.words))}"


Statement: TypeAlias = Query | Insert | Delete | Update | SetVariable | ShowVariable | Opaque
