"""Whole tables out of one store and into another: what comes out goes in, and works like rows that were inserted."""

import pytest

from spacetimedb_engine import EngineError, ReplayError, SchemaError, Store, UniqueViolation
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import I64, STRING, U32, product

ACCOUNT = product(id=U32, balance=I64)
NOTE = product(author=U32, text=STRING)
ACCOUNTS, NOTES = 4096, 4097
ACCOUNT_ID, AUTHOR = 1, 2


def account(id_: int) -> bytes:
    return codec(ACCOUNT).encode((id_, id_ * 3))


def note(author: int) -> bytes:
    return codec(NOTE).encode((author, "x" * (author % 300)))


def tables() -> Store:
    store = Store(1)
    store.create_table(ACCOUNTS, encode_type(ACCOUNT))
    store.create_table(NOTES, encode_type(NOTE))
    return store


def indexes(store: Store) -> None:
    store.create_index(ACCOUNT_ID, ACCOUNTS, 0, True, [0])
    store.create_index(AUTHOR, NOTES, 0, False, [0])


def filled(count: int) -> Store:
    store = tables()
    indexes(store)
    store.begin()
    for number in range(count):
        store.insert(ACCOUNTS, account(number))
        store.insert(NOTES, note(number))
    store.commit()
    return store


def pieces(store: Store, table_id: int, limit: int) -> list[tuple[bytes, int]]:
    taken, slot = [], 0
    while slot >= 0:
        rows, count, slot = store.export(table_id, slot, limit)
        taken.append((rows, count))
    return taken


def copied(store: Store, limit: int) -> Store:
    other = tables()
    for table_id in (ACCOUNTS, NOTES):
        for rows, count in pieces(store, table_id, limit):
            other.load(table_id, rows, count)
    indexes(other)
    other.loaded()
    return other


@pytest.mark.parametrize("limit", [1, 5_000, 1 << 30])
@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_a_copy_holds_the_same_rows(count: int, limit: int) -> None:
    store = filled(count)
    copy = copied(store, limit)
    for table_id in (ACCOUNTS, NOTES):
        assert sorted(copy.scan(table_id)) == sorted(store.scan(table_id))
        assert copy.count(table_id) == count


def test_pieces_end_with_the_row_that_reaches_the_limit() -> None:
    sizes = [len(rows) for rows, _ in pieces(filled(5_000), ACCOUNTS, 20_000)]
    assert sizes == [20_004, 20_004, 19_992]


def test_deleted_rows_do_not_come_out() -> None:
    store = filled(3_000)
    store.begin()
    for number in range(0, 3_000, 2):
        store.delete(ACCOUNTS, account(number))
    store.commit()
    assert sorted(copied(store, 1_000).scan(ACCOUNTS)) == sorted(account(n) for n in range(1, 3_000, 2))


def test_a_copy_goes_on_like_the_original() -> None:
    copy = copied(filled(100), 1 << 20)
    copy.begin()
    with pytest.raises(UniqueViolation):
        copy.insert(ACCOUNTS, codec(ACCOUNT).encode((7, 0)))
    copy.rollback()
    copy.begin()
    copy.update(ACCOUNTS, ACCOUNT_ID, codec(ACCOUNT).encode((7, 1)))
    copy.insert(NOTES, note(5))
    assert copy.delete(NOTES, note(6))
    copy.commit()
    assert copy.count(NOTES) == 99, (
        "a row that is there already is no second one, in a table without a key either"
    )
    assert copy.seek(ACCOUNT_ID, (7).to_bytes(4, "little")) == [codec(ACCOUNT).encode((7, 1))]


def test_a_log_goes_on_where_the_copy_was_taken() -> None:
    store = filled(10)
    copy = copied(store, 1 << 20)
    store.take_log()
    copy.next_offset = store.next_offset
    store.begin()
    store.update(ACCOUNTS, ACCOUNT_ID, codec(ACCOUNT).encode((3, -1)))
    store.delete(NOTES, note(4))
    store.insert(ACCOUNTS, account(50))
    store.commit()
    copy.replay(store.take_log())
    copy.check_unique()
    for table_id in (ACCOUNTS, NOTES):
        assert sorted(copy.scan(table_id)) == sorted(store.scan(table_id))


def test_what_is_no_rows_is_refused() -> None:
    store = tables()
    with pytest.raises(ReplayError, match="byte 12 of 2 rows for table 4096"):
        store.load(ACCOUNTS, account(1) + b"\0", 2)
    with pytest.raises(ReplayError):
        tables().load(ACCOUNTS, account(1) + b"\0", 1)
    with pytest.raises(ReplayError):
        tables().load(NOTES, note(9)[:-1], 1)


def test_a_row_that_stands_twice_is_refused() -> None:
    store = tables()
    store.load(NOTES, note(3) * 2, 2)
    with pytest.raises(ReplayError, match="table 4097 holds a row twice"):
        store.loaded()
    store = tables()
    store.load(ACCOUNTS, account(3) * 2, 2)
    with pytest.raises(UniqueViolation):
        indexes(store)


def test_not_inside_a_transaction_and_not_behind_indexes() -> None:
    store = filled(1)
    with pytest.raises(SchemaError, match="has indexes"):
        store.load(ACCOUNTS, account(2), 1)
    store.begin()
    with pytest.raises(EngineError, match="outside of any"):
        store.export(ACCOUNTS, 0, 1)
    with pytest.raises(EngineError, match="outside of any"):
        store.load(NOTES, note(2), 1)
