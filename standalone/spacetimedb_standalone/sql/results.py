"""What a statement gives back, and how it looks over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field

from spacetimedb_lib.sats.types import Product


@dataclass(frozen=True, slots=True)
class SqlResult:
    """Rows are BSATN of `schema`. Statements that write return no rows and an empty schema."""

    schema: Product = field(default=Product(()))
    rows: list[bytes] = field(default_factory=list)
    inserted: int = 0
    deleted: int = 0
    updated: int = 0
