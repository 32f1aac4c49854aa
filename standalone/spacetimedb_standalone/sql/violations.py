"""What is told of a row that contradicts a unique index."""

from __future__ import annotations

import json

from spacetimedb_lib.sats.satn import satn

from .errors import SqlConstraintError
from .schema import TableDef


def unique_violation(table: TableDef, index_id: int, row: bytes) -> SqlConstraintError:
    """The index is named, not the constraint: that is what the public server does."""
    index = next(index for index in table.indexes if index.id == index_id)
    values = table.codec.decode_exact(row)
    columns = json.dumps([table.columns[position].name for position in index.columns])
    keys = [satn(table.columns[position].type, values[position]) for position in index.columns]
    key = keys[0] if len(keys) == 1 else f"({', '.join(keys)})"
    return SqlConstraintError(
        f"IndexError: Unique constraint violation '{index.name}' in table '{table.name}': "
        f"column(s): '{columns}' value: {key}"
    )
