"""The log of a real database: written byte for byte, and read back to the same rows."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_engine import ReplayError, Store, UniqueViolation
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.type_forms import product_from_json

VECTORS = Path(__file__).parents[1] / "vectors"
SEGMENT_HEADER = 10
EVENT_TABLE = 4099
FIRST_USER_TABLE = 4096
TRUNCATE_BY_DROP = {16}


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (VECTORS / name).read_text().splitlines()]


TRANSACTIONS = lines("transactions.jsonl")
TYPES = {each["table_id"]: encode_type(product_from_json(each["row_type"])) for each in lines("tables.jsonl")}
FINAL = {
    each["table_id"]: {bytes.fromhex(row["bsatn"]) for row in each["rows"]}
    for each in lines("final-state.jsonl")
}
LOG = (VECTORS / "database.stdb.log").read_bytes()[SEGMENT_HEADER:]


def rows(group: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(row["bsatn"]) for row in group["rows"]]


def built_in() -> dict[int, set[bytes]]:
    """Rows of system tables that no log holds: those that are left, or get deleted, without ever being inserted."""
    inserted: dict[int, set[bytes]] = defaultdict(set)
    found: dict[int, set[bytes]] = defaultdict(set)
    for transaction in TRANSACTIONS:
        for group in transaction["deletes"]:
            found[group["table_id"]] |= set(rows(group)) - inserted[group["table_id"]]
        for group in transaction["inserts"]:
            inserted[group["table_id"]] |= set(rows(group))
    for table_id, left in FINAL.items():
        found[table_id] |= left - inserted[table_id]
    return found


def new_database() -> Store:
    """A store with the system tables and what every database begins with."""
    store = Store()
    store.begin()
    for table_id, row_type in TYPES.items():
        if table_id < FIRST_USER_TABLE:
            store.create_table(table_id, row_type)
            store.apply(table_id, sorted(built_in()[table_id]), [])
    store.commit()
    store.take_log()
    store.next_offset = 0
    return store


def create_user_tables(store: Store, *ids: int) -> None:
    for table_id in ids or [table_id for table_id in TYPES if table_id >= FIRST_USER_TABLE]:
        store.create_table(table_id, TYPES[table_id], 1 if table_id == EVENT_TABLE else 0)


def inputs(transaction: dict[str, Any]) -> bytes | None:
    if transaction["inputs"] is None:
        return None
    name = transaction["inputs"]["reducer"].encode()
    return bytes([len(name)]) + name + bytes.fromhex(transaction["inputs"]["args"])


def test_writes_the_log_of_a_database_byte_for_byte() -> None:
    store = new_database()
    for transaction in TRANSACTIONS:
        store.begin()
        if transaction["offset"] == 1:
            create_user_tables(store)
        for group in transaction["deletes"]:
            store.apply(group["table_id"], [], rows(group))
        for group in transaction["inserts"]:
            store.apply(group["table_id"], rows(group), [])
        for table_id in transaction["truncates"]:
            if transaction["offset"] in TRUNCATE_BY_DROP:
                store.drop_table(table_id)
            else:
                store.clear(table_id)
        assert store.commit(inputs(transaction)) == transaction["offset"]
    assert store.take_log() == LOG


class Definitions:
    """Does what a database does when system rows come by in the middle of a record."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: list[tuple[str, list[int]]] = []

    def __call__(self, section: str, groups: list[tuple[int, list[bytes]]]) -> None:
        self.calls.append((section, [table_id for table_id, _ in groups]))
        for table_id, changed in groups:
            named = sorted({int.from_bytes(row[:4], "little") for row in changed})
            if table_id == 2 and section == "inserts":
                create_user_tables(self.store, *named)
            elif table_id == 1 and section == "deletes":
                for dropped in named:
                    self.store.drop_table(dropped)


def test_reads_the_log_of_a_database() -> None:
    store = new_database()
    definitions = Definitions(store)
    assert store.replay(LOG, definitions, (1, 2)) == len(TRANSACTIONS)
    for table_id, expected in FINAL.items():
        assert set(store.scan(table_id)) == expected, table_id
    assert definitions.calls == [("inserts", [1, 2]), ("deletes", [1, 2])]
    assert store.next_offset == len(TRANSACTIONS)


def test_reads_single_records() -> None:
    store = new_database()
    definitions = Definitions(store)
    for transaction in TRANSACTIONS:
        record = bytes.fromhex(transaction["record"])
        assert store.replay_record(record + b"rest", definitions, (1, 2)) == len(record)
    assert set(store.scan(4098)) == FINAL[4098]


def test_a_log_goes_on_where_it_was_left() -> None:
    store = new_database()
    definitions = Definitions(store)
    store.replay(LOG, definitions, (1, 2))
    store.begin()
    store.insert(7, bytes(48))
    assert store.commit() == len(TRANSACTIONS)
    assert store.take_log()[:8] == len(TRANSACTIONS).to_bytes(8, "little")


