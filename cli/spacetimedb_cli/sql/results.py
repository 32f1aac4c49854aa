"""The server's answer to SQL: a list with one entry per statement, as tables of text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from spacetimedb_cli.errors import PeerError
from spacetimedb_cli.render.cells import cell
from spacetimedb_cli.render.table import ruled
from spacetimedb_lib.sats.errors import SatsError
from spacetimedb_lib.sats.type_forms import product_from_json
from spacetimedb_lib.sats.types import Product


@dataclass(frozen=True, slots=True)
class Result:
    """What one statement gave: rows as untyped JSON, and how many rows it changed."""

    schema: Product
    rows: list[Any]
    duration_micros: int
    inserted: int
    deleted: int
    updated: int

    def table(self) -> str:
        """The rows below their ruled headers; an unnamed column is `column N`, counted from 0."""
        columns = self.schema.elements
        headers = [f"column {n}" if c.name is None else c.name for n, c in enumerate(columns)]
        rows = [
            [cell(column.type, value) for column, value in zip(columns, row, strict=True)]
            for row in self.rows
        ]
        return ruled(headers, rows)

    def summary(self) -> str:
        """`(2 rows) [inserted: 1, server: 1.50ms]`; counts of zero are left out."""
        count = len(self.rows)
        counts = [("inserted", self.inserted), ("deleted", self.deleted), ("updated", self.updated)]
        parts = [f"{what}: {number}" for what, number in counts if number]
        parts.append(f"server: {duration(self.duration_micros / 1_000_000)}")
        return f"({count} {'row' if count == 1 else 'rows'}) [{', '.join(parts)}]"


def read_results(text: str) -> list[Result]:
    """Raises `PeerError` where `text` is not the JSON it should be."""
    try:
        return [_result(entry) for entry in json.loads(text)]
    except (AttributeError, ValueError, TypeError, KeyError, SatsError) as error:
        raise PeerError(
            f"the server's answer to the query cannot be read ({error}): try --format json"
        ) from None


def tables(results: list[Result]) -> str:
    """All results as tables with a blank line between."""
    try:
        return "\n\n".join(result.table() for result in results)
    except (ValueError, TypeError, IndexError) as error:
        raise PeerError(f"the server's rows do not fit their types ({error}): try --format json") from None


def duration(seconds: float) -> str:
    """A time with its unit, two digits below the point: `1.50ms`."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.2f}{unit}"
    return f"{seconds * 1e9:.2f}ns"


def _result(entry: Any) -> Result:
    stats = entry.get("stats", {})
    return Result(
        product_from_json(entry["schema"]),
        list(entry["rows"]),
        int(entry.get("total_duration_micros", 0)),
        int(stats.get("rows_inserted", 0)),
        int(stats.get("rows_deleted", 0)),
        int(stats.get("rows_updated", 0)),
    )
