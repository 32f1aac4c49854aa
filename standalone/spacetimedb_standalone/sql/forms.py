"""The languages that are spoken, as forms: what is left of a written statement once all else is refused.

There are two: SQL, and the subset of it that subscriptions are written in. Names have not been looked up yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .conditions import Condition, FieldName
from .parsing.expression_tree import Literal


@dataclass(frozen=True, slots=True)
class Source:
    table: str
    alias: str


@dataclass(frozen=True, slots=True)
class JoinForm:
    source: Source
    on: tuple[FieldName, FieldName] | None


@dataclass(frozen=True, slots=True)
class Star:
    """All columns of the one table, or of the table under an alias."""

    alias: str | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Fields with the names they have in the result."""

    items: tuple[tuple[FieldName, str], ...]


@dataclass(frozen=True, slots=True)
class Count:
    name: str


@dataclass(frozen=True, slots=True)
class SelectForm:
    projection: Star | Columns | Count
    source: Source
    joins: tuple[JoinForm, ...]
    where: Condition | None
    limit: Literal | None = None


@dataclass(frozen=True, slots=True)
class InsertForm:
    table: str
    field_count: int
    rows: tuple[tuple[Literal, ...], ...]


@dataclass(frozen=True, slots=True)
class UpdateForm:
    table: str
    changes: tuple[tuple[str, Literal], ...]
    where: Condition | None


@dataclass(frozen=True, slots=True)
class DeleteForm:
    table: str
    where: Condition | None


@dataclass(frozen=True, slots=True)
class SetForm:
    variable: str
    value: Literal


@dataclass(frozen=True, slots=True)
class ShowForm:
    variable: str


StatementForm: TypeAlias = SelectForm | InsertForm | UpdateForm | DeleteForm | SetForm | ShowForm
