"""How much memory a process really has more because of the rows in a store. A program for `test_memory_use`:

    python resident.py accounts|named ROWS

It fills a table in one transaction, empties it, and prints a JSON object: bytes the process had before, with the rows,
and after they were gone, and what the store itself says it holds.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from spacetimedb_engine import Store, prepare_memory

U32, I64, U64, STRING = 11, 12, 13, 4
MIX = 0x9E3779B97F4A7C15
TABLE = 1


def product(*kinds: int) -> bytes:
    """BSATN of a product type with unnamed elements of those types."""
    return b"\2" + len(kinds).to_bytes(4, "little") + b"".join(b"\1" + bytes([kind]) for kind in kinds)


def accounts(store: Store) -> None:
    """Number and balance; the number is the primary key."""
    store.create_table(TABLE, product(U32, I64))
    store.create_index(1, TABLE, 0, True, [0])


def account_rows(count: int) -> Iterator[bytes]:
    return (struct.pack("<Iq", i, 0) for i in range(count))


def named(store: Store) -> None:
    """An id and a name of 20 letters, the one unique, the other with an index."""
    store.create_table(TABLE, product(U64, STRING))
    store.create_index(1, TABLE, 0, True, [0])
    store.create_index(2, TABLE, 0, False, [1])


def named_rows(count: int) -> Iterator[bytes]:
    """In no order at all."""
    for i in range(count):
        mixed = i * MIX & (1 << 64) - 1
        yield struct.pack("<QI", mixed >> 4, 20) + f"{mixed:020x}".encode()


SHAPES = {"accounts": (accounts, account_rows), "named": (named, named_rows)}


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(shape: str, count: int) -> None:
    prepare_memory()
    create, rows = SHAPES[shape]
    store = Store()
    create(store)
    for _ in rows(1000):  # what Python itself needs for this is there before
        pass
    before = resident()
    store.begin()
    for row in rows(count):
        store.insert(TABLE, row)
    store.commit()
    store.take_log()
    full, says = resident(), store.memory_in_use()
    store.begin()
    store.clear(TABLE)
    store.commit()
    store.take_log()
    print(json.dumps({"before": before, "full": full, "emptied": resident(), "says": says}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
