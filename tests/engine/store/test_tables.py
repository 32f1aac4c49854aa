"""What a table does with rows: sets, keys, updates, deletes, and how it refuses."""

import pytest

from spacetimedb_engine import (
    IndexNotUnique,
    NoSuchIndex,
    NoSuchRow,
    NoSuchTable,
    NotInTransaction,
    RowDecodeError,
    SchemaError,
    Store,
    UniqueViolation,
    WrongIndexAlgorithm,
)
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import BOOL, I64, STRING, U8, U32, U64, product

ACCOUNT = product(id=U32, balance=I64)
PERSON = product(id=U64, name=STRING, age=U8)
ACCOUNTS, ACCOUNT_ID, BALANCE = 4096, 1, 2
PERSONS, PERSON_ID, NAME, AGE_NAME = 4097, 10, 11, 12
BTREE, HASH, DIRECT = 0, 1, 2
ALL = b"\2"


def account(id_: int, balance: int) -> bytes:
    return codec(ACCOUNT).encode((id_, balance))


def person(id_: int, name: str, age: int = 0) -> bytes:
    return codec(PERSON).encode((id_, name, age))


def text(value: str) -> bytes:
    return codec(STRING).encode(value)


@pytest.fixture
def store() -> Store:
    """Accounts with a primary key; persons with a primary key, a unique name, and an index on (age, name). Open."""
    store = Store()
    store.create_table(ACCOUNTS, encode_type(ACCOUNT))
    store.create_index(ACCOUNT_ID, ACCOUNTS, BTREE, True, [0])
    store.create_table(PERSONS, encode_type(PERSON))
    store.create_index(PERSON_ID, PERSONS, BTREE, True, [0])
    store.create_index(NAME, PERSONS, HASH, True, [1])
    store.create_index(AGE_NAME, PERSONS, BTREE, False, [2, 1])
    store.begin()
    return store


class TestInsert:
    def test_a_row_is_found_again(self, store: Store) -> None:
        assert store.insert(ACCOUNTS, account(1, 100)) == account(1, 100)
        assert store.insert(PERSONS, person(1, "ada", 36)) == person(1, "ada", 36)
        assert store.scan(ACCOUNTS) == [account(1, 100)]
        assert store.seek(NAME, text("ada")) == [person(1, "ada", 36)]
        assert store.contains(ACCOUNTS, account(1, 100))
        assert not store.contains(ACCOUNTS, account(1, 101))

    def test_the_same_row_again_is_no_error_and_no_second_row(self, store: Store) -> None:
        for _ in range(3):
            store.insert(PERSONS, person(1, "ada"))
        assert store.count(PERSONS) == 1

    def test_another_row_with_a_unique_key_is_refused(self, store: Store) -> None:
        store.insert(PERSONS, person(1, "ada"))
        with pytest.raises(UniqueViolation, match="index 10 has that key already") as refused:
            store.insert(PERSONS, person(1, "bob"))
        assert refused.value.index_id == PERSON_ID
        with pytest.raises(UniqueViolation) as refused:
            store.insert(PERSONS, person(2, "ada"))
        assert refused.value.index_id == NAME
        assert store.scan(PERSONS) == [person(1, "ada")]

    def test_a_key_is_free_again_after_a_delete(self, store: Store) -> None:
        store.insert(PERSONS, person(1, "ada"))
        assert store.delete(PERSONS, person(1, "ada"))
        store.insert(PERSONS, person(1, "bob"))
        assert store.scan(PERSONS) == [person(1, "bob")]

    def test_a_table_without_a_unique_index_is_a_set_of_whole_rows(self, store: Store) -> None:
        store.create_table(5000, encode_type(product(a=U32, b=STRING)))
        rows = [codec(product(a=U32, b=STRING)).encode((a, b)) for a in range(3) for b in ("x", "y")]
        for row in rows + rows:
            store.insert(5000, row)
        assert sorted(store.scan(5000)) == sorted(rows)
        assert store.delete(5000, rows[2])
        assert not store.delete(5000, rows[2])
        assert sorted(store.scan(5000)) == sorted(rows[:2] + rows[3:])

    def test_a_table_without_columns_holds_one_row(self, store: Store) -> None:
        store.create_table(5000, encode_type(product()))
        store.insert(5000, b"")
        store.insert(5000, b"")
        assert store.scan(5000) == [b""]
        assert store.delete(5000, b"")
        assert store.count(5000) == 0

    def test_surplus_bytes_end_a_row_of_fixed_length_but_not_one_of_variable_length(
        self, store: Store
    ) -> None:
        with pytest.raises(RowDecodeError):
            store.insert(ACCOUNTS, account(1, 1) + b"x")
        assert store.insert(PERSONS, person(1, "ada") + b"x") == person(1, "ada")

    @pytest.mark.parametrize("row", [b"", account(1, 1)[:-1]])
    def test_a_row_that_is_cut_is_refused(self, store: Store, row: bytes) -> None:
        with pytest.raises(RowDecodeError, match="cannot insert into table 4096: the bytes are no value"):
            store.insert(ACCOUNTS, row)

    def test_a_bool_that_is_none_is_refused(self, store: Store) -> None:
        store.create_table(5000, encode_type(product(a=U32, ok=BOOL)))
        store.insert(5000, bytes(5))
        with pytest.raises(RowDecodeError):
            store.insert(5000, bytes(4) + b"\2")

    def test_a_long_row_is_kept_whole(self, store: Store) -> None:
        rows = [person(i, chr(97 + i) * (1 << (2 * i))) for i in range(11)]
        for row in rows:
            store.insert(PERSONS, row)
        assert sorted(store.scan(PERSONS)) == sorted(rows)


