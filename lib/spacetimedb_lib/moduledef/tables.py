"""Validated tables and what belongs to them. Everything here is known to be sound; nothing here has ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from spacetimedb_lib.moduledef.raw_common import TableAccess, TableType
from spacetimedb_lib.sats.resolve import resolve
from spacetimedb_lib.sats.types import AlgebraicType, Element, Product, Typespace


@dataclass(frozen=True, order=True)
class Namespace:
    """Where in the tree of submodules something belongs: one name per level, none for the root.

    `accessors` are the names of the levels in the source, which differ from `path` only by newer rules
    (`Edition.V2_14`) or explicit names.
    """

    path: tuple[str, ...] = ()
    accessors: tuple[str, ...] = ()

    def qualify(self, name: str) -> str:
        """The name that the database knows: `inventory.item`."""
        return ".".join((*self.path, name))

    def qualify_accessor(self, accessor: str) -> str:
        return ".".join((*self.accessors, accessor))

    def child(self, name: str, accessor: str) -> Namespace:
        return Namespace((*self.path, name), (*self.accessors, accessor))


ROOT = Namespace()


class IndexKind(Enum):
    BTREE = "BTree"
    HASH = "Hash"
    DIRECT = "Direct"


@dataclass(frozen=True)
class IndexDef:
    """An index. `name` is canonical, modules look it up by `source_name`, clients call it `accessor`."""

    namespace: Namespace
    name: str
    source_name: str
    accessor: str | None
    kind: IndexKind
    columns: tuple[int, ...]

    @property
    def full_name(self) -> str:
        return self.namespace.qualify(self.name)

    @property
    def full_source_name(self) -> str:
        """The alias that the database stores for look-ups by modules."""
        return self.namespace.qualify_accessor(self.source_name)


@dataclass(frozen=True)
class UniqueConstraintDef:
    """`columns` are sorted."""

    namespace: Namespace
    name: str
    columns: tuple[int, ...]

    @property
    def full_name(self) -> str:
        return self.namespace.qualify(self.name)


@dataclass(frozen=True)
class SequenceDef:
    """The numbers are None where the module left them to the database."""

    namespace: Namespace
    name: str
    column: int
    start: int | None
    min_value: int | None
    max_value: int | None
    increment: int

    @property
    def full_name(self) -> str:
        return self.namespace.qualify(self.name)


class FunctionKind(Enum):
    REDUCER = "reducer"
    PROCEDURE = "procedure"


@dataclass(frozen=True)
class ScheduleDef:
    """`function` is the canonical name of a reducer or procedure of the same module."""

    namespace: Namespace
    name: str
    at_column: int
    id_column: int
    function: str
    function_kind: FunctionKind

    @property
    def full_name(self) -> str:
        return self.namespace.qualify(self.name)

    @property
    def full_function(self) -> str:
        return self.namespace.qualify(self.function)


@dataclass(frozen=True)
class OutboxDef:
    """Rows of the table are calls of another database's reducer.

    `on_result` is the canonical name of the reducer that gets the outcome; `signature_hash` are 32 bytes.
    """

    remote_reducer: str
    target_column: int
    arg_columns: tuple[int, ...]
    on_result: str | None
    signature_hash: bytes


@dataclass(frozen=True)
class ColumnDef:
    """A column of a table or view. `type` may hold references into the module's typespace."""

    position: int
    name: str
    accessor: str
    type: AlgebraicType
    typespace: Typespace = field(repr=False, compare=False)
    default: bytes | None = None
    """BSATN of the value that rows get when the column is added."""

    @cached_property
    def resolved(self) -> AlgebraicType:
        """The type with references inlined. Raises `TypeRefError` for a recursive type."""
        return resolve(self.type, self.typespace)


@dataclass(frozen=True)
class TableDef:
    """A table. Mappings are by canonical name; names are local to the module (see `full_name`)."""

    namespace: Namespace
    name: str
    accessor: str
    product_type_ref: int
    columns: tuple[ColumnDef, ...]
    primary_key: int | None
    indexes: Mapping[str, IndexDef]
    constraints: Mapping[str, UniqueConstraintDef]
    sequences: Mapping[str, SequenceDef]
    schedule: ScheduleDef | None
    table_type: TableType
    access: TableAccess
    is_event: bool
    outbox: OutboxDef | None = None

    @property
    def full_name(self) -> str:
        """The name that the database stores: `person`, `inventory.item`."""
        return self.namespace.qualify(self.name)

    @property
    def full_accessor(self) -> str:
        return self.namespace.qualify_accessor(self.accessor)

    @cached_property
    def row_type(self) -> Product:
        """The type of a row with references inlined. Raises `TypeRefError` for a recursive type."""
        return Product(tuple(Element(column.name, column.resolved) for column in self.columns))

    def column(self, name: str) -> ColumnDef | None:
        """The column with this canonical name, else the one with this accessor."""
        by_name = (column for column in self.columns if column.name == name)
        by_accessor = (column for column in self.columns if column.accessor == name)
        return next(by_name, None) or next(by_accessor, None)
