"""What a database consists of right now: tables with their ids, columns, indexes and so on.

A `Schema` is a picture that never changes; the datastore makes a new one when a committed transaction
changes definitions. So whoever derives something from a schema may keep it as long as the schema is the same
object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property

from spacetimedb_lib.sats.bsatn import Codec, codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import AlgebraicType, Element, Product


class TableKind(StrEnum):
    """As `st_table.table_type` has it."""

    SYSTEM = "system"
    USER = "user"


class TableAccess(StrEnum):
    """As `st_table.table_access` has it."""

    PUBLIC = "public"
    PRIVATE = "private"


class IndexKind(IntEnum):
    """By the numbers of `Store.create_index`."""

    BTREE = 0
    HASH = 1
    DIRECT = 2


@dataclass(frozen=True)
class Column:
    position: int
    name: str
    accessor: str
    type: AlgebraicType
    """With no references left in it."""


@dataclass(frozen=True)
class Index:
    id: int
    table_id: int
    name: str
    accessor: str
    """The name by which modules look it up."""
    kind: IndexKind
    columns: tuple[int, ...]
    unique: bool


@dataclass(frozen=True)
class Constraint:
    """No two rows agree in all of these columns."""

    id: int
    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Sequence:
    id: int
    name: str
    column: int
    start: int
    minimum: int
    maximum: int
    increment: int
    allocated: int
    """What the disk knows: up to here values may have been given out. Not kept up to date in memory."""


@dataclass(frozen=True)
class Schedule:
    """`function` is the canonical name of a reducer or procedure."""

    id: int
    name: str
    function: str
    at_column: int
    id_column: int


@dataclass(frozen=True)
class View:
    id: int
    name: str
    is_anonymous: bool
    is_public: bool


@dataclass(frozen=True)
class RowLevelSecurity:
    """A rule that limits which rows of a table clients see."""

    table_id: int
    sql: str


@dataclass(frozen=True)
class Table:
    """A table. If it is the backing table of a `view`, its column 0, `arg_hash`, is not for clients."""

    id: int
    name: str
    accessor: str
    kind: TableKind
    access: TableAccess
    primary_key: int | None
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    constraints: tuple[Constraint, ...]
    sequences: tuple[Sequence, ...]
    schedule: Schedule | None
    is_event: bool
    view: View | None

    @cached_property
    def row_type(self) -> Product:
        return Product(tuple(Element(column.name, column.type) for column in self.columns))

    @cached_property
    def row_type_bytes(self) -> bytes:
        """BSATN of the row type, as the engine takes it."""
        return encode_type(self.row_type)

    @cached_property
    def codec(self) -> Codec:
        """Of the rows. Compiled at first use."""
        return codec(self.row_type)

    def column(self, name: str) -> Column | None:
        """By canonical name, else by accessor."""
        named = [column for column in self.columns if column.name == name]
        accessed = [column for column in self.columns if column.accessor == name]
        return next(iter(named + accessed), None)

    def index_on(self, columns: tuple[int, ...]) -> Index | None:
        """The index over exactly these columns in this order."""
        return next((index for index in self.indexes if index.columns == columns), None)


@dataclass(frozen=True)
class Schema:
    """Tables by id, in ascending order."""

    tables: Mapping[int, Table]
    row_level_security: tuple[RowLevelSecurity, ...] = ()

    def by_id(self, table_id: int) -> Table | None:
        return self.tables.get(table_id)

    def table(self, name: str) -> Table | None:
        """By canonical name, else by accessor."""
        return self._tables_by_name.get(name) or self._tables_by_accessor.get(name)

    def index(self, name: str) -> Index | None:
        """By canonical name, else by accessor."""
        return self._indexes_by_name.get(name) or self._indexes_by_accessor.get(name)

    def named(self, name: str) -> Table | None:
        """By canonical name only."""
        return self._tables_by_name.get(name)

    @cached_property
    def _tables_by_name(self) -> dict[str, Table]:
        return {table.name: table for table in self.tables.values()}

    @cached_property
    def _tables_by_accessor(self) -> dict[str, Table]:
        return {table.accessor: table for table in self.tables.values()}

    @cached_property
    def _indexes(self) -> tuple[Index, ...]:
        return tuple(index for table in self.tables.values() for index in table.indexes)

    @cached_property
    def _indexes_by_name(self) -> dict[str, Index]:
        return {index.name: index for index in self._indexes}

    @cached_property
    def _indexes_by_accessor(self) -> dict[str, Index]:
        return {index.accessor: index for index in self._indexes}