class TestUpdate:
    def test_the_row_with_that_key_becomes_another(self, store: Store) -> None:
        store.insert(ACCOUNTS, account(1, 100))
        assert store.update(ACCOUNTS, ACCOUNT_ID, account(1, 50)) == account(1, 50)
        assert store.scan(ACCOUNTS) == [account(1, 50)]

    def test_all_indexes_follow(self, store: Store) -> None:
        store.insert(PERSONS, person(1, "ada", 36))
        store.update(PERSONS, PERSON_ID, person(1, "countess of lovelace", 37))
        assert store.seek(NAME, text("ada")) == []
        assert store.seek(NAME, text("countess of lovelace")) == [person(1, "countess of lovelace", 37)]
        assert store.seek(AGE_NAME, b"\x24" + text("ada")) == []
        assert len(store.seek(AGE_NAME, b"\x25" + text("countess of lovelace"))) == 1
        store.update(PERSONS, NAME, person(2, "countess of lovelace", 37))
        assert store.seek(PERSON_ID, (1).to_bytes(8, "little")) == []
        assert store.count(PERSONS) == 1

    def test_an_unknown_key_is_refused(self, store: Store) -> None:
        with pytest.raises(NoSuchRow):
            store.update(ACCOUNTS, ACCOUNT_ID, account(1, 50))

    def test_another_unique_key_that_is_taken_is_refused(self, store: Store) -> None:
        store.insert(PERSONS, person(1, "ada"))
        store.insert(PERSONS, person(2, "bob"))
        with pytest.raises(UniqueViolation) as refused:
            store.update(PERSONS, PERSON_ID, person(1, "bob"))
        assert refused.value.index_id == NAME
        assert store.seek(NAME, text("ada")) == [person(1, "ada")]

    def test_the_same_row_is_no_change(self, store: Store) -> None:
        store.insert(ACCOUNTS, account(1, 100))
        store.commit()
        store.take_log()
        store.begin()
        store.update(ACCOUNTS, ACCOUNT_ID, account(1, 100))
        assert store.commit() == -1

    def test_only_a_unique_index_of_that_table_will_do(self, store: Store) -> None:
        store.insert(PERSONS, person(1, "ada"))
        with pytest.raises(IndexNotUnique):
            store.update(PERSONS, AGE_NAME, person(1, "ada"))
        for index_id in (ACCOUNT_ID, 999):
            with pytest.raises(NoSuchIndex):
                store.update(PERSONS, index_id, person(1, "ada"))


