"""The system tables of a real database, asked for in SQL: the documented names, ids and rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.commitlog import Driver
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.database.catalog import CREDENTIALS_TABLE, SchemaCatalog
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.system_tables import SystemTable, system_schema
from spacetimedb_standalone.ports import ManualClock, MemoryFiles
from spacetimedb_standalone.sql import Caller, SqlError, run_sql

REAL = Path(__file__).parent.parent / "vectors" / "commitlog" / "database"
SEGMENT = "00000000000000000000.stdb.log"
FINAL: dict[int, dict[str, Any]] = {
    entry["table_id"]: entry for entry in map(json.loads, (REAL / "final-state.jsonl").open(encoding="utf-8"))
}
SYSTEM_TABLES = sorted(system_schema().tables)
OWNER, STRANGER = Caller(bytes(32), True), Caller(bytes([1]) * 32, False)


@pytest.fixture(scope="module")
def datastore() -> Datastore:
    """What the log of a real server leads to."""
    files, replica = MemoryFiles(), Path("/replica")
    files.put(replica / "clog" / SEGMENT, (REAL / SEGMENT).read_bytes())
    return Datastore.open(replica, files, ManualClock(), options=CommitLogSettings(), driver=Driver.INLINE)


def select(datastore: Datastore, query: str, caller: Caller = OWNER) -> list[str]:
    result = run_sql(query, caller, SchemaCatalog(datastore), datastore.store)
    return sorted(row.hex() for row in result.rows)


def test_there_are_twenty_of_them_with_the_ids_from_1_on() -> None:
    assert set(range(1, 21)) <= set(SYSTEM_TABLES)


@pytest.mark.parametrize("table_id", SYSTEM_TABLES, ids=lambda table_id: SystemTable(table_id).name.lower())
def test_every_system_table_can_be_selected_and_has_the_real_rows(
    datastore: Datastore, table_id: int
) -> None:
    name = system_schema().tables[table_id].name
    expected = sorted(row["bsatn"] for row in FINAL[table_id]["rows"]) if table_id in FINAL else []
    assert select(datastore, f"SELECT * FROM {name}") == expected


def test_a_table_finds_itself(datastore: Datastore) -> None:
    (row,) = select(datastore, "SELECT * FROM st_table WHERE table_id = 1")
    assert row in select(datastore, "SELECT * FROM st_table WHERE table_name = 'st_table'")
    columns = select(datastore, "SELECT * FROM st_column WHERE table_id = 2")
    assert len(columns) == len(system_schema().tables[2].columns)


def test_tables_of_the_module_begin_at_4096(datastore: Datastore) -> None:
    everything = datastore.schema.tables
    names = {table.name for table_id, table in everything.items() if table_id >= 4096}
    count = len(select(datastore, "SELECT * FROM st_table WHERE table_id >= 4096"))
    assert count == len(names) > 0


def test_strangers_read_all_but_the_credentials(datastore: Datastore) -> None:
    for table_id in SYSTEM_TABLES:
        name = system_schema().tables[table_id].name
        if name == CREDENTIALS_TABLE:
            with pytest.raises(SqlError):
                select(datastore, f"SELECT * FROM {name}", STRANGER)
        else:
            select(datastore, f"SELECT * FROM {name}", STRANGER)
