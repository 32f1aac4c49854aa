"""The query sets that are being watched: entering one, its rows, giving it up.

A set is entered whole or not at all. What is said to its client is not decided here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence

from spacetimedb_standalone.sql.errors import SqlError, SqlPlanError
from spacetimedb_standalone.sql.schema import Caller, Catalog, NoViews, Rows, Views, readable
from spacetimedb_standalone.sql.select import check_row_limit, materialize, view_sender
from spacetimedb_standalone.sql.statement import prepare_query

from .compiled import compile_query
from .encoder import Encoder
from .queries import QueryRegistry, TableRows, WatchedQuery
from .sets import OWN, Connection, ConnectionSets, QuerySet, SetKind

_EVERYTHING = re.compile(r"\s*SELECT\s+\*\s+FROM\s+\*\s*", re.IGNORECASE)
_EVALUATION_FAILED = "Internal error evaluating queries"
_NO_EVENTS = (
    "Subscribing to event tables requires WebSocket v2. "
    "Please upgrade your client SDK and regenerate your module bindings."
)
_log = logging.getLogger(__name__)


class QuerySets:
    def __init__(
        self, catalog: Catalog, store: Rows, views: Views, watch: Callable[[int, bool], None]
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._views = views
        self.registry = QueryRegistry(watch)
        self._sets = ConnectionSets()

    # -- entering

    def enter(
        self,
        connection: Connection,
        encoder: Encoder,
        set_id: int,
        texts: Sequence[str],
        kind: SetKind = OWN,
    ) -> QuerySet:
        """A new set, its queries being watched. Raises SqlError, and then nothing has changed."""
        if self._sets.find(connection, set_id) is not None:
            raise SqlPlanError(
                f"Subscription with id {_set_text(set_id)} already exists for client: {_client(connection)}"
            )
        caller = _caller(connection)
        found: dict[WatchedQuery, None] = {}
        for text in texts if kind.verbatim else self._expanded(texts, caller):
            found[self.registry.find(text, caller) or self._compiled(text, caller)] = None
        for query in found:
            self._check(query, kind, caller)
        query_set = QuerySet(connection, encoder, set_id, tuple(found), kind)
        for query in found:
            self.registry.enter(query, query_set)
        self._sets.add(query_set)
        return query_set

    def first_rows(
        self, query_set: QuerySet, queries: Iterable[WatchedQuery] | None = None
    ) -> list[TableRows]:
        """The present rows of a set just entered, or of these queries of it. Fragments that read a table
        without rows are left out. Raises SqlError, the set then being given up.
        """
        try:
            self._retain_views(query_set)
            return self.rows(query_set.queries if queries is None else queries)
        except Exception as error:
            _log.exception("the first rows of a subscription could not be read")
            self.give_up(query_set)
            raise SqlError(_EVALUATION_FAILED) from error

    def rows(self, queries: Iterable[WatchedQuery]) -> list[TableRows]:
        """Their present rows, without fragments that read a table without rows."""
        return [rows for query in queries for rows in query.rows(self._store)]

    def ask(self, connection: Connection, text: str) -> TableRows:
        """A query's rows, once. Views are shown as they are, without computing them. Raises SqlError."""
        statement = prepare_query(text, _caller(connection), self._catalog)
        return TableRows(statement.table, statement.run(self._store, NoViews()).rows)

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
            return self.registry.compile(text, caller, self._catalog)
        except SqlError as error:
            raise executing(text, error) from error

    def _check(self, query: WatchedQuery, kind: SetKind, caller: Caller) -> None:
        fragments = query.compiled.fragments
        if not kind.events and any(fragment.table.event for fragment in fragments):
            raise SqlPlanError(_NO_EVENTS)
        if query.sets:
            return
        try:
            check_row_limit([f.plan for f in fragments], None, self._catalog, caller, self._store)
        except SqlError as error:
            raise (executing(query.key.text, error) if kind.verbatim else error) from error

    def _retain_views(self, query_set: QuerySet) -> None:
        caller = _caller(query_set.connection)
        read = [view for query in query_set.queries for view in query.compiled.views]
        for view in read:
            self._views.retain(view, view_sender(view, caller))
        # All are retained before any is computed: giving up the set releases all.
        materialize(read, self._views, caller)

    # -- leaving

    def find(self, connection: Connection, set_id: int) -> QuerySet:
        """Raises SqlError if there is no such set."""
        found = self._sets.find(connection, set_id)
        if found is not None:
            return found
        if not self._sets.knows(connection):
            raise SqlError(f"Client not found: {_client(connection)}")
        raise SqlError(f"Subscription not found: ({_client(connection)}, {_set_text(set_id)})")

    def of(self, connection: Connection) -> list[QuerySet]:
        """All sets of the connection."""
        return self._sets.of(connection)

    def give_up(self, query_set: QuerySet) -> None:
        self._sets.remove(query_set)
        self._leave(query_set)

    def drop(self, connection: Connection) -> None:
        """Forget the connection and all its sets."""
        for query_set in self._sets.drop(connection):
            self._leave(query_set)

    def fail(self, query: WatchedQuery, error: str) -> None:
        """Give up the sets that a query is in and say so; with some protocols, all sets of their connections."""
        for query_set in list(query.sets):
            if query_set not in query.sets:
                continue  # it went with another set of its connection
            if query_set.encoder.tells_sets_apart:
                self.give_up(query_set)
            else:
                self.drop(query_set.connection)
            query_set.connection.append(query_set.encoder.given_up(query_set.id, error), -1)

    def redefine(self) -> list[Connection]:
        """The tables were defined anew: compile all queries again.

        Connections with a query that is none any more lose all their sets and are returned.
        """
        broken: dict[Connection, None] = {}
        for query in self.registry.all():
            try:
                compiled = compile_query(query.key.text, self._catalog, query.caller)
            except SqlError:
                broken |= {query_set.connection: None for query_set in query.sets}
            else:
                self.registry.replace(query, compiled)
        for connection in broken:
            self.drop(connection)
        return list(broken)

    def _leave(self, query_set: QuerySet) -> None:
        caller = _caller(query_set.connection)
        for query in query_set.queries:
            self.registry.leave(query, query_set)
            for view in query.compiled.views:
                self._views.release(view, view_sender(view, caller))


def executing(text: str, error: SqlError) -> SqlError:
    """The error, saying in which query."""
    return SqlError(f"{error}, executing: `{text}`")


def _caller(connection: Connection) -> Caller:
    return Caller(connection.identity, connection.is_owner)


def _client(connection: Connection) -> str:
    identity, connection_id = connection.identity[::-1].hex(), connection.connection_id[::-1].hex()
    return f"(Identity({identity}), ConnectionId({connection_id}))"


def _set_text(set_id: int) -> str:
    return f"QuerySetId {{ id: {set_id} }}"