class TestDelete:
    def test_by_key_by_range_and_all(self, store: Store) -> None:
        for i in range(20):
            store.insert(PERSONS, person(i, f"p{i:02}", i % 4))
        assert store.delete_seek(PERSON_ID, (5).to_bytes(8, "little")) == 1
        assert store.delete_seek(PERSON_ID, (5).to_bytes(8, "little")) == 0
        assert store.delete_seek(AGE_NAME, b"\2" + text("p06")) == 1
        assert store.delete_range(AGE_NAME, b"", 0, b"\0\3", ALL) == 5
        assert store.delete_range(AGE_NAME, b"\0", 1, b"\1" + text("p04"), b"\0" + text("p12")) == 2
        assert sorted(row[12:15] for row in store.scan(PERSONS)) == sorted(
            f"p{i:02}".encode() for i in range(20) if i not in (5, 6, 3, 7, 11, 15, 19, 8, 12)
        )
        assert store.clear(PERSONS) == 11
        assert store.clear(PERSONS) == 0

    def test_a_row_is_deleted_by_all_its_columns(self, store: Store) -> None:
        store.insert(ACCOUNTS, account(1, 100))
        assert not store.delete(ACCOUNTS, account(1, 99))
        assert store.delete(ACCOUNTS, account(1, 100))


class TestRefusals:
    def test_changes_need_a_transaction_and_reads_do_not(self, store: Store) -> None:
        store.insert(ACCOUNTS, account(1, 1))
        store.commit()
        row, key = account(1, 1), bytes(4)
        for change in (
            lambda: store.insert(ACCOUNTS, row),
            lambda: store.update(ACCOUNTS, ACCOUNT_ID, row),
            lambda: store.delete(ACCOUNTS, row),
            lambda: store.clear(ACCOUNTS),
            lambda: store.delete_seek(ACCOUNT_ID, key),
            lambda: store.delete_range(ACCOUNT_ID, b"", 0, ALL, ALL),
            store.commit,
            store.rollback,
        ):
            with pytest.raises(NotInTransaction):
                change()
        assert store.scan(ACCOUNTS) == [row]
        assert store.range(ACCOUNT_ID, b"", 0, ALL, ALL) == [row]

    def test_unknown_tables_and_indexes(self, store: Store) -> None:
        for call in (
            lambda: store.insert(9, b""),
            lambda: store.update(9, 1, b""),
            lambda: store.delete(9, b""),
            lambda: store.clear(9),
            lambda: store.count(9),
            lambda: store.scan(9),
            lambda: store.drop_table(9),
            lambda: store.create_index(7, 9, BTREE, False, [0]),
        ):
            with pytest.raises(NoSuchTable):
                call()
        for call in (
            lambda: store.seek(9, b""),
            lambda: store.range(9, b"", 0, ALL, ALL),
            lambda: store.delete_seek(9, b""),
            lambda: store.delete_range(9, b"", 0, ALL, ALL),
            lambda: store.drop_index(9),
        ):
            with pytest.raises(NoSuchIndex):
                call()

    def test_definitions_that_cannot_be(self, store: Store) -> None:
        for call in (
            lambda: store.create_table(ACCOUNTS, encode_type(ACCOUNT)),
            lambda: store.create_table(0, encode_type(ACCOUNT)),
            lambda: store.create_table(7, encode_type(U32)),
            lambda: store.create_table(7, b"\2"),
            lambda: store.create_index(ACCOUNT_ID, ACCOUNTS, BTREE, False, [1]),
            lambda: store.create_index(7, ACCOUNTS, 3, False, [1]),
            lambda: store.create_index(7, ACCOUNTS, BTREE, False, []),
            lambda: store.create_index(7, ACCOUNTS, BTREE, False, [2]),
            lambda: store.create_index(0, ACCOUNTS, BTREE, False, [0]),
            lambda: store.drop_sequence(7),
        ):
            with pytest.raises(SchemaError):
                call()

    def test_a_unique_index_over_rows_that_do_not_allow_it(self, store: Store) -> None:
        store.insert(ACCOUNTS, account(1, 5))
        store.insert(ACCOUNTS, account(2, 5))
        with pytest.raises(UniqueViolation):
            store.create_index(7, ACCOUNTS, BTREE, True, [1])
        store.create_index(7, ACCOUNTS, BTREE, False, [1])
        assert len(store.seek(7, (5).to_bytes(8, "little"))) == 2

    def test_only_one_transaction_at_a_time(self, store: Store) -> None:
        with pytest.raises(Exception, match="open already"):
            store.begin()


