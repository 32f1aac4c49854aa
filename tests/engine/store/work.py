"""A run of operations on a store, described by plain lists, and everything that can be seen of it.

Run as a program it reads one list of operations a line (JSON) and writes what came of it, a line each: so that one form
of the engine can be compared with the other.
"""

import json
import sys
from typing import Any

from spacetimedb_engine import EngineError, Store, is_compiled

U8, U32, I64, U256, F64, STRING, BOOL = 7, 11, 12, 17, 19, 4, 5
TABLES = {
    4096: ([U32, I64], 0),
    4097: ([STRING, U256, BOOL], 0),
    4098: ([U8, U8], 0),
    4099: ([F64, STRING], 0),
    4100: ([U32, STRING], 1),
    4101: ([U32, STRING], 2),
}
INDEXES = {
    1: (4096, 0, True, [0]),
    2: (4096, 0, False, [1, 0]),
    10: (4097, 1, True, [1]),
    11: (4097, 0, False, [0, 2]),
    20: (4098, 2, False, [1]),
    30: (4099, 0, True, [0]),
    31: (4099, 0, False, [1]),
    40: (4100, 0, True, [0]),
    50: (4101, 0, False, [1, 0]),
}


def row_type(kinds: list[int]) -> bytes:
    """BSATN of a product type with unnamed elements of those types."""
    return b"\2" + len(kinds).to_bytes(4, "little") + b"".join(b"\1" + bytes([kind]) for kind in kinds)


def new_store() -> Store:
    store = Store(99)
    for table_id, (kinds, flags) in TABLES.items():
        store.create_table(table_id, row_type(kinds), flags)
        store.watch(table_id, True)
    for index_id, (table_id, kind, unique, columns) in INDEXES.items():
        store.create_index(index_id, table_id, kind, unique, columns)
    store.create_sequence(1, 4096, 0, 1, 1, 1 << 100, 3, 1)
    return store


def seen(value: Any) -> Any:
    """Bytes as hex, so that JSON can carry them."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [seen(each) for each in value]
    return value


def step(store: Store, name: str, *given: Any) -> Any:
    """One operation; what it answered, or how it was refused."""
    arguments = [bytes.fromhex(each) if isinstance(each, str) else each for each in given]
    try:
        if name == "commit":
            return seen([store.commit(*arguments), store.take_delta(), store.take_log()])
        if name == "insert":
            return seen([store.insert(*arguments), store.generated_columns()])
        return seen(getattr(store, name)(*arguments))
    except (EngineError, MemoryError) as error:
        return [type(error).__name__, str(error)]


def run(operations: list[list[Any]]) -> list[Any]:
    """What every operation answered, and at the end all rows in the order in which they lie, and the memory they take."""
    store = new_store()
    answers = [step(store, *operation) for operation in operations]
    answers += [step(store, "scan", table_id) for table_id in TABLES]
    answers += [step(store, "range", index_id, "", 0, "02", "02") for index_id in INDEXES]
    return [*answers, store.next_offset]


if __name__ == "__main__":
    print(json.dumps(is_compiled()), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
