"""The tables that SQL and subscriptions are tried on, with their rows.

player(id, name, level, online, x)      p1 ann, p2 bob, p3 cat
item(id, owner_id, kind, qty)           two of ann's, one of bob's
guild(gid, player_id)                   no index
acct(ident, conn, data, ts, uid, big, note)   one of A's, one of B's
st_var, st_sequence                     system tables, the latter with made-up columns
kv, secret (private), evt (an event table), hi_players (a view), my_acct (a view of the caller)
"""

from __future__ import annotations

from typing import Any

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    CONNECTION_ID,
    F32,
    I32,
    IDENTITY,
    STRING,
    TIMESTAMP,
    U8,
    U32,
    U64,
    U128,
    U256,
    UUID,
    AlgebraicType,
    SumValue,
    option,
    sum_of,
)
from spacetimedb_standalone.sql import Caller, TableDef, View
from spacetimedb_standalone.sql.binding import view_hash
from spacetimedb_standalone.sql.memory import MemoryCatalog, MemoryStore
from spacetimedb_standalone.sql.schema import ColumnDef, IndexDef

OWNER = Caller((0xFF).to_bytes(32, "little"), is_owner=True)
A = Caller((0x0A).to_bytes(32, "little"), is_owner=False)
B = Caller((0x0B).to_bytes(32, "little"), is_owner=False)


def table(
    number: int,
    name: str,
    columns: dict[str, AlgebraicType],
    unique: tuple[str, ...] = (),
    indexed: tuple[str, ...] = (),
    **more: Any,
) -> TableDef:
    """A table whose columns and indexes have their usual names."""
    names = list(columns)
    indexes = [
        IndexDef(number * 10 + i, f"{name}_{column}_idx_btree", (names.index(column),), column in unique)
        for i, column in enumerate((*unique, *indexed))
    ]
    more.setdefault("indexes", tuple(indexes))
    return TableDef(number, name, name, tuple(ColumnDef(c, c, t) for c, t in columns.items()), **more)


_VARIABLE = sum_of(
    Bool=BOOL, I8=U8, U8=U8, I16=U8, U16=U8, I32=U8, U32=U8, I64=U8, U64=U64, I128=U128, String=STRING
)
_PLAYER = {"id": U32, "name": STRING, "level": U8, "online": BOOL, "x": F32}
_ACCT = {
    "ident": IDENTITY,
    "conn": CONNECTION_ID,
    "data": BYTES,
    "ts": TIMESTAMP,
    "uid": UUID,
    "big": U256,
    "note": option(STRING),
}
TABLES = {
    each.name: each
    for each in (
        table(3, "st_sequence", {"sequence_id": U32, "increment": U32}, ("sequence_id",), system=True),
        table(8, "st_var", {"name": STRING, "value": _VARIABLE}, ("name",), system=True),
        table(4096, "player", _PLAYER, ("id",), ("level",)),
        table(4097, "item", {"id": U64, "owner_id": U32, "kind": STRING, "qty": I32}, ("id",), ("owner_id",)),
        table(4098, "guild", {"gid": U32, "player_id": U32}),
        table(4099, "acct", _ACCT, ("ident",)),
        table(4100, "kv", {"k": STRING, "v": STRING}, ("k",)),
        table(4101, "secret", {"id": U32, "v": STRING}, ("id",), public=False),
        table(4102, "evt", {"pid": U32, "msg": STRING}, event=True),
        table(4103, "hi_players", {"arg_hash": U256} | _PLAYER, (), ("arg_hash",), view=View.ANONYMOUS),
        table(4104, "my_acct", {"arg_hash": U256} | _ACCT, (), ("arg_hash",), view=View.SENDER),
    )
}

P1, P2, P3 = (1, "ann", 5, True, 1.5), (2, "bob", 7, False, 2.5), (3, "cat", 5, True, -1.0)
I1, I2, I3 = (1, 1, "sword", 2), (2, 1, "potion", 10), (3, 2, "sword", 1)
_AA = ((10,), (1,), b"\x01\x02", (1_739_202_330_000_000,), (1,), 10**40, SumValue(0, "hi"))
_AB = ((11,), (2,), b"\xff", (0,), (0,), 0, SumValue(1, ()))
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "player": [P1, P2, P3],
    "item": [I1, I2, I3],
    "guild": [(10, 1), (10, 2), (20, 1)],
    "acct": [_AA, _AB],
    "kv": [("5", "five")],
    "secret": [(1, "s")],
    "st_sequence": [(4096, 1)],
}


def encode(name: str, row: tuple[Any, ...]) -> bytes:
    return codec(TABLES[name].row_type).encode(row)


def decode(name: str, rows: list[bytes]) -> list[tuple[Any, ...]]:
    """Rows as clients see them, in order."""
    return sorted((codec(TABLES[name].visible_type).decode_exact(row) for row in rows), key=repr)


class SampleViews:
    """Computes the two views from their tables. It notes who retained and released what."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.retained: list[tuple[str, bytes | None]] = []

    def materialize(self, view: TableDef, sender: bytes | None, /) -> None:
        """In a transaction of its own, that nobody hears of."""
        self.refresh(view, sender)
        self._store.take_delta()

    def refresh(self, view: TableDef, sender: bytes | None) -> None:
        """In the open transaction."""
        table = TABLES["player"] if view.name == "hi_players" else TABLES["acct"]
        rows = self._store.scan(table.id)
        decoded = zip(rows, map(codec(table.row_type).decode_exact, rows), strict=True)
        if sender is None:
            wanted = [row for row, value in decoded if value[2] >= 7]
        else:
            wanted = [row for row in rows if row.startswith(sender)]
        for row in wanted:
            self._store.insert(view.id, view_hash(sender) + row)

    def retain(self, view: TableDef, sender: bytes | None, /) -> None:
        self.retained.append((view.name, sender))

    def release(self, view: TableDef, sender: bytes | None, /) -> None:
        self.retained.remove((view.name, sender))


class Sample:
    """The sample database, filled; `rules` by table name."""

    def __init__(self, rules: dict[str, list[str]] | None = None) -> None:
        by_id = {TABLES[name].id: texts for name, texts in (rules or {}).items()}
        self.catalog = MemoryCatalog(TABLES.values(), by_id)
        self.store = MemoryStore(TABLES.values())
        self.views = SampleViews(self.store)
        for name, rows in ROWS.items():
            for row in rows:
                self.store.insert(TABLES[name].id, encode(name, row))
        self.store.take_delta()

    def insert(self, name: str, *rows: tuple[Any, ...]) -> None:
        for row in rows:
            self.store.insert(TABLES[name].id, encode(name, row))

    def delete(self, name: str, *rows: tuple[Any, ...]) -> None:
        for row in rows:
            assert self.store.delete(TABLES[name].id, encode(name, row)), row
