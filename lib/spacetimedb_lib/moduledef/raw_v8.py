"""Module definitions as modules from before 1.0 describe themselves (version 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from spacetimedb_lib.moduledef.raw_common import ColumnList
from spacetimedb_lib.moduledef.records import Choice, Int8, Int16, Int32, Signed128, Tagged, VariantEnum
from spacetimedb_lib.moduledef.type_shapes import AnyType, Members, Types


class IndexTypeV8(VariantEnum):
    BTREE = "BTree"
    HASH = "Hash"


@dataclass(frozen=True, slots=True)
class ColumnV8:
    col_name: str
    col_type: AnyType


@dataclass(frozen=True, slots=True)
class IndexV8:
    index_name: str
    is_unique: bool
    index_type: IndexTypeV8
    columns: ColumnList


@dataclass(frozen=True, slots=True)
class ConstraintV8:
    """`constraints` are the bits of `upgrade_v8.Attribute`."""

    constraint_name: str
    constraints: Int8
    columns: ColumnList


@dataclass(frozen=True, slots=True)
class SequenceV8:
    sequence_name: str
    col_pos: Int16
    increment: Signed128
    start: Signed128 | None
    min_value: Signed128 | None
    max_value: Signed128 | None
    allocated: Signed128


@dataclass(frozen=True, slots=True)
class TableSchemaV8:
    """Types are "system" and "user", accesses "public" and "private"; `scheduled` names a reducer."""

    table_name: str
    columns: tuple[ColumnV8, ...]
    indexes: tuple[IndexV8, ...]
    constraints: tuple[ConstraintV8, ...]
    sequences: tuple[SequenceV8, ...]
    table_type: str
    table_access: str
    scheduled: str | None


@dataclass(frozen=True, slots=True)
class TableV8:
    """`data` is the typespace slot of the row type."""

    schema: TableSchemaV8
    data: Int32


@dataclass(frozen=True, slots=True)
class ReducerV8:
    name: str
    args: Members


@dataclass(frozen=True, slots=True)
class TypeAliasV8:
    name: str
    ty: Int32


@dataclass(frozen=True, slots=True)
class RawModuleDefV8:
    typespace: Types
    tables: tuple[TableV8, ...]
    reducers: tuple[ReducerV8, ...]
    misc_exports: tuple[Annotated[Tagged, Choice({"TypeAlias": TypeAliasV8})], ...]
