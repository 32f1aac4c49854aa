"""Module definitions: what a module says of itself, checked, named, served, and compared with its successor.

definition = decode(described)              # ModuleDef, or ModuleDefDecodeError, ValidationErrors
definition.tables["person"].primary_key
serve_v10(definition)                       # JSON for the schema endpoint
plan = plan_migration(old, definition)      # Plan, or MigrationErrors
"""

from __future__ import annotations

from spacetimedb_lib.moduledef.decode import decode, validate
from spacetimedb_lib.moduledef.definition import ModuleDef, TypeDef, TypeName
from spacetimedb_lib.moduledef.errors import (
    ErrorKind,
    ModuleDefDecodeError,
    ModuleDefError,
    ValidationError,
    ValidationErrors,
)
from spacetimedb_lib.moduledef.functions import (
    HttpHandlerDef,
    HttpRouteDef,
    ProcedureDef,
    ReducerDef,
    ViewDef,
)
from spacetimedb_lib.moduledef.migrate import MigrationErrors, Plan, plan_migration
from spacetimedb_lib.moduledef.raw_common import Lifecycle, TableAccess, TableType
from spacetimedb_lib.moduledef.raw_v10 import Visibility
from spacetimedb_lib.moduledef.rules import Edition, RawVersion
from spacetimedb_lib.moduledef.serve import read_served_v9, read_served_v10, serve_v9, serve_v10
from spacetimedb_lib.moduledef.tables import (
    ColumnDef,
    FunctionKind,
    IndexDef,
    IndexKind,
    Namespace,
    OutboxDef,
    ScheduleDef,
    SequenceDef,
    TableDef,
    UniqueConstraintDef,
)

__all__ = [
    "ColumnDef",
    "Edition",
    "ErrorKind",
    "FunctionKind",
    "HttpHandlerDef",
    "HttpRouteDef",
    "IndexDef",
    "IndexKind",
    "Lifecycle",
    "MigrationErrors",
    "ModuleDef",
    "ModuleDefDecodeError",
    "ModuleDefError",
    "Namespace",
    "OutboxDef",
    "Plan",
    "ProcedureDef",
    "RawVersion",
    "ReducerDef",
    "ScheduleDef",
    "SequenceDef",
    "TableAccess",
    "TableDef",
    "TableType",
    "TypeDef",
    "TypeName",
    "UniqueConstraintDef",
    "ValidationError",
    "ValidationErrors",
    "ViewDef",
    "Visibility",
    "decode",
    "plan_migration",
    "read_served_v9",
    "read_served_v10",
    "serve_v9",
    "serve_v10",
    "validate",
]
