"""What the validation of one module shares: its types, its naming, and the names already taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.rules import Rules
from spacetimedb_lib.moduledef.tables import Namespace
from spacetimedb_lib.moduledef.validate.client_types import ClientTypes
from spacetimedb_lib.moduledef.validate.naming import Naming
from spacetimedb_lib.sats.types import Product, Typespace


@dataclass(frozen=True)
class FirstIds:
    """Where the ids of a module's functions begin."""

    reducers: int = 0
    procedures: int = 0
    http_handlers: int = 0
    anonymous_views: int = 0
    sender_views: int = 0

    def __add__(self, counts: FirstIds) -> FirstIds:
        return FirstIds(
            self.reducers + counts.reducers,
            self.procedures + counts.procedures,
            self.http_handlers + counts.http_handlers,
            self.anonymous_views + counts.anonymous_views,
            self.sender_views + counts.sender_views,
        )


@dataclass(frozen=True)
class Context:
    """One module while it is validated.

    `types` have canonical names, `source_types` those of the source; slots are the same.
    """

    rules: Rules
    namespace: Namespace
    naming: Naming
    types: Typespace
    source_types: Typespace
    client_types: ClientTypes
    first_ids: FirstIds
    taken: set[str] = field(default_factory=set)

    def claim(self, name: str) -> str:
        """Take a name for a table, view, index, constraint, sequence or schedule, or raise `Invalid`."""
        if name in self.taken:
            raise invalid(ErrorKind.DuplicateName, name=name)
        self.taken.add(name)
        return name

    def row_types(self, ref: int, owner: str) -> tuple[Product, Product]:
        """The record in a slot: with canonical names, and with those of the source.

        Raises `Invalid` when there is no such slot or it holds no record; `owner` is the table or view.
        """
        if ref < len(self.types):
            canonical, source = self.types[ref], self.source_types[ref]
            if isinstance(canonical, Product) and isinstance(source, Product):
                return canonical, source
        raise invalid(ErrorKind.InvalidProductTypeRef, table=owner, ref=ref)
