"""Finding the queries that a transaction may concern, without asking each of them.

Queries are filed by what they said of their tables (`Fragment.marks`):

- a table: any change of it concerns them;
- a mark: only rows with that value in that column do. All values of one column are one dictionary, so a
  changed row costs a look-up, however many queries there are;
- a linked mark: the changed row leads through a unique index to a row of another table, and that row's value
  is looked up. If the other row changed in the same transaction, it concerns the query by its own mark.

Too many may be found, never too few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from spacetimedb_standalone.sql.functions import Key, column_bytes
from spacetimedb_standalone.sql.schema import Rows, TableDef

from .changes import Changes
from .compiled import LinkedMark, Mark


class Watching(Protocol):
    """A query that can be filed."""

    def marks(self) -> Iterable[TableDef | Mark | LinkedMark]: ...


Query = TypeVar("Query", bound=Watching)


@dataclass
class _Column(Generic[Query]):
    """Queries by the value of one column that they want."""

    read: Key
    by_value: dict[bytes, dict[Query, int]] = field(default_factory=dict)


@dataclass
class _Link(Generic[Query]):
    """How a row of one table leads to a marked value of another, and the queries by that value."""

    probe: Key
    index_id: int
    column: _Column[Query]


@dataclass
class _Watched(Generic[Query]):
    """What is filed about one table. Queries are counted: one may be filed twice by the same mark."""

    queries: int = 0
    whole: dict[Query, int] = field(default_factory=dict)
    columns: dict[int, _Column[Query]] = field(default_factory=dict)
    links: dict[tuple[int, int, int], _Link[Query]] = field(default_factory=dict)


class Pruning(Generic[Query]):
    def __init__(self, watch: Callable[[int, bool], None]) -> None:
        """`watch` is told of every table that begins or ceases to matter."""
        self._watch = watch
        self._tables: dict[int, _Watched[Query]] = {}

    def tables(self) -> frozenset[int]:
        return frozenset(self._tables)

    def add(self, query: Query) -> None:
        for mark in query.marks():
            table = mark if isinstance(mark, TableDef) else mark.table
            if table.id not in self._tables:
                self._tables[table.id] = _Watched()
                self._watch(table.id, True)
            watched = self._tables[table.id]
            watched.queries += 1
            filed = _drawer(watched, mark)
            filed[query] = filed.get(query, 0) + 1

    def remove(self, query: Query) -> None:
        for mark in query.marks():
            table = mark if isinstance(mark, TableDef) else mark.table
            watched = self._tables[table.id]
            filed = _drawer(watched, mark)
            filed[query] -= 1
            if not filed[query]:
                del filed[query]
            _tidy(watched, mark)
            watched.queries -= 1
            if not watched.queries:
                del self._tables[table.id]
                self._watch(table.id, False)

    def affected(self, changes: Changes, store: Rows) -> list[Query]:
        """The queries that may be concerned, each once. `store` is the state after the transaction."""
        found: dict[Query, None] = {}
        for table_id in changes:
            watched = self._tables.get(table_id)
            if watched is None:
                continue
            found |= dict.fromkeys(watched.whole)
            if watched.columns or watched.links:
                rows = changes.rows(table_id)
                for column in watched.columns.values():
                    _collect(found, column, rows)
                for link in watched.links.values():
                    _follow(found, link, rows, store)
        return list(found)


def _collect(found: dict[Query, None], column: _Column[Query], rows: Iterable[bytes]) -> None:
    for value in set(map(column.read, rows)):
        if value in column.by_value:
            found |= dict.fromkeys(column.by_value[value])


def _follow(found: dict[Query, None], link: _Link[Query], rows: Iterable[bytes], store: Rows) -> None:
    for key in set(map(link.probe, rows)):
        _collect(found, link.column, store.seek(link.index_id, key))


def _drawer(watched: _Watched[Query], mark: TableDef | Mark | LinkedMark) -> dict[Query, int]:
    """Where queries with this mark are filed."""
    match mark:
        case Mark(table, position, value):
            column = watched.columns.get(position)
            if column is None:
                column = watched.columns[position] = _Column(column_bytes(table, position))
            return column.by_value.setdefault(value, {})
        case LinkedMark():
            key = _link_key(mark)
            link = watched.links.get(key)
            if link is None:
                probe = column_bytes(mark.table, mark.position)
                column = _Column(column_bytes(mark.other, mark.mark.position))
                link = watched.links[key] = _Link(probe, mark.index_id, column)
            return link.column.by_value.setdefault(mark.mark.value, {})
        case _:
            return watched.whole


def _tidy(watched: _Watched[Query], mark: TableDef | Mark | LinkedMark) -> None:
    """Throw away what is empty after a query was taken out."""
    match mark:
        case Mark(_, position, value):
            by_value = watched.columns[position].by_value
            if not by_value[value]:
                del by_value[value]
            if not by_value:
                del watched.columns[position]
        case LinkedMark():
            key = _link_key(mark)
            by_value = watched.links[key].column.by_value
            if not by_value[mark.mark.value]:
                del by_value[mark.mark.value]
            if not by_value:
                del watched.links[key]


def _link_key(mark: LinkedMark) -> tuple[int, int, int]:
    return mark.position, mark.index_id, mark.mark.position
