"""Commit and rollback: what goes into the log, what watchers are told, and that nothing remains of what was taken back."""

from collections.abc import Callable

import pytest

from spacetimedb_engine import EngineError, Store
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import STRING, U8, U32, product

ROW = product(id=U32, n=U32)
NAMED = product(id=U32, name=STRING, n=U8)
TABLE, ID, N = 4096, 1, 2
NAMES, NAMES_ID, NAME = 4097, 10, 11
EVENTS, SHADOWS = 4098, 4099
COMMIT_HEADER = 22


def row(id_: int, n: int) -> bytes:
    return codec(ROW).encode((id_, n))


def named(id_: int, name: str, n: int = 0) -> bytes:
    return codec(NAMED).encode((id_, name, n))


@pytest.fixture
def store() -> Store:
    """Four tables: numbers, names, events (never kept) and shadows (never logged), with a few committed rows. Open."""
    store = Store()
    store.create_table(TABLE, encode_type(ROW))
    store.create_index(ID, TABLE, 0, True, [0])
    store.create_index(N, TABLE, 0, False, [1])
    store.create_table(NAMES, encode_type(NAMED))
    store.create_index(NAMES_ID, NAMES, 0, True, [0])
    store.create_index(NAME, NAMES, 0, True, [1])
    store.create_table(EVENTS, encode_type(ROW), 1)
    store.create_table(SHADOWS, encode_type(ROW), 2)
    for table_id in (TABLE, NAMES, EVENTS, SHADOWS):
        store.watch(table_id, True)
    store.begin()
    store.apply(TABLE, [row(i, 10 * i) for i in range(4)], [])
    store.apply(NAMES, [named(i, f"name {i}") for i in range(4)], [])
    store.commit()
    store.take_log()
    store.take_delta()
    store.begin()
    return store


def record(store: Store) -> bytes:
    """The record of the only commit in the log."""
    return store.take_log()[COMMIT_HEADER:-4]


def everything(store: Store) -> list[list[bytes]]:
    """All that can be read, through all indexes."""
    every = b"\2"
    return [
        *(sorted(store.scan(table_id)) for table_id in (TABLE, NAMES, EVENTS, SHADOWS)),
        *(store.range(index_id, b"", 0, every, every) for index_id in (ID, N, NAMES_ID, NAME)),
        *([*store.seek(ID, i.to_bytes(4, "little"))] for i in range(8)),
    ]


def change_much(store: Store) -> None:
    store.update(TABLE, ID, row(0, 1))
    store.update(TABLE, ID, row(0, 2))
    store.delete(TABLE, row(0, 2))
    store.insert(TABLE, row(0, 3))
    store.update(TABLE, ID, row(0, 4))
    store.delete(TABLE, row(1, 10))
    store.insert(TABLE, row(7, 7))
    store.delete(TABLE, row(7, 7))
    for i in range(100, 400):
        store.insert(TABLE, row(i, i))
    store.update(NAMES, NAMES_ID, named(0, "a much longer name than it had before", 5))
    store.update(NAMES, NAME, named(9, "name 1"))
    store.delete(NAMES, named(9, "name 1"))
    store.insert(NAMES, named(1, "name 0"))
    store.insert(EVENTS, row(1, 1))
    store.insert(SHADOWS, row(1, 1))
    store.clear(TABLE)
    store.insert(TABLE, row(2, 20))


class TestRollback:
    def test_nothing_remains(self, store: Store) -> None:
        before = everything(store)
        change_much(store)
        assert everything(store) != before
        store.rollback()
        assert everything(store) == before
        assert not store.in_transaction
        assert store.take_log() == b""

    def test_work_goes_on_afterwards(self, store: Store) -> None:
        change_much(store)
        store.rollback()
        store.begin()
        store.insert(TABLE, row(9, 9))
        assert store.commit() == 1
        assert store.take_delta() == [(TABLE, [row(9, 9)], [])]

    def test_memory_is_not_lost_over_many_rollbacks(self, store: Store) -> None:
        change_much(store)
        store.rollback()
        held = store.memory_in_use()
        for _ in range(20):
            store.begin()
            change_much(store)
            store.rollback()
        assert store.memory_in_use() <= held


