"""Subscriptions: who watches what, and telling them when it changes.

Everything happens between transactions, on the thread that runs them. So a set's first rows are those of one
state, and the first update after them is that of the next transaction: no gap, no overlap.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence

from spacetimedb_standalone.sql.errors import SqlError, SqlPlanError
from spacetimedb_standalone.sql.schema import Caller, Catalog, NoViews, Rows, Views, readable
from spacetimedb_standalone.sql.select import check_row_limit, materialize, view_sender
from spacetimedb_standalone.sql.statement import prepare_query
from spacetimedb_standalone.wire.server_v2 import NO_UPDATE

from .broadcast import tell
from .changes import Changes
from .compiled import compile_query
from .encoder import V2_PLAIN, Encoder
from .queries import QueryRegistry, TableChange, TableRows, WatchedQuery
from .sets import Connection, ConnectionSets, QuerySet

_EVERYTHING = re.compile(r"\s*SELECT\s+\*\s+FROM\s+\*\s*", re.IGNORECASE)
_EVALUATION_FAILED = "Internal error evaluating queries"
_log = logging.getLogger(__name__)


class Subscriptions:
    def __init__(
        self,
        catalog: Catalog,
        store: Rows,
        *,
        encoder_of: Callable[[Connection], Encoder] = lambda connection: V2_PLAIN,
        views: Views | None = None,
        watch: Callable[[int, bool], None] = lambda table_id, on: None,
    ) -> None:
        """`watch` is told which tables' changes `committed` needs to hear of, and when no more."""
        self._catalog = catalog
        self._store = store
        self._encoder_of = encoder_of
        self._views: Views = NoViews() if views is None else views
        self._registry = QueryRegistry(watch)
        self._sets = ConnectionSets()

    def watched_tables(self) -> frozenset[int]:
        return self._registry.pruning.tables()

    # -- requests of clients; each is answered through the connection

    def subscribe(
        self, connection: Connection, request_id: int, set_id: int, texts: Sequence[str], offset: int
    ) -> None:
        """Subscribe to a set of queries, all or none. `offset` is that of the last transaction."""
        encoder = self._encoder_of(connection)
        try:
            query_set = self._entered(connection, set_id, texts)
        except SqlError as error:
            connection.append(encoder.refused(request_id, set_id, str(error)), -1)
            return
        try:
            self._retain_views(query_set)
            message = encoder.applied(request_id, set_id, self._rows(query_set.queries))
        except Exception:
            _log.exception("the first rows of a subscription could not be read")
            self._give_up(query_set)
            connection.append(encoder.refused(request_id, set_id, _EVALUATION_FAILED), -1)
        else:
            connection.append(message, offset)

    def unsubscribe(
        self, connection: Connection, request_id: int, set_id: int, send_dropped: bool, offset: int
    ) -> None:
        """Give up a set; its rows go along with the answer if they are asked for."""
        encoder = self._encoder_of(connection)
        query_set = self._sets.find(connection, set_id)
        if query_set is None:
            refusal = encoder.refused(request_id, set_id, self._unknown_set(connection, set_id))
            connection.append(refusal, -1)
            return
        self._give_up(query_set)
        rows = self._rows(query_set.queries) if send_dropped else None
        connection.append(encoder.unsubscribed(request_id, set_id, rows), offset)

    def one_off(self, connection: Connection, request_id: int, text: str, offset: int) -> None:
        """Answer a query once. Views are shown as they are, without computing them."""
        encoder = self._encoder_of(connection)
        try:
            statement = prepare_query(text, _caller(connection), self._catalog)
            result = statement.run(self._store, NoViews())
        except SqlError as error:
            connection.append(encoder.not_answered(request_id, str(error)), -1)
        else:
            connection.append(encoder.answered(request_id, TableRows(statement.table, result.rows)), offset)

    def drop(self, connection: Connection) -> None:
        """The connection is gone, and all that it subscribed to with it."""
        for query_set in self._sets.drop(connection):
            self._leave(query_set)

    # -- what happens to the database

    def committed(
        self,
        delta: Iterable[tuple[int, list[bytes], list[bytes]]],
        offset: int,
        caller: Connection | None = None,
    ) -> bytes:
        """Tell everyone what a transaction changed, except its caller: their part is returned.

        `delta` holds net (table id, inserts, deletes). A query that fails takes the sets it is in with it;
        their clients are told so before anything else.
        """
        changes = Changes(delta)
        changed: list[tuple[WatchedQuery, list[TableChange]]] = []
        for query in self._registry.pruning.affected(changes, self._store):
            try:
                of_query = query.changes(changes, self._store)
            except Exception as error:
                _log.exception("query %r failed on transaction %d", query.key.text, offset)
                self._fail(query, str(error))
            else:
                if of_query:
                    changed.append((query, of_query))
        return tell(changed, offset, caller) if changed else NO_UPDATE

    def redefine(self) -> list[Connection]:
        """The tables were defined anew: compile all queries again.

        Connections with a query that is none any more lose all their sets and are returned, to be closed.
        """
        broken: dict[Connection, None] = {}
        for query in self._registry.all():
            try:
                compiled = compile_query(query.key.text, self._catalog, query.caller)
            except SqlError:
                broken |= {query_set.connection: None for query_set in query.sets}
            else:
                self._registry.replace(query, compiled)
        for connection in broken:
            self.drop(connection)
        return list(broken)

    # -- sets

    def _entered(self, connection: Connection, set_id: int, texts: Sequence[str]) -> QuerySet:
        """A new set, its queries being watched. Raises SqlError, and then nothing has changed."""
        if self._sets.find(connection, set_id) is not None:
            raise SqlPlanError(
                f"Subscription with id {_set_text(set_id)} already exists for client: {_client(connection)}"
            )
        caller = _caller(connection)
        found: dict[WatchedQuery, None] = {}
        for text in self._expanded(texts, caller):
            found[self._registry.find(text, caller) or self._compiled(text, caller)] = None
        for query in found:
            if not query.sets:
                plans = [fragment.plan for fragment in query.compiled.fragments]
                check_row_limit(plans, None, self._catalog, caller, self._store)
        query_set = QuerySet(connection, self._encoder_of(connection), set_id, tuple(found))
        for query in found:
            self._registry.enter(query, query_set)
        self._sets.add(query_set)
        return query_set

    def _expanded(self, texts: Sequence[str], caller: Caller) -> list[str]:
        """The texts, trimmed, each once, with `SELECT * FROM *` spelled out."""
        expanded: dict[str, None] = {}
        for text in texts:
            if _EVERYTHING.fullmatch(text):
                expanded |= {f"SELECT * FROM {name}": None for name in self._everything(caller)}
            else:
                expanded[text.strip()] = None
        return list(expanded)

    def _everything(self, caller: Caller) -> list[str]:
        tables = self._catalog.tables()
        return [t.name for t in tables if not (t.system or t.event) and readable(t, caller)]

    def _compiled(self, text: str, caller: Caller) -> WatchedQuery:
        try:
            if not text:
                raise SqlPlanError("SubscriptionError: Empty string")
            return self._registry.compile(text, caller, self._catalog)
        except SqlError as error:
            raise SqlError(f"{error}, executing: `{text}`") from error

    def _rows(self, queries: Sequence[WatchedQuery]) -> list[TableRows]:
        return [rows for query in queries for rows in query.rows(self._store)]

    def _retain_views(self, query_set: QuerySet) -> None:
        caller = _caller(query_set.connection)
        read = [view for query in query_set.queries for view in query.compiled.views]
        for view in read:
            self._views.retain(view, view_sender(view, caller))
        # All are retained before any is computed: giving up the set releases all.
        materialize(read, self._views, caller)

    def _give_up(self, query_set: QuerySet) -> None:
        self._sets.remove(query_set)
        self._leave(query_set)

    def _leave(self, query_set: QuerySet) -> None:
        caller = _caller(query_set.connection)
        for query in query_set.queries:
            self._registry.leave(query, query_set)
            for view in query.compiled.views:
                self._views.release(view, view_sender(view, caller))

    def _fail(self, query: WatchedQuery, error: str) -> None:
        for query_set in list(query.sets):
            self._give_up(query_set)
            query_set.connection.append(query_set.encoder.refused(None, query_set.id, error), -1)

    def _unknown_set(self, connection: Connection, set_id: int) -> str:
        if not self._sets.knows(connection):
            return f"Client not found: {_client(connection)}"
        return f"Subscription not found: ({_client(connection)}, {_set_text(set_id)})"


def _caller(connection: Connection) -> Caller:
    return Caller(connection.identity, connection.is_owner)


def _client(connection: Connection) -> str:
    identity, connection_id = connection.identity[::-1].hex(), connection.connection_id[::-1].hex()
    return f"(Identity({identity}), ConnectionId({connection_id}))"


def _set_text(set_id: int) -> str:
    return f"QuerySetId {{ id: {set_id} }}"
