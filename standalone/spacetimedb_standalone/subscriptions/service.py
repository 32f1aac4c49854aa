"""Subscriptions: who watches what, and telling them when it changes.

Everything happens between transactions, on the thread that runs them. So a set's first rows are those of one
state, and the first update after them is that of the next transaction: no gap, no overlap.

The requests here are those of protocols v2 and v3; `requests_v1` has those of v1 on the same sets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from spacetimedb_standalone.sql.errors import SqlError
from spacetimedb_standalone.sql.schema import Catalog, NoViews, Rows, Views
from spacetimedb_standalone.wire.server_v2 import NO_UPDATE

from .broadcast import tell
from .changes import Changes
from .encoder import UNSAID, V2, V2_PLAIN, Cause
from .queries import TableChange, TableRows, WatchedQuery
from .query_sets import QuerySets
from .sets import Connection

_log = logging.getLogger(__name__)


class Subscriptions:
    def __init__(
        self,
        catalog: Catalog,
        store: Rows,
        *,
        encoder_of: Callable[[Connection], V2] = lambda connection: V2_PLAIN,
        views: Views | None = None,
        watch: Callable[[int, bool], None] = lambda table_id, on: None,
    ) -> None:
        """`watch` is told which tables' changes `committed` needs to hear of, and when no more."""
        self._store = store
        self._encoder_of = encoder_of
        self.sets = QuerySets(catalog, store, NoViews() if views is None else views, watch)

    def watched_tables(self) -> frozenset[int]:
        return self.sets.registry.pruning.tables()

    # -- requests of clients; each is answered through the connection

    def subscribe(
        self, connection: Connection, request_id: int, set_id: int, texts: Sequence[str], offset: int
    ) -> None:
        """Subscribe to a set of queries, all or none. `offset` is that of the last transaction."""
        encoder = self._encoder_of(connection)
        try:
            rows = self._entered(connection, encoder, set_id, texts)
        except SqlError as error:
            connection.append(encoder.refused(request_id, set_id, str(error)), -1)
        else:
            connection.append(encoder.applied(request_id, set_id, rows), offset)

    def subscribe_batch(
        self,
        connection: Connection,
        request_id: int,
        sets: Iterable[tuple[int, Sequence[str]]],
        offset: int,
    ) -> None:
        """Subscribe to several sets on the same state, each all or none."""
        encoder = self._encoder_of(connection)
        results: list[tuple[int, list[TableRows] | str]] = []
        for set_id, texts in sets:
            try:
                results.append((set_id, self._entered(connection, encoder, set_id, texts)))
            except SqlError as error:
                results.append((set_id, str(error)))
        connection.append(encoder.batch_applied(request_id, results), offset)

    def unsubscribe(
        self, connection: Connection, request_id: int, set_id: int, send_dropped: bool, offset: int
    ) -> None:
        """Give up a set; its rows go along with the answer if they are asked for."""
        encoder = self._encoder_of(connection)
        try:
            query_set = self.sets.find(connection, set_id)
        except SqlError as error:
            connection.append(encoder.refused(request_id, set_id, str(error)), -1)
            return
        self.sets.give_up(query_set)
        rows = self.sets.rows(query_set.queries) if send_dropped else None
        connection.append(encoder.unsubscribed(request_id, set_id, rows), offset)

    def one_off(self, connection: Connection, request_id: int, text: str, offset: int) -> None:
        """Answer a query once."""
        encoder = self._encoder_of(connection)
        try:
            rows = self.sets.ask(connection, text)
        except SqlError as error:
            connection.append(encoder.not_answered(request_id, str(error)), -1)
        else:
            connection.append(encoder.answered(request_id, rows), offset)

    def drop(self, connection: Connection) -> None:
        """The connection is gone, and all that it subscribed to with it."""
        self.sets.drop(connection)

    def _entered(
        self, connection: Connection, encoder: V2, set_id: int, texts: Sequence[str]
    ) -> list[TableRows]:
        return self.sets.first_rows(self.sets.enter(connection, encoder, set_id, texts))

    # -- what happens to the database

    def committed(
        self,
        delta: Iterable[tuple[int, list[bytes], list[bytes]]],
        offset: int,
        caller: Connection | None = None,
        cause: Cause = UNSAID,
    ) -> bytes:
        """Tell everyone what a transaction changed, except its caller: their part is returned.

        `delta` holds net (table id, inserts, deletes). A query that fails takes the sets it is in with it;
        their clients are told so before anything else.
        """
        changes = Changes(delta)
        changed: list[tuple[WatchedQuery, list[TableChange]]] = []
        for query in self.sets.registry.pruning.affected(changes, self._store):
            try:
                of_query = query.changes(changes, self._store)
            except Exception as error:
                _log.exception("query %r failed on transaction %d", query.key.text, offset)
                self.sets.fail(query, str(error))
            else:
                if of_query:
                    changed.append((query, of_query))
        return tell(changed, offset, caller, cause) if changed else NO_UPDATE

    def redefine(self) -> list[Connection]:
        """The tables were defined anew. Connections that come back watched what is no more; they lose all sets."""
        return self.sets.redefine()