class TestNetEffect:
    """The log and the delta tell the difference between before and after, however it came about."""

    def delta(self, store: Store) -> list[tuple[int, list[bytes], list[bytes]]]:
        store.commit()
        return store.take_delta()

    def test_an_update_is_a_delete_and_an_insert(self, store: Store) -> None:
        store.update(TABLE, ID, row(1, 11))
        assert self.delta(store) == [(TABLE, [row(1, 11)], [row(1, 10)])]

    def test_of_many_updates_the_first_and_the_last_count(self, store: Store) -> None:
        for n in range(50):
            store.update(TABLE, ID, row(1, n))
            store.update(NAMES, NAMES_ID, named(1, "n" * n))
        assert self.delta(store) == [
            (TABLE, [row(1, 49)], [row(1, 10)]),
            (NAMES, [named(1, "n" * 49)], [named(1, "name 1")]),
        ]

    def test_there_and_back_again_is_nothing(self, store: Store) -> None:
        store.update(TABLE, ID, row(1, 11))
        store.update(TABLE, ID, row(1, 10))
        store.update(NAMES, NAMES_ID, named(1, "other"))
        store.update(NAMES, NAMES_ID, named(1, "name 1"))
        assert store.commit() == -1
        assert store.take_delta() == []
        assert store.take_log() == b""

    def test_delete_and_the_same_insert_is_nothing(self, store: Store) -> None:
        store.delete(TABLE, row(1, 10))
        store.insert(TABLE, row(1, 10))
        store.delete(NAMES, named(2, "name 2"))
        store.insert(NAMES, named(2, "name 2"))
        assert store.commit() == -1
        assert store.contains(TABLE, row(1, 10))

    def test_insert_and_delete_is_nothing(self, store: Store) -> None:
        store.insert(TABLE, row(8, 8))
        store.update(TABLE, ID, row(8, 9))
        store.delete(TABLE, row(8, 9))
        assert store.commit() == -1

    def test_rows_that_change_places_are_nothing(self, store: Store) -> None:
        for i in (1, 2, 3):
            store.delete(NAMES, named(i, f"name {i}"))
            store.delete(TABLE, row(i, 10 * i))
        for i in (2, 3, 1):
            store.insert(NAMES, named(i, f"name {i}"))
            store.insert(TABLE, row(i, 10 * i))
        assert store.commit() == -1

    def test_a_row_that_returns_through_another_key_is_nothing(self, store: Store) -> None:
        store.update(NAMES, NAMES_ID, named(1, "x"))
        store.update(NAMES, NAME, named(5, "x"))
        store.insert(NAMES, named(1, "name 1"))
        assert self.delta(store) == [(NAMES, [named(5, "x")], [])]

    def test_tables_come_in_order_of_their_ids(self, store: Store) -> None:
        for table_id in (SHADOWS, TABLE, EVENTS):
            store.insert(table_id, row(50, 50))
        store.insert(NAMES, named(50, "fifty"))
        assert [table_id for table_id, _, _ in self.delta(store)] == [TABLE, NAMES, EVENTS, SHADOWS]

    def test_only_watched_tables_are_told_of_and_only_once(self, store: Store) -> None:
        store.watch(TABLE, False)
        store.insert(TABLE, row(50, 50))
        store.insert(NAMES, named(50, "fifty"))
        assert self.delta(store) == [(NAMES, [named(50, "fifty")], [])]
        assert store.take_delta() == []

    def test_a_table_can_be_watched_before_it_exists(self, store: Store) -> None:
        store.watch(5000, True)
        store.create_table(5000, encode_type(ROW))
        store.insert(5000, row(1, 1))
        assert self.delta(store) == [(5000, [row(1, 1)], [])]


class TestRecords:
    def test_inputs_come_first(self, store: Store) -> None:
        store.insert(TABLE, row(9, 9))
        assert store.commit(b"\3addARGS") == 1
        assert record(store) == bytes.fromhex("a008000000") + b"\3addARGS" + bytes.fromhex(
            "01 00100000 01 09000000 09000000 00 00"
        )

    def test_an_emptied_table_is_truncated(self, store: Store) -> None:
        store.clear(TABLE)
        store.commit()
        assert record(store) == bytes.fromhex("20 00 00 01 00100000")
        assert len(store.take_delta()[0][2]) == 4

    def test_deleting_the_last_row_truncates_and_one_of_several_does_not(self, store: Store) -> None:
        for i in range(3):
            store.delete(TABLE, row(i, 10 * i))
        store.commit()
        assert record(store)[:8] == bytes.fromhex("20 00 01 00100000 03")
        store.begin()
        store.delete(TABLE, row(3, 30))
        store.commit()
        assert record(store) == bytes.fromhex("20 00 00 01 00100000")

    def test_emptied_and_filled_is_not_truncated(self, store: Store) -> None:
        store.clear(TABLE)
        store.insert(TABLE, row(9, 9))
        store.commit()
        written = record(store)
        assert written[:16] == bytes.fromhex("20 01 00100000 01 09000000 09000000 01")
        assert written[-1] == 0

    def test_a_dropped_table_is_truncated_only_if_it_had_rows(self, store: Store) -> None:
        store.create_table(5000, encode_type(ROW))
        store.insert(5000, row(1, 1))
        store.drop_table(5000)
        store.drop_table(TABLE)
        store.drop_table(EVENTS)
        store.commit()
        assert record(store) == bytes.fromhex("20 00 00 01 00100000")

    def test_events_are_logged_and_told_and_then_gone(self, store: Store) -> None:
        store.insert(EVENTS, row(1, 1))
        store.insert(EVENTS, row(2, 2))
        store.delete(EVENTS, row(1, 1))
        assert store.scan(EVENTS) == [row(2, 2)]
        assert store.commit() == 1
        assert store.count(EVENTS) == 0
        assert store.take_delta() == [(EVENTS, [row(2, 2)], [])]
        assert record(store) == bytes.fromhex("20 01 02100000 01 02000000 02000000 00 00")
        store.begin()
        store.insert(EVENTS, row(2, 2))
        assert store.commit() == 2

    def test_shadows_take_no_offset_and_leave_no_trace_but_are_kept(self, store: Store) -> None:
        store.insert(SHADOWS, row(1, 1))
        assert store.commit() == -1
        assert store.take_delta() == [(SHADOWS, [row(1, 1)], [])]
        assert store.take_log() == b""
        assert store.scan(SHADOWS) == [row(1, 1)]

    def test_an_offset_can_be_forced(self, store: Store) -> None:
        assert store.commit(b"\1c", force=True) == 1
        assert record(store) == bytes.fromhex("a0 02000000 01 63 00 00 00")
        assert store.next_offset == 2

    def test_the_epoch_and_the_offset_are_in_the_frame(self, store: Store) -> None:
        store.next_offset, store.epoch = 1 << 40, 7
        store.insert(TABLE, row(9, 9))
        assert store.commit() == 1 << 40
        assert store.take_log()[:18] == (1 << 40).to_bytes(8, "little") + (7).to_bytes(8, "little") + b"\1\0"

    def test_many_rows_take_a_count_of_several_bytes(self, store: Store) -> None:
        for i in range(1000, 1300):
            store.insert(TABLE, row(i, 0))
        store.commit()
        assert record(store)[1:8] == b"\1" + TABLE.to_bytes(4, "little") + b"\xac\2"


