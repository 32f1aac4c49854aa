"""Module definitions as modules of 2.x describe themselves (version 10); also served by the schema endpoint.

A definition is a list of sections, each optional, in any order; of two sections of one kind the first counts.
Names are those of the module's source; validation derives the canonical ones. Sections and name kinds that
later 2.x releases added (environment variables with 2.11, outboxes with 2.14) follow the original ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from spacetimedb_lib.moduledef.raw_common import (
    ColumnList,
    Lifecycle,
    RawConstraintData,
    RawIndexAlgorithm,
    RawRowLevelSecurity,
    TableAccess,
    TableType,
)
from spacetimedb_lib.moduledef.records import (
    Choice,
    Int16,
    Int32,
    Int256,
    Signed128,
    Slot,
    Tagged,
    VariantEnum,
)
from spacetimedb_lib.moduledef.type_shapes import AnyType, ProductType, Types


class Visibility(VariantEnum):
    """Who may call a function; private ones can be called by the database's owner and by the host."""

    PRIVATE = "Private"
    CLIENT_CALLABLE = "ClientCallable"


class CaseConversionPolicy(VariantEnum):
    NONE = "None"
    SNAKE_CASE = "SnakeCase"


@dataclass(frozen=True, slots=True)
class RawScopedTypeNameV10:
    scope: tuple[str, ...]
    source_name: str


@dataclass(frozen=True, slots=True)
class RawTypeDefV10:
    source_name: RawScopedTypeNameV10
    ty: Int32
    custom_ordering: bool


@dataclass(frozen=True, slots=True)
class RawIndexDefV10:
    source_name: str | None
    accessor_name: str | None
    algorithm: RawIndexAlgorithm


@dataclass(frozen=True, slots=True)
class RawConstraintDefV10:
    source_name: str | None
    data: RawConstraintData


@dataclass(frozen=True, slots=True)
class RawSequenceDefV10:
    source_name: str | None
    column: Int16
    start: Signed128 | None
    min_value: Signed128 | None
    max_value: Signed128 | None
    increment: Signed128


@dataclass(frozen=True, slots=True)
class RawColumnDefaultValueV10:
    """`value` is BSATN of the column's type."""

    col_id: Int16
    value: bytes


@dataclass(frozen=True, slots=True)
class RawTableDefV10:
    source_name: str
    product_type_ref: Int32
    primary_key: ColumnList
    indexes: tuple[RawIndexDefV10, ...]
    constraints: tuple[RawConstraintDefV10, ...]
    sequences: tuple[RawSequenceDefV10, ...]
    table_type: TableType
    table_access: TableAccess
    default_values: tuple[RawColumnDefaultValueV10, ...]
    is_event: bool


@dataclass(frozen=True, slots=True)
class RawReducerDefV10:
    source_name: str
    params: ProductType
    visibility: Visibility
    ok_return_type: AnyType
    err_return_type: AnyType


@dataclass(frozen=True, slots=True)
class RawProcedureDefV10:
    source_name: str
    params: ProductType
    return_type: AnyType
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class RawViewDefV10:
    """`index` counts the views of its kind (anonymous or not)."""

    source_name: str
    index: Int32
    is_public: bool
    is_anonymous: bool
    params: ProductType
    return_type: AnyType


@dataclass(frozen=True, slots=True)
class RawScheduleDefV10:
    source_name: str | None
    table_name: str
    schedule_at_col: Int16
    function_name: str


@dataclass(frozen=True, slots=True)
class RawLifecycleReducerDefV10:
    lifecycle_spec: Lifecycle
    function_name: str


@dataclass(frozen=True, slots=True)
class NameMapping:
    source_name: str
    canonical_name: str


@dataclass(frozen=True, slots=True)
class ExplicitNames:
    entries: tuple[
        Annotated[
            Tagged,
            Choice(
                {
                    "Table": NameMapping,
                    "Function": NameMapping,
                    "Index": NameMapping,
                    "Namespace": NameMapping,
                }
            ),
        ],
        ...,
    ]


@dataclass(frozen=True, slots=True)
class RawHttpHandlerDefV10:
    source_name: str


HTTP_METHODS = ("Get", "Head", "Post", "Put", "Delete", "Connect", "Options", "Trace", "Patch")
HttpMethod = Annotated[Tagged, Choice(dict.fromkeys(HTTP_METHODS) | {"Extension": str})]


@dataclass(frozen=True, slots=True)
class RawHttpRouteDefV10:
    handler_function: str
    method: Annotated[Tagged, Choice({"Any": None, "Method": HttpMethod})]
    path: str


@dataclass(frozen=True, slots=True)
class RawViewPrimaryKeyDefV10:
    view_source_name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawSubmoduleV10:
    namespace: str
    module: Annotated[RawModuleDefV10, Slot(1)]


@dataclass(frozen=True, slots=True)
class RawEnvironmentVariable:
    name: str
    ty: Annotated[Tagged, Choice({"String": None, "StringLiteral": str, "Union": tuple[str, ...]})]
    optional: bool


@dataclass(frozen=True, slots=True)
class RawOutboxDef:
    """Rows of the table are calls of `remote_reducer` in the database that `target_column` names."""

    table_name: str
    remote_reducer: str
    target_column: Int16
    arg_columns: ColumnList
    on_result_reducer: str | None
    signature_hash: Int256


SECTIONS: dict[str, Any] = {
    "Typespace": Types,
    "Types": tuple[RawTypeDefV10, ...],
    "Tables": tuple[RawTableDefV10, ...],
    "Reducers": tuple[RawReducerDefV10, ...],
    "Procedures": tuple[RawProcedureDefV10, ...],
    "Views": tuple[RawViewDefV10, ...],
    "Schedules": tuple[RawScheduleDefV10, ...],
    "LifeCycleReducers": tuple[RawLifecycleReducerDefV10, ...],
    "RowLevelSecurity": tuple[RawRowLevelSecurity, ...],
    "CaseConversionPolicy": CaseConversionPolicy,
    "ExplicitNames": ExplicitNames,
    "HttpHandlers": tuple[RawHttpHandlerDefV10, ...],
    "HttpRoutes": tuple[RawHttpRouteDefV10, ...],
    "ViewPrimaryKeys": tuple[RawViewPrimaryKeyDefV10, ...],
    "Submodules": tuple[RawSubmoduleV10, ...],
    "Environment": tuple[RawEnvironmentVariable, ...],
    "Outboxes": tuple[RawOutboxDef, ...],
}
"""What the sections hold, in the order of their tags."""


@dataclass(frozen=True, slots=True)
class RawModuleDefV10:
    sections: tuple[Annotated[Tagged, Choice(SECTIONS)], ...]

    def section(self, name: str, default: Any = ()) -> Any:
        """The content of the first section of this kind, or `default`."""
        return next((content for kind, content in self.sections if kind == name), default)
