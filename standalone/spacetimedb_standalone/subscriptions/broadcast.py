"""One transaction told to everyone it concerns.

Each query is evaluated once and its change encoded once per encoder. Sets with the same id and the same changes
share their bytes, and connections with the same sets share the whole message: a thousand clients that watch the
same thing cost a thousand queue entries, not a thousand messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacetimedb_standalone.wire.server_v2 import NO_UPDATE

from .encoder import Encoder
from .queries import TableChange, WatchedQuery
from .sets import Connection, QuerySet

Changed = Sequence[tuple[WatchedQuery, list[TableChange]]]


def tell(changed: Changed, offset: int, caller: Connection | None) -> bytes:
    """Queue one message for each connection concerned; the caller's update is returned instead of sent."""
    if len(changed) == 1:
        query, changes = changed[0]
        if query.is_once_in_each:
            return _tell_of_one(query, changes, offset, caller)
    return _tell_of_many(changed, offset, caller)


def _tell_of_one(
    query: WatchedQuery, changes: list[TableChange], offset: int, caller: Connection | None
) -> bytes:
    """The usual case: one query changed, and each connection has it in one set."""
    parts = _Parts(changes)
    own = NO_UPDATE
    for (encoder, set_id), connections in query.groups.items():
        update = parts.update(encoder, ((set_id, tuple(range(len(changes)))),))
        message = encoder.message(update)
        for connection in connections:
            if connection is caller:
                own = update
            else:
                connection.append(message, offset)
    return own


def _tell_of_many(changed: Changed, offset: int, caller: Connection | None) -> bytes:
    parts = _Parts([change for _, changes in changed for change in changes])
    by_set: dict[QuerySet, list[int]] = {}
    first = 0
    for query, changes in changed:
        numbers = range(first, first + len(changes))
        first += len(changes)
        for query_set in query.sets:
            by_set.setdefault(query_set, []).extend(numbers)
    by_connection: dict[Connection, list[QuerySet]] = {}
    for query_set in by_set:
        by_connection.setdefault(query_set.connection, []).append(query_set)
    messages: dict[tuple[Encoder, _Sets], bytes] = {}
    own = NO_UPDATE
    for connection, sets in by_connection.items():
        encoder = sets[0].encoder
        key = encoder, tuple(sorted((each.id, tuple(by_set[each])) for each in sets))
        if connection is caller:
            own = parts.update(*key)
            continue
        message = messages.get(key)
        if message is None:
            message = messages[key] = encoder.message(parts.update(*key))
        connection.append(message, offset)
    return own


_Sets = tuple[tuple[int, tuple[int, ...]], ...]
"""Ids of sets, each with the numbers of the changes in it."""


class _Parts:
    """The changes of a transaction by number, encoded when first needed."""

    def __init__(self, changes: Sequence[TableChange]) -> None:
        self._changes = changes
        self._encoded: dict[tuple[Encoder, int], bytes] = {}
        self._sets: dict[tuple[Encoder, int, tuple[int, ...]], bytes] = {}

    def update(self, encoder: Encoder, sets: _Sets) -> bytes:
        return encoder.update([self._set_update(encoder, set_id, numbers) for set_id, numbers in sets])

    def _set_update(self, encoder: Encoder, set_id: int, numbers: tuple[int, ...]) -> bytes:
        key = encoder, set_id, numbers
        update = self._sets.get(key)
        if update is None:
            by_table: dict[str, list[bytes]] = {}
            for number, part in zip(numbers, self._parts(encoder, numbers), strict=True):
                by_table.setdefault(self._changes[number].table.name, []).append(part)
            update = self._sets[key] = encoder.set_update(set_id, by_table)
        return update

    def _parts(self, encoder: Encoder, numbers: Iterable[int]) -> list[bytes]:
        found = []
        for number in numbers:
            key = encoder, number
            if key not in self._encoded:
                self._encoded[key] = encoder.change(self._changes[number])
            found.append(self._encoded[key])
        return found
