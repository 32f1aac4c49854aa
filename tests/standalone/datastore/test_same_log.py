"""The same transactions leave the same log as in the reference implementation, but for the order of rows.

The story is that of the real database among the vectors. Its module declares the indexes of `person` in
another order than its log creates them (the order is that of a hash map), which the test follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.hashing import keccak256
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.definitions import Definitions
from spacetimedb_standalone.datastore.program import Program, ProgramKind, StoredModule, write_module
from spacetimedb_standalone.datastore.schema_reading import read_schema
from spacetimedb_standalone.datastore.system_tables import FIRST_USER_ID, SystemTable

DATABASE = Path(__file__).parent.parent / "vectors" / "commitlog" / "database"
TRANSACTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (DATABASE / "transactions.jsonl").open(encoding="utf-8")
]
IDS_FROM_SEQUENCES = {"person", "job"}


@pytest.fixture(scope="module")
def module(define_module: Callable[[dict[str, Any]], ModuleDef]) -> ModuleDef:
    raw = json.loads((DATABASE / "story.json").read_text())["module"]
    for section in raw["V10"]["sections"]:
        for table in section.get("Tables", ()):
            if table["source_name"] == "person":
                table["indexes"].reverse()
    return define_module(raw)


@dataclass
class Record:
    """A transaction taken apart; rows of a group as a sorted list, since their order is free."""

    inputs: bytes | None
    inserts: list[tuple[int, list[bytes]]]
    deletes: list[tuple[int, list[bytes]]]
    truncates: list[int]


class Parser:
    """Takes records apart with the row types of a datastore."""

    def __init__(self, datastore: Datastore, record: bytes) -> None:
        self._tables = datastore.schema.tables
        self._data = record
        self._at = 0

    def record(self) -> Record:
        flags = self._number(1)
        assert flags in (0xA0, 0x20)
        inputs = None
        if flags == 0xA0:
            size = self._number(4)
            inputs = self._data[self._at : self._at + size]
            self._at += size
        inserts = [self._group() for _ in range(self._varint())]
        deletes = [self._group() for _ in range(self._varint())]
        truncates = [self._number(4) for _ in range(self._varint())]
        assert self._at == len(self._data)
        for groups in (inserts, deletes):
            assert [table for table, _ in groups] == sorted(table for table, _ in groups)
        assert truncates == sorted(truncates)
        return Record(inputs, inserts, deletes, truncates)

    def _group(self) -> tuple[int, list[bytes]]:
        table_id = self._number(4)
        rows = []
        for _ in range(self._varint()):
            _, end = self._tables[table_id].codec.decode(self._data, self._at)
            rows.append(self._data[self._at : end])
            self._at = end
        return table_id, sorted(rows)

    def _number(self, size: int) -> int:
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "little")

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7


class Story:
    """Does in our datastore what the vectors tell."""

    def __init__(self, module: ModuleDef) -> None:
        self.module = module
        self.datastore = Datastore.in_memory()
        self.store = self.datastore.store
        self.definitions = Definitions(self.store)

    def tell(self, transaction: dict[str, Any]) -> bytes:
        """Carry out one transaction; its record, without the commit's frame and checksum."""
        self.store.begin()
        match transaction["offset"]:
            case 0:
                program = Program(ProgramKind.WASM, keccak256(b""), b"")
                write_module(self.store, StoredModule(Identity(bytes(32)), Identity(bytes(32)), program))
            case 1:
                for table in sorted(self.module.all_tables, key=lambda table: table.full_name):
                    self.definitions.add_table(table)
            case 16:
                self.definitions.drop_table(self._table_id("wide"))
            case _:
                self._change_rows(transaction)
        offset = self.store.commit(self._inputs(transaction))
        assert offset == transaction["offset"]
        return self.store.take_log()[22:-4]

    def _change_rows(self, transaction: dict[str, Any]) -> None:
        draws = any(group["table_id"] == SystemTable.SEQUENCE for group in transaction["inserts"])
        for table_id in transaction["truncates"]:
            self.store.clear(table_id)
        for group in transaction["deletes"]:
            if group["table_id"] != SystemTable.SEQUENCE:
                for row in group["rows"]:
                    assert self.store.delete(group["table_id"], bytes.fromhex(row["bsatn"]))
        for group in transaction["inserts"]:
            if group["table_id"] != SystemTable.SEQUENCE:
                for row in group["rows"]:
                    data = bytes.fromhex(row["bsatn"])
                    if draws and group["table"] in IDS_FROM_SEQUENCES:
                        data = bytes(8) + data[8:]
                    self.store.insert(group["table_id"], data)

    def rows(self) -> dict[int, list[bytes]]:
        """All there are, by table."""
        return {table_id: sorted(self.store.scan(table_id)) for table_id in read_schema(self.store).tables}

    def _table_id(self, name: str) -> int:
        table = read_schema(self.store).named(name)
        assert table is not None
        return table.id

    def _inputs(self, transaction: dict[str, Any]) -> bytes | None:
        inputs = transaction["inputs"]
        if inputs is None:
            return None
        name = inputs["reducer"].encode()
        return bytes([len(name)]) + name + bytes.fromhex(inputs["args"])


def test_every_record_is_the_same(module: ModuleDef) -> None:
    story = Story(module)
    for transaction in TRANSACTIONS:
        known = read_schema(story.store)
        ours = story.tell(transaction)
        theirs = bytes.fromhex(transaction["record"])
        story.datastore._schema = read_schema(story.store) if transaction["offset"] < 16 else known
        mine, other = Parser(story.datastore, ours).record(), Parser(story.datastore, theirs).record()
        assert mine == other, transaction["note"]
        assert len(ours) == len(theirs)


def test_failed_and_empty_transactions_leave_no_trace(module: ModuleDef) -> None:
    story = Story(module)
    for transaction in TRANSACTIONS[:3]:
        story.tell(transaction)
    story.store.begin()
    assert story.store.commit(b"\4noop") == -1
    story.store.begin()
    person = FIRST_USER_ID + 2
    story.store.insert(person, bytes(8) + b"\1\0\0\0x\1\5")
    story.store.rollback()
    assert story.store.take_log() == b"" and story.store.next_offset == 3


def test_a_forced_commit_leaves_an_empty_record(module: ModuleDef) -> None:
    """As connections do, whose rows may cancel each other out."""
    story = Story(module)
    story.store.begin()
    assert story.store.commit(b"\4call", force=True) == 0
    assert story.store.take_log()[22:-4] == bytes.fromhex("a0 05000000 04 63616c6c 00 00 00")


@pytest.mark.parametrize("offset", [1, 2, 4, 10, 12])
def test_a_rolled_back_transaction_can_be_told_again(module: ModuleDef, offset: int) -> None:
    story = Story(module)
    for transaction in TRANSACTIONS[:offset]:
        story.tell(transaction)
    before = story.rows()
    story.store.begin()
    if offset == 1:
        for table in module.all_tables:
            story.definitions.add_table(table)
    else:
        story._change_rows(TRANSACTIONS[offset])
    story.store.rollback()
    assert before == story.rows()
