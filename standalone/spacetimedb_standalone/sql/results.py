"""What a statement gives back, and how it looks over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.json_write import json_writer
from spacetimedb_lib.sats.type_forms import product_to_json
from spacetimedb_lib.sats.types import Product


@dataclass(frozen=True, slots=True)
class SqlResult:
    """Rows are BSATN of `schema`. Statements that write return no rows and an empty schema."""

    schema: Product = field(default=Product(()))
    rows: list[bytes] = field(default_factory=list)
    inserted: int = 0
    deleted: int = 0
    updated: int = 0

    def json(self, duration: int) -> bytes:
        """The body of the answer over HTTP: a list with one result. `duration` in microseconds."""
        decode, write = codec(self.schema).decode, json_writer(self.schema)
        rows = ",".join([write(decode(row)[0]) for row in self.rows])
        schema = json.dumps(product_to_json(self.schema), ensure_ascii=False, separators=(",", ":"))
        stats = {
            "rows_inserted": self.inserted,
            "rows_deleted": self.deleted,
            "rows_updated": self.updated,
        }
        return (
            f'[{{"schema":{schema},"rows":[{rows}],"total_duration_micros":{duration},'
            f'"stats":{json.dumps(stats, separators=(",", ":"))}}}]'
        ).encode()
