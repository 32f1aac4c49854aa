"""Module definitions as modules of 1.x describe themselves (version 9); also served by the schema endpoint.

Names are final: what is given is stored. Tables carry their schedules, reducers their lifecycle events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from spacetimedb_lib.moduledef.raw_common import (
    ColumnList,
    Lifecycle,
    RawConstraintData,
    RawIndexAlgorithm,
    RawRowLevelSecurity,
    TableAccess,
    TableType,
)
from spacetimedb_lib.moduledef.records import Choice, Int16, Int32, Signed128, Tagged
from spacetimedb_lib.moduledef.type_shapes import AnyType, ProductType, Types


@dataclass(frozen=True, slots=True)
class RawIndexDefV9:
    name: str | None
    accessor_name: str | None
    algorithm: RawIndexAlgorithm


@dataclass(frozen=True, slots=True)
class RawConstraintDefV9:
    name: str | None
    data: RawConstraintData


@dataclass(frozen=True, slots=True)
class RawSequenceDefV9:
    name: str | None
    column: Int16
    start: Signed128 | None
    min_value: Signed128 | None
    max_value: Signed128 | None
    increment: Signed128


@dataclass(frozen=True, slots=True)
class RawScheduleDefV9:
    """`reducer_name` may name a procedure too."""

    name: str | None
    reducer_name: str
    scheduled_at_column: Int16


@dataclass(frozen=True, slots=True)
class RawTableDefV9:
    name: str
    product_type_ref: Int32
    primary_key: ColumnList
    indexes: tuple[RawIndexDefV9, ...]
    constraints: tuple[RawConstraintDefV9, ...]
    sequences: tuple[RawSequenceDefV9, ...]
    schedule: RawScheduleDefV9 | None
    table_type: TableType
    table_access: TableAccess


@dataclass(frozen=True, slots=True)
class RawReducerDefV9:
    name: str
    params: ProductType
    lifecycle: Lifecycle | None


@dataclass(frozen=True, slots=True)
class RawScopedTypeNameV9:
    scope: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class RawTypeDefV9:
    name: RawScopedTypeNameV9
    ty: Int32
    custom_ordering: bool


@dataclass(frozen=True, slots=True)
class RawProcedureDefV9:
    name: str
    params: ProductType
    return_type: AnyType


@dataclass(frozen=True, slots=True)
class RawViewDefV9:
    """`index` counts the views of its kind (anonymous or not)."""

    name: str
    index: Int32
    is_public: bool
    is_anonymous: bool
    params: ProductType
    return_type: AnyType


@dataclass(frozen=True, slots=True)
class RawColumnDefaultValueV9:
    """`value` is BSATN of the column's type."""

    table: str
    col_id: Int16
    value: bytes


RawMiscExportV9 = Annotated[
    Tagged,
    Choice(
        {"ColumnDefaultValue": RawColumnDefaultValueV9, "Procedure": RawProcedureDefV9, "View": RawViewDefV9}
    ),
]


@dataclass(frozen=True, slots=True)
class RawModuleDefV9:
    typespace: Types
    tables: tuple[RawTableDefV9, ...]
    reducers: tuple[RawReducerDefV9, ...]
    types: tuple[RawTypeDefV9, ...]
    misc_exports: tuple[RawMiscExportV9, ...]
    row_level_security: tuple[RawRowLevelSecurity, ...]