class TestRanges:
    def keys(self, rows: list[bytes]) -> list[int]:
        return [int.from_bytes(row[:8], "little") for row in rows]

    @pytest.fixture
    def ages(self, store: Store) -> Store:
        for i, (age, name) in enumerate([(5, "a"), (5, "b"), (5, "c"), (6, "a"), (7, "b"), (4, "z")]):
            store.insert(PERSONS, person(i, f"{name}{i}", age))
        return store

    @pytest.mark.parametrize(
        ("prefix", "elems", "start", "end", "expected"),
        [
            (b"", 0, ALL, ALL, [5, 0, 1, 2, 3, 4]),
            (b"", 0, b"\0\5", b"\0\5", [0, 1, 2]),
            (b"", 0, b"\1\5", ALL, [3, 4]),
            (b"", 0, ALL, b"\1\5", [5]),
            (b"", 0, b"\0\5", b"\1\7", [0, 1, 2, 3]),
            (b"", 0, b"\0\7", b"\0\5", []),
            (b"", 0, b"\1\5", b"\1\5", []),
            (b"\5", 1, ALL, ALL, [0, 1, 2]),
            (b"\5", 1, b"\0" + text("b"), ALL, [1, 2]),
            (b"\5", 1, b"\0" + text("b"), b"\1" + text("c"), [1]),
            (b"\5", 1, b"\0" + text("b1"), b"\0" + text("b1"), [1]),
            (b"\x09", 1, ALL, ALL, []),
        ],
    )
    def test_bounds(
        self, ages: Store, prefix: bytes, elems: int, start: bytes, end: bytes, expected: list[int]
    ) -> None:
        assert self.keys(ages.range(AGE_NAME, prefix, elems, start, end)) == expected

    @pytest.mark.parametrize(
        ("prefix", "elems", "start", "end"),
        [
            (b"", 0, b"", ALL),
            (b"", 0, ALL, b""),
            (b"", 0, b"\3", ALL),
            (b"", 0, b"\0", ALL),
            (b"", 1, ALL, ALL),
            (b"\5" + text("a"), 2, ALL, ALL),
            (b"\5", 1, b"\0\1", ALL),
        ],
    )
    def test_bytes_that_are_no_bounds(
        self, ages: Store, prefix: bytes, elems: int, start: bytes, end: bytes
    ) -> None:
        with pytest.raises(RowDecodeError):
            ages.range(AGE_NAME, prefix, elems, start, end)

    def test_a_hash_index_has_no_ranges_whatever_the_bounds(self, ages: Store) -> None:
        for start in (ALL, b"", b"\0"):
            with pytest.raises(WrongIndexAlgorithm):
                ages.range(NAME, b"", 0, start, ALL)

    def test_a_point_that_is_cut(self, ages: Store) -> None:
        for index_id, point in ((PERSON_ID, bytes(7)), (AGE_NAME, b"\5"), (NAME, b"\1\0\0\0")):
            with pytest.raises(RowDecodeError):
                ages.seek(index_id, point)

    def test_a_direct_index_has_points_and_ranges(self, store: Store) -> None:
        store.create_index(7, ACCOUNTS, DIRECT, True, [0])
        for i in (3, 1, 2):
            store.insert(ACCOUNTS, account(i, 0))
        assert store.seek(7, b"\2\0\0\0") == [account(2, 0)]
        assert store.range(7, b"", 0, b"\0\2\0\0\0", ALL) == [account(2, 0), account(3, 0)]

    def test_a_hash_index_that_is_not_unique(self, store: Store) -> None:
        store.create_index(7, ACCOUNTS, HASH, False, [1])
        for i in range(10):
            store.insert(ACCOUNTS, account(i, i % 2))
        assert len(store.seek(7, bytes(8))) == 5
