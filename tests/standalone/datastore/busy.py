"""A small database that is changed at random, and what its state is, for tests that break things under it."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path
from typing import Any

from spacetimedb_engine import UniqueViolation
from spacetimedb_lib.hashing import keccak256
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_lib.moduledef import ModuleDef, decode
from spacetimedb_lib.moduledef.raw import RECORD_TYPES, RawModuleDef
from spacetimedb_lib.moduledef.records import shape_of
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.json_read import arguments_codec
from spacetimedb_lib.sats.types import AlgebraicType, Array, Kind, Primitive, Product, Sum, SumValue, product
from spacetimedb_standalone.commitlog import Driver
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.program import Program, ProgramKind
from spacetimedb_standalone.datastore.schema import Table, TableKind
from spacetimedb_standalone.datastore.snapshotting import take_snapshot
from spacetimedb_standalone.datastore.system_tables import EPHEMERAL
from spacetimedb_standalone.ports import Files, ManualClock

REPLICA = Path("/replica")
LOG, SNAPSHOTS = REPLICA / "clog", REPLICA / "snapshots"
SMALL = CommitLogSettings(max_segment_size=3000, offset_index_interval_bytes=256)
STORY = Path(__file__).parent.parent / "vectors" / "commitlog" / "database" / "story.json"
PROGRAM = Program(ProgramKind.WASM, keccak256(b"busy"), b"busy")

State = dict[int, list[bytes]]


def story_module() -> ModuleDef:
    """Tables of all kinds: with and without keys, sequences, an event table, one with a schedule."""
    return module_of(json.loads(STORY.read_text())["module"]["V10"]["sections"])


def small_module() -> ModuleDef:
    """One of these tables alone, with a key, another index, and a sequence."""
    sections: dict[str, Any] = {}
    for section in json.loads(STORY.read_text())["module"]["V10"]["sections"]:
        sections |= section
    tables = [table for table in sections["Tables"] if table["source_name"] == "person"]
    return module_of([{"Typespace": sections["Typespace"]}, {"Types": sections["Types"]}, {"Tables": tables}])


def module_of(sections: list[dict[str, Any]]) -> ModuleDef:
    reader = arguments_codec("module", product(module=shape_of(RawModuleDef).type), RECORD_TYPES)
    return decode(reader.read(json.dumps({"module": {"V10": {"sections": sections}}})))


def open_database(files: Files, settings: CommitLogSettings = SMALL) -> Datastore:
    return Datastore.open(REPLICA, files, ManualClock(), options=settings, driver=Driver.INLINE)


def initialize(datastore: Datastore, module: ModuleDef) -> None:
    datastore.init_program(
        PROGRAM,
        module,
        database_identity=Identity.from_int(1),
        owner=Identity.from_int(2),
        system_log=lambda level, message: None,
        rule_target=lambda sql: 0,
        run_init=None,
    )


def snapshot(datastore: Datastore) -> None:
    take_snapshot(datastore, ManualClock())


def state(datastore: Datastore) -> State:
    """All rows that must survive, sequences and connections among them."""
    return {
        table.id: sorted(datastore.store.scan(table.id))
        for table in datastore.schema.tables.values()
        if table.id not in EPHEMERAL and table.view is None
    }


def every_row_is_found(datastore: Datastore) -> None:
    """Each index of a table finds each of its rows."""
    for table in datastore.schema.tables.values():
        for row in datastore.store.scan(table.id):
            values = table.codec.decode_exact(row)
            for index in table.indexes:
                key = b"".join(codec(table.columns[at].type).encode(values[at]) for at in index.columns)
                assert row in datastore.store.seek(index.id, key), f"{index.name} misses a row"


def change(datastore: Datastore, choice: random.Random) -> None:
    """One transaction: some rows come, some go, sometimes a whole table, or a connection."""
    tables = [table for table in datastore.schema.tables.values() if table.kind is TableKind.USER]
    datastore.begin()
    for _ in range(choice.randint(1, 4)):
        table = choice.choice(tables)
        rows = sorted(datastore.store.scan(table.id))
        what = choice.random()
        if what < 0.05:
            datastore.store.clear(table.id)
        elif rows and what < 0.35:
            datastore.store.delete(table.id, choice.choice(rows))
        elif rows and what < 0.6 and table.primary_key is not None:
            _rewrite(datastore, table, choice.choice(rows), choice)
        else:
            with contextlib.suppress(UniqueViolation):  # then it is one row less
                datastore.store.insert(table.id, table.codec.encode(_row(table, choice)))
    if choice.random() < 0.2:
        datastore.insert_client(
            Identity.from_int(choice.randrange(9)), ConnectionId.from_int(choice.getrandbits(100)), "{}"
        )
    datastore.commit(b"\x06change" + bytes(56) if choice.random() < 0.7 else None)


def _row(table: Table, choice: random.Random) -> tuple[Any, ...]:
    values = [random_value(column.type, choice) for column in table.columns]
    for sequence in table.sequences:
        values[sequence.column] = 0
    return tuple(values)


def _rewrite(datastore: Datastore, table: Table, row: bytes, choice: random.Random) -> None:
    """An update: the same key, other values."""
    assert table.primary_key is not None
    values = list(_row(table, choice))
    values[table.primary_key] = table.codec.decode_exact(row)[table.primary_key]
    index = next(index for index in table.indexes if index.unique)
    datastore.store.update(table.id, index.id, table.codec.encode(tuple(values)))


def random_value(type_: AlgebraicType, choice: random.Random) -> Any:
    match type_:
        case Product(elements):
            return tuple(random_value(element.type, choice) for element in elements)
        case Sum(variants):
            tag = choice.randrange(len(variants))
            return SumValue(tag, random_value(variants[tag].type, choice))
        case Array(Primitive(Kind.U8)):
            return choice.randbytes(choice.choice((0, 3, 200)))
        case Array(element):
            return [random_value(element, choice) for _ in range(choice.randrange(3))]
        case Primitive(Kind.STRING):
            return "x" * choice.choice((0, 1, 30, 700)) + str(choice.getrandbits(60))
        case Primitive(Kind.BOOL):
            return choice.random() < 0.5
        case Primitive(Kind.F32 | Kind.F64):
            return choice.randrange(100) / 4
    return choice.getrandbits(7)