class TestDamage:
    def setup_method(self) -> None:
        self.store = Store()
        self.store.create_table(4096, encode_type(product_from_json({"elements": [u32("id")]})))

    def commit_of(self, *values: int) -> bytes:
        other = Store()
        other.create_table(4096, encode_type(product_from_json({"elements": [u32("id")]})))
        other.begin()
        for value in values:
            other.insert(4096, value.to_bytes(4, "little"))
        other.commit()
        return other.take_log()

    def test_a_flipped_bit_is_found(self) -> None:
        data = bytearray(self.commit_of(7))
        data[30] ^= 1
        with pytest.raises(ReplayError, match="checksum mismatch in the commit at byte 0"):
            self.store.replay(bytes(data))
        assert self.store.count(4096) == 0

    def test_a_cut_commit_is_found(self) -> None:
        data = self.commit_of(7)
        for cut in range(1, len(data)):
            with pytest.raises(ReplayError, match="ends too early"):
                self.store.replay(data[:cut])

    def test_a_wrong_offset_is_found(self) -> None:
        self.store.next_offset = 5
        with pytest.raises(ReplayError, match="Expected tx offset 5, encountered 0"):
            self.store.replay(self.commit_of(7))

    def test_a_row_that_is_there_is_found(self) -> None:
        self.store.begin()
        self.store.insert(4096, b"\7\0\0\0")
        self.store.commit()
        with pytest.raises(ReplayError, match="inserted that is there already"):
            self.store.replay_record(bytes.fromhex("20010010000001070000000000"))

    def test_a_row_that_is_not_there_is_found(self) -> None:
        with pytest.raises(ReplayError, match="deleted that is not there"):
            self.store.replay_record(bytes.fromhex("20000100100000010700000000"))

    def test_an_unknown_table_is_found(self) -> None:
        with pytest.raises(ReplayError, match="rows of table 4097, which does not exist"):
            self.store.replay_record(bytes.fromhex("20010110000001070000000000"))

    @pytest.mark.parametrize(
        "record",
        ["", "20", "2001", "200100100000", "20010010000001070000", "80ff000000", "20ffffffffffffffffffff"],
    )
    def test_a_record_that_ends_too_early_is_found(self, record: str) -> None:
        with pytest.raises(ReplayError):
            self.store.replay_record(bytes.fromhex(record))

    def test_a_replay_inside_a_transaction_is_refused(self) -> None:
        self.store.begin()
        with pytest.raises(ReplayError, match="a transaction is open"):
            self.store.replay(b"")

    def test_keys_that_a_unique_index_does_not_allow_are_found_afterwards(self) -> None:
        self.store.create_index(1, 4096, 0, True, [0])
        wide = Store()
        wide.create_table(1, encode_type(product_from_json({"elements": [u32("id"), u32("n")]})))
        wide.create_index(1, 1, 0, True, [0])
        wide.replay_record(
            bytes.fromhex("200101000000020700000001000000070000000200000000 00".replace(" ", ""))
        )
        with pytest.raises(UniqueViolation):
            wide.check_unique()
        self.store.check_unique()


def u32(name: str) -> dict[str, Any]:
    return {"name": {"some": name}, "algebraic_type": {"U32": []}}


NAMED_BYTE = [
    {"name": {"none": []}, "algebraic_type": {"U8": []}},
    {"name": {"none": []}, "algebraic_type": {"String": []}},
]


@pytest.mark.parametrize(
    "case", [case for case in lines("txdata.jsonl") if case["mutations"]], ids=lambda case: str(case["note"])
)
def test_reads_every_shape_of_record(case: dict[str, Any]) -> None:
    store = Store()
    sections = case["mutations"]
    numbers: dict[int, bool] = dict.fromkeys(sections["truncates"], True)
    for group in [*sections["inserts"], *sections["deletes"]]:
        numbers[group["table_id"]] = all(len(row) == 8 for row in group["rows"])
    for table_id, is_number in numbers.items():
        elements = [u32("id")] if is_number else NAMED_BYTE
        store.create_table(table_id, encode_type(product_from_json({"elements": elements})))
    store.begin()
    for group in sections["deletes"]:
        store.apply(group["table_id"], [bytes.fromhex(row) for row in group["rows"]], [])
    store.commit()
    record = bytes.fromhex(case["record"])
    assert store.replay_record(record) == len(record)
    for group in sections["inserts"]:
        assert set(store.scan(group["table_id"])) == {bytes.fromhex(row) for row in group["rows"]}
    deleted = {group["table_id"] for group in sections["deletes"]}
    inserted = {group["table_id"] for group in sections["inserts"]}
    for table_id in deleted - inserted:
        assert store.count(table_id) == 0
