"""What rows cost, and that what is given up comes back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spacetimedb_engine import Store, is_compiled
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import I64, STRING, U32, U64, product

ACCOUNT = product(id=U32, balance=I64)
NAMED = product(id=U64, name=STRING)
ROWS = 1_000_000
KIB, MIB = 1024, 1 << 20
mix = 0x9E3779B97F4A7C15


def accounts(count: int, *, index: bool = True) -> Store:
    store = Store()
    store.create_table(1, encode_type(ACCOUNT))
    if index:
        store.create_index(1, 1, 0, True, [0])
    store.begin()
    for i in range(count):
        store.insert(1, i.to_bytes(4, "little") + bytes(8))
    store.commit()
    store.take_log()
    return store


def named(count: int) -> Store:
    """Ids and names in no order at all."""
    store = Store()
    store.create_table(1, encode_type(NAMED))
    store.create_index(1, 1, 0, True, [0])
    store.create_index(2, 1, 0, False, [1])
    store.begin()
    for i in range(count):
        name = f"{i * mix & (1 << 64) - 1:020x}"[-20:]
        store.insert(1, codec(NAMED).encode((i * mix >> 3 & (1 << 60) - 1, name)))
    store.commit()
    store.take_log()
    return store


needs_real_memory = pytest.mark.skipif(
    not is_compiled() or not Path("/proc/self/statm").exists(),
    reason="what a process has is measured for the compiled engine, where the system tells",
)


def resident(shape: str) -> dict[str, int]:
    """Bytes that a process of its own has before, with, and after the rows; see `resident.py`."""
    program = Path(__file__).with_name("resident.py")
    done = subprocess.run([sys.executable, program, shape, str(ROWS)], capture_output=True, check=True)
    measured: dict[str, int] = json.loads(done.stdout)
    return measured


@needs_real_memory
@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "limit"),
    [
        pytest.param("accounts", 32, id="two numbers with a key: 32 bytes"),
        pytest.param("named", 85, id="a text of 20 with two indexes: 85 bytes"),
    ],
)
def test_a_row_takes_so_many_bytes_all_told_and_gives_them_back(shape: str, limit: int) -> None:
    """The process is measured, not the store's own account of itself, which has to be true too."""
    measured = resident(shape)
    taken = measured["full"] - measured["before"]
    assert taken / ROWS <= limit
    assert abs(taken - measured["says"]) < MIB
    assert measured["emptied"] - measured["before"] < MIB


@pytest.mark.parametrize(("make", "limit"), [("accounts", 32), ("named", 85)])
def test_the_store_says_no_more_when_there_are_few_rows(make: str, limit: int) -> None:
    assert {"accounts": accounts, "named": named}[make](20_000).memory_in_use() / 20_000 <= limit


@pytest.mark.parametrize("make", [accounts, named], ids=["accounts", "named"])
def test_an_emptied_table_gives_its_memory_back(make: object) -> None:
    store = make(20_000 if is_compiled() else 3_000)  # type: ignore[operator]  # either of two functions
    full = store.memory_in_use()
    store.begin()
    store.clear(1)
    store.commit()
    assert store.memory_in_use() < min(full / 3, 200 * KIB)


def test_room_that_was_freed_is_used_again() -> None:
    store = named(3_000)
    rows = store.scan(1)
    held = store.memory_in_use()
    for start in range(0, 3_000, 500):
        store.begin()
        store.apply(1, [], rows[start : start + 500])
        store.commit()
        store.begin()
        store.apply(1, rows[start : start + 500], [])
        store.commit()
    assert store.memory_in_use() <= held * 1.1
    assert sorted(store.scan(1)) == sorted(rows)


def test_half_of_the_rows_in_no_order_leave_the_indexes_whole() -> None:
    store = named(4_000)
    rows = sorted(store.scan(1))
    gone, kept = rows[::2] + rows[1::8], [row for i, row in enumerate(rows) if i % 2 and i % 8 != 1]
    store.begin()
    store.apply(1, [], gone)
    store.commit()
    assert sorted(store.range(2, b"", 0, b"\2", b"\2")) == kept
    assert all(store.seek(1, row[:8]) == [row] for row in kept)
    assert not any(store.seek(1, row[:8]) for row in gone)


def test_an_empty_table_costs_little() -> None:
    store = accounts(1)
    assert store.memory_in_use() < 2 * KIB


def test_a_large_row_takes_its_length_and_goes() -> None:
    store = Store()
    store.create_table(1, encode_type(NAMED))
    store.begin()
    row = codec(NAMED).encode((1, "x" * (1 << 20)))
    store.insert(1, row)
    assert len(row) < store.memory_in_use() < len(row) * 1.1
    store.delete(1, row)
    store.commit()
    assert store.memory_in_use() < 10 * KIB
