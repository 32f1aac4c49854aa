"""How subscriptions speak to clients: the seam between what happened and the bytes of a protocol.

An encoder belongs to a protocol and a compression, not to a connection, so what it makes is made once for all
connections that share it. Its parts build on each other: rows of a fragment, a set's update, a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from spacetimedb_standalone.wire import server_v2 as v2
from spacetimedb_standalone.wire.envelope import Compression, seal
from spacetimedb_standalone.wire.row_list import row_list
from spacetimedb_standalone.wire.server_v1 import ReducerCall

from .queries import TableChange, TableRows


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows changed, as far as clients may know: only those of v1 ask. `call` is None where that is a secret."""

    request_id: int = 0
    call: ReducerCall | None = None


UNSAID = Cause()


class Encoder(Protocol):
    @property
    def tells_sets_apart(self) -> bool:
        """Whether updates are told by set. If not, a connection's sets stand and fall together."""

    def change(self, change: TableChange, /) -> bytes:
        """A fragment's part in a set's update."""

    def set_update(self, set_id: int, tables: Iterable[Changed], /) -> bytes:
        """What changed for one set, table by table, with the parts that `change` made."""

    def update(self, sets: Sequence[bytes], /) -> bytes:
        """What changed for one connection, as it goes into the answer to its own call."""

    def message(self, update: bytes, cause: Cause, /) -> bytes:
        """The message with what changed for one connection."""

    def given_up(self, set_id: int, error: str, /) -> bytes:
        """The message that a set could not be kept up to date."""


Changed: TypeAlias = Sequence[tuple[TableChange, bytes]]
"""The changes of one table, each encoded."""


class V2:
    """Protocols v2 and v3; beyond what an `Encoder` does, the answers to requests."""

    tells_sets_apart = True

    def __init__(self, compression: Compression) -> None:
        self._compression = compression

    # -- updates

    def change(self, change: TableChange, /) -> bytes:
        if change.table.event:
            return v2.event_rows(row_list(change.inserts))
        return v2.changed_rows(row_list(change.inserts), row_list(change.deletes))

    def set_update(self, set_id: int, tables: Iterable[Changed], /) -> bytes:
        by_name = sorted((changed[0][0].table.name, [part for _, part in changed]) for changed in tables)
        return v2.set_update(set_id, [v2.table_update(name, parts) for name, parts in by_name])

    def update(self, sets: Sequence[bytes], /) -> bytes:
        return v2.set_updates(sets)

    def message(self, update: bytes, cause: Cause, /) -> bytes:
        return self.sealed(v2.transaction_update(update))

    def given_up(self, set_id: int, error: str, /) -> bytes:
        return self.sealed(v2.subscription_error(None, set_id, error))

    # -- answers

    def applied(self, request_id: int, set_id: int, tables: Iterable[TableRows]) -> bytes:
        """The set is subscribed; its present rows."""
        return self.sealed(v2.subscribe_applied(request_id, set_id, list(map(_table_rows, tables))))

    def batch_applied(
        self, request_id: int, results: Iterable[tuple[int, Iterable[TableRows] | str]]
    ) -> bytes:
        """For each set its present rows, or why it is not subscribed."""
        outcomes = [
            (set_id, outcome if isinstance(outcome, str) else list(map(_table_rows, outcome)))
            for set_id, outcome in results
        ]
        return self.sealed(v2.batch_applied(request_id, outcomes))

    def unsubscribed(self, request_id: int, set_id: int, tables: Iterable[TableRows] | None) -> bytes:
        """The set is no more; its rows, if they were asked for."""
        rows = None if tables is None else list(map(_table_rows, tables))
        return self.sealed(v2.unsubscribe_applied(request_id, set_id, rows))

    def refused(self, request_id: int, set_id: int, error: str) -> bytes:
        """The set could not be (un)subscribed."""
        return self.sealed(v2.subscription_error(request_id, set_id, error))

    def answered(self, request_id: int, table: TableRows) -> bytes:
        """The answer to a one-off query."""
        return self.sealed(v2.one_off_ok(request_id, [_table_rows(table)]))

    def not_answered(self, request_id: int, error: str) -> bytes:
        return self.sealed(v2.one_off_error(request_id, error))

    def sealed(self, body: bytes) -> bytes:
        """Any other message, in the envelope that its receiver asked for."""
        return seal(body, self._compression)


def _table_rows(table: TableRows) -> bytes:
    return v2.table_rows(table.table.name, row_list(table.rows))


V2_PLAIN = V2(Compression.NONE)
V2_GZIP = V2(Compression.GZIP)
V2_BROTLI = V2(Compression.BROTLI)
