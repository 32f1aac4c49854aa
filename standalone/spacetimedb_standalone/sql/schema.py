"""What SQL knows of a database: its tables as a caller may see them, and where their rows are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Protocol

from spacetimedb_lib.sats.bsatn import Codec, codec
from spacetimedb_lib.sats.types import AlgebraicType, Element, Product

from .layout import Layout, layout_of


class View(Enum):
    """Whether a table is the backing table of a view, and whose rows it shows."""

    NONE = auto()
    ANONYMOUS = auto()
    SENDER = auto()
    """Every identity has an instance of its own."""


@dataclass(frozen=True, slots=True)
class ColumnDef:
    name: str
    accessor: str
    """The name in the module's source; both names are understood."""
    type: AlgebraicType
    """Without references."""


@dataclass(frozen=True, slots=True)
class IndexDef:
    id: int
    name: str
    columns: tuple[int, ...]
    unique: bool


@dataclass(frozen=True)
class TableDef:
    """A table. The first column of a view's backing table is the hidden `arg_hash: U256`."""

    id: int
    name: str
    accessor: str
    columns: tuple[ColumnDef, ...]
    indexes: tuple[IndexDef, ...] = ()
    """In schema order: the first of equally good ones is used."""
    public: bool = True
    system: bool = False
    event: bool = False
    view: View = View.NONE

    @property
    def hidden(self) -> int:
        """How many leading columns no caller ever sees."""
        return 0 if self.view is View.NONE else 1

    @cached_property
    def row_type(self) -> Product:
        """The rows as stored."""
        return Product(tuple(Element(column.name, column.type) for column in self.columns))

    @cached_property
    def codec(self) -> Codec:
        """Of the rows as stored."""
        return codec(self.row_type)

    @cached_property
    def layout(self) -> Layout:
        return layout_of(tuple(column.type for column in self.columns))

    @cached_property
    def visible_type(self) -> Product:
        """The rows as `SELECT *` shows them."""
        return Product(self.row_type.elements[self.hidden :])

    @cached_property
    def _positions(self) -> dict[str, int]:
        named = list(enumerate(self.columns))[self.hidden :]
        canonical = {column.name: position for position, column in named}
        return canonical | {column.accessor: position for position, column in named}

    def position_of(self, name: str) -> int | None:
        """The column of that accessor or, failing that, of that canonical name."""
        return self._positions.get(name)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `identity` is in BSATN order: 32 bytes, little-endian."""

    identity: bytes
    is_owner: bool


class Catalog(Protocol):
    """The tables of one database. What was compiled against it holds good while `version` is the same."""

    @property
    def version(self) -> int: ...

    def table_named(self, name: str) -> TableDef | None:
        """By canonical name or, failing that, by accessor name. Dotted names are one string."""

    def table_by_id(self, table_id: int) -> TableDef | None: ...

    def tables(self) -> Iterable[TableDef]:
        """All of them, system tables included."""

    def rules(self, table_id: int) -> Sequence[str]:
        """Texts of the row-level rules that protect a table from everybody but the owner."""


class Rows(Protocol):
    """Where rows are read: the engine's store. Rows are BSATN."""

    def scan(self, table_id: int, /) -> list[bytes]: ...

    def seek(self, index_id: int, point: bytes, /) -> list[bytes]:
        """The rows whose indexed columns are `point`, the BSATN of each after the other."""

    def count(self, table_id: int, /) -> int: ...


class Store(Rows, Protocol):
    """Where rows are written: the engine's store inside a transaction."""

    def insert(self, table_id: int, row: bytes, /) -> bytes:
        """The row as stored, generated columns filled."""

    def delete(self, table_id: int, row: bytes, /) -> bool:
        """Whether the row was there."""


class Views(Protocol):
    """Who computes the rows of views."""

    def materialize(self, view: TableDef, sender: bytes | None, /) -> None:
        """See to it that the rows of this instance are in its table. `sender` is None if anonymous."""

    def retain(self, view: TableDef, sender: bytes | None, /) -> None:
        """One more query set watches this instance."""

    def release(self, view: TableDef, sender: bytes | None, /) -> None: ...


class NoViews:
    """For a database without views, and for readers that never compute any."""

    def materialize(self, view: TableDef, sender: bytes | None, /) -> None:
        pass

    def retain(self, view: TableDef, sender: bytes | None, /) -> None:
        pass

    def release(self, view: TableDef, sender: bytes | None, /) -> None:
        pass


def readable(table: TableDef | None, caller: Caller) -> bool:
    """Whether the table exists as far as this caller is concerned."""
    return table is not None and (table.public or caller.is_owner)
