"""The system tables are those of the public system, to the byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.sats.type_codec import decode_type, encode_type
from spacetimedb_standalone.datastore.system_tables import (
    EPHEMERAL,
    FIRST_USER_ID,
    SystemTable,
    built_in_rows,
    system_schema,
)

DATABASE = Path(__file__).parent.parent / "vectors" / "commitlog" / "database"
FINAL: dict[int, dict[str, Any]] = {
    entry["table_id"]: entry
    for entry in map(json.loads, (DATABASE / "final-state.jsonl").open(encoding="utf-8"))
}
COLUMN_TYPES = {
    (row["table_id"], row["col_pos"]): (row["col_name"], bytes.fromhex(row["col_type"]))
    for row in (entry["row"] for entry in FINAL[SystemTable.COLUMN]["rows"])
}


def own_rows(table: SystemTable) -> set[bytes]:
    """Rows in a real database that describe system tables; sequences as they were before their first use."""
    rows = set()
    for entry in FINAL[table]["rows"]:
        row = bytes.fromhex(entry["bsatn"])
        first = next(iter(entry["row"].values()))
        if first < FIRST_USER_ID:
            rows.add(row[:-16] + (4096).to_bytes(16, "little") if table is SystemTable.SEQUENCE else row)
    return rows


@pytest.mark.parametrize(
    "table",
    [SystemTable.TABLE, SystemTable.COLUMN, SystemTable.SEQUENCE, SystemTable.INDEX, SystemTable.CONSTRAINT],
)
def test_built_in_rows_are_those_of_a_real_database(table: SystemTable) -> None:
    ours = [row for into, row in built_in_rows() if into is table]
    assert set(ours) == own_rows(table)
    assert len(ours) == len(set(ours))


def test_row_types_are_those_of_a_real_database() -> None:
    for table in system_schema().tables.values():
        assert table.name == FINAL[table.id]["table"]
        for column in table.columns:
            assert (column.name, encode_type(column.type)) == COLUMN_TYPES[table.id, column.position]
        assert decode_type(table.row_type_bytes)[0] == table.row_type


def test_every_real_row_of_a_system_table_can_be_read() -> None:
    for table in system_schema().tables.values():
        for entry in FINAL[table.id]["rows"]:
            row = bytes.fromhex(entry["bsatn"])
            assert table.codec.encode(table.codec.decode_exact(row)) == row


def test_only_the_credentials_are_private_and_only_legacy_view_tables_ephemeral() -> None:
    private = [table.name for table in system_schema().tables.values() if table.access == "private"]
    assert private == ["st_connection_credentials"]
    assert sorted(EPHEMERAL) == [15, 16]


def test_tables_and_indexes_are_found_by_name() -> None:
    schema = system_schema()
    client = schema.table("st_client")
    index = schema.index("st_client_identity_connection_id_idx_btree")
    assert client is not None and index is not None
    assert (client.id, index.id, index.columns, index.unique) == (7, 7, (0, 1), True)
    assert client.index_on((0, 1)) is index
    column = client.column("connection_id")
    assert column is not None and column.position == 1
    assert schema.table("client") is None and schema.index("client") is None and client.column("x") is None
