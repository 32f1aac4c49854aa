"""Queries that are being watched, each once however many query sets contain it.

Two callers share a query if its text is the same to the letter and what it returns cannot depend on which of
them asks: only then is it evaluated once for both. Owners, who see more, share among themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacetimedb_standalone.sql.schema import Caller, Catalog, Rows, TableDef

from .changes import Changes
from .compiled import CompiledQuery, LinkedMark, Mark, compile_query
from .pruning import Pruning

if TYPE_CHECKING:
    from .encoder import Encoder
    from .sets import Connection, QuerySet


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of one table, from one fragment of a query."""

    table: TableDef
    rows: list[bytes]


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a transaction changed for one fragment of a query. `changes` are those of all tables."""

    table: TableDef
    inserts: list[bytes]
    deletes: list[bytes]
    changes: Changes

    def __len__(self) -> int:
        """How many rows came and went."""
        return len(self.inserts) + len(self.deletes)


@dataclass(frozen=True, slots=True)
class QueryKey:
    text: str
    is_owner: bool
    identity: bytes | None
    """Whose, if it depends on that."""


class WatchedQuery:
    def __init__(self, key: QueryKey, caller: Caller, compiled: CompiledQuery) -> None:
        self.key = key
        self.caller = caller
        """The first who asked: a caller to compile it for again."""
        self.compiled = compiled
        self.sets: dict[QuerySet, None] = {}
        self.groups: dict[tuple[Encoder, int], Counter[Connection]] = {}
        """The connections of the sets, by what makes their updates the same bytes: encoder and group."""

        self._connections: Counter[Connection] = Counter()

    @property
    def is_once_in_each(self) -> bool:
        """Whether no connection has the query in more than one set."""
        return len(self._connections) == len(self.sets)

    def enter(self, query_set: QuerySet) -> None:
        self.sets[query_set] = None
        self._connections[query_set.connection] += 1
        self.groups.setdefault((query_set.encoder, query_set.group), Counter())[query_set.connection] += 1

    def leave(self, query_set: QuerySet) -> None:
        """Does nothing if the set is not there."""
        if query_set not in self.sets:
            return
        del self.sets[query_set]
        _count_down(self._connections, query_set.connection)
        key = query_set.encoder, query_set.group
        _count_down(self.groups[key], query_set.connection)
        if not self.groups[key]:
            del self.groups[key]

    def marks(self) -> list[TableDef | Mark | LinkedMark]:
        return [mark for fragment in self.compiled.fragments for mark in fragment.marks()]

    def rows(self, store: Rows) -> list[TableRows]:
        """The present result. Fragments that read a table without rows are left out."""
        return [
            TableRows(fragment.table, fragment.rows(store))
            for fragment in self.compiled.fragments
            if not fragment.reads_an_empty_table(store)
        ]

    def changes(self, changes: Changes, store: Rows) -> list[TableChange]:
        """What a transaction changed about the result; fragments without change are left out."""
        found = []
        for fragment in self.compiled.fragments:
            inserts, deletes = fragment.changes(changes, store)
            if inserts or deletes:
                found.append(TableChange(fragment.table, inserts, deletes, changes))
        return found


def _count_down(counts: Counter[Connection], connection: Connection) -> None:
    counts[connection] -= 1
    if not counts[connection]:
        del counts[connection]


class QueryRegistry:
    def __init__(self, watch: Callable[[int, bool], None]) -> None:
        self._queries: dict[QueryKey, WatchedQuery] = {}
        self.pruning: Pruning[WatchedQuery] = Pruning(watch)

    def find(self, text: str, caller: Caller) -> WatchedQuery | None:
        """The query of this text if it is being watched for such a caller."""
        common = self._queries.get(QueryKey(text, caller.is_owner, None))
        return common or self._queries.get(QueryKey(text, caller.is_owner, caller.identity))

    def compile(self, text: str, caller: Caller, catalog: Catalog) -> WatchedQuery:
        """A query not yet watched. Raises SqlError."""
        compiled = compile_query(text, catalog, caller)
        identity = caller.identity if compiled.depends_on_caller else None
        return WatchedQuery(QueryKey(text, caller.is_owner, identity), caller, compiled)

    def enter(self, query: WatchedQuery, query_set: QuerySet) -> None:
        """Let a set watch a query, which is filed with the first set that does."""
        if not query.sets:
            self._queries[query.key] = query
            self.pruning.add(query)
        query.enter(query_set)

    def leave(self, query: WatchedQuery, query_set: QuerySet) -> None:
        query.leave(query_set)
        if not query.sets and self._queries.pop(query.key, None) is not None:
            self.pruning.remove(query)

    def all(self) -> list[WatchedQuery]:
        return list(self._queries.values())

    def replace(self, query: WatchedQuery, compiled: CompiledQuery) -> None:
        """Let a query mean what it means now, after the tables were defined anew."""
        self.pruning.remove(query)
        query.compiled = compiled
        self.pruning.add(query)