class TestDefinitions:
    """Changes of definitions are part of the transaction."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda store: store.drop_table(TABLE),
            lambda store: store.drop_index(N),
            lambda store: store.drop_index(ID),
            lambda store: store.drop_index(NAME),
            lambda store: store.create_index(99, TABLE, 1, True, [1]),
            lambda store: store.create_table(5000, encode_type(ROW)),
            lambda store: store.alter_table(TABLE, encode_type(product(id=U32, other=U32))),
            lambda store: store.create_sequence(99, TABLE, 0, 1, 1, 1 << 100, 1, 1),
        ],
        ids=["drop", "drop-n", "drop-id", "drop-name", "index", "create", "alter", "sequence"],
    )
    def test_are_taken_back(self, store: Store, change: Callable[[Store], None]) -> None:
        before = everything(store)
        change(store)
        store.rollback()
        assert everything(store) == before
        store.begin()
        store.create_index(99, TABLE, 1, True, [1])
        store.create_table(5000, encode_type(ROW))
        store.insert(TABLE, row(77, 77))
        with pytest.raises(EngineError):
            store.insert(TABLE, row(77, 78))
        store.commit()

    def test_are_taken_back_with_rows_before_between_and_after(self, store: Store) -> None:
        before = everything(store)
        store.insert(TABLE, row(50, 50))
        store.update(TABLE, ID, row(1, 11))
        store.drop_index(N)
        store.delete(TABLE, row(50, 50))
        store.update(TABLE, ID, row(1, 12))
        store.insert(TABLE, row(51, 51))
        store.drop_index(ID)
        store.insert(TABLE, row(51, 52))
        store.insert(TABLE, row(51, 53))
        store.delete(TABLE, row(51, 52))
        store.create_index(99, TABLE, 0, False, [1])
        store.insert(TABLE, row(51, 54))
        store.drop_table(NAMES)
        store.clear(TABLE)
        store.rollback()
        assert everything(store) == before

    def test_a_table_that_loses_its_unique_index_is_still_a_set(self, store: Store) -> None:
        store.drop_index(ID)
        store.insert(TABLE, row(1, 10))
        assert store.count(TABLE) == 4
        store.insert(TABLE, row(1, 11))
        assert store.count(TABLE) == 5
        store.commit()
        store.begin()
        store.delete(TABLE, row(1, 11))
        store.create_index(ID, TABLE, 0, True, [0])
        with pytest.raises(EngineError):
            store.insert(TABLE, row(1, 11))

    def test_a_dropped_table_is_gone(self, store: Store) -> None:
        store.drop_table(TABLE)
        for call in (
            lambda: store.scan(TABLE),
            lambda: store.seek(ID, bytes(4)),
            lambda: store.insert(TABLE, row(1, 1)),
        ):
            with pytest.raises(EngineError):
                call()
        store.commit()
        store.begin()
        store.create_table(TABLE, encode_type(NAMED))
        store.insert(TABLE, named(1, "x"))
        store.commit()

    def test_rows_stay_when_their_type_grows(self, store: Store) -> None:
        before = everything(store)
        store.alter_table(TABLE, encode_type(product(id=U32, renamed=U32)))
        assert everything(store) == before
        store.insert(TABLE, row(50, 50))
        assert store.commit() == 1
        assert store.seek(ID, (50).to_bytes(4, "little")) == [row(50, 50)]

    def test_rows_that_are_no_values_of_the_new_type_keep_it_out(self, store: Store) -> None:
        with pytest.raises(EngineError, match="no value of its new type"):
            store.alter_table(TABLE, encode_type(NAMED))
        store.insert(TABLE, row(50, 50))
        with pytest.raises(EngineError, match="have changed in this transaction"):
            store.alter_table(TABLE, encode_type(ROW))
