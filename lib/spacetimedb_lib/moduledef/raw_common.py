"""What the raw module definitions of several versions have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from spacetimedb_lib.moduledef.records import Choice, Int16, Tagged, VariantEnum


class TableType(VariantEnum):
    SYSTEM = "System"
    USER = "User"


class TableAccess(VariantEnum):
    PUBLIC = "Public"
    PRIVATE = "Private"


class Lifecycle(VariantEnum):
    """The events of a database that may run a reducer."""

    INIT = "Init"
    ON_CONNECT = "OnConnect"
    ON_DISCONNECT = "OnDisconnect"


ColumnList = tuple[Int16, ...]
"""Positions of columns; order may matter."""

RawIndexAlgorithm = Annotated[Tagged, Choice({"BTree": ColumnList, "Hash": ColumnList, "Direct": Int16})]
"""The content of a Direct index is its one column."""


@dataclass(frozen=True, slots=True)
class RawUniqueConstraint:
    columns: ColumnList


RawConstraintData = Annotated[Tagged, Choice({"Unique": RawUniqueConstraint})]


@dataclass(frozen=True, slots=True)
class RawRowLevelSecurity:
    sql: str
