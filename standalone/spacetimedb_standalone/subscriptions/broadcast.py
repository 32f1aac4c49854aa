"""One transaction told to everyone it concerns.

Each query is evaluated once and its change encoded once per encoder. Sets with the same id and the same changes
share their bytes, and connections with the same sets share the whole message: a thousand clients that watch the
same thing cost a thousand queue entries, not a thousand messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from spacetimedb_standalone.wire.server_v2 import NO_UPDATE

from .encoder import Cause, Encoder
from .queries import TableChange, WatchedQuery
from .sets import Connection

Changed = Sequence[tuple[WatchedQuery, list[TableChange]]]


def tell(changed: Changed, offset: int, caller: Connection | None, cause: Cause) -> bytes:
    """Queue one message for each connection concerned; the caller's update is returned instead of sent."""
    if len(changed) == 1:
        query, changes = changed[0]
        if query.is_once_in_each:
            return _tell_of_one(query, changes, offset, caller, cause)
    return _tell_of_many(changed, offset, caller, cause)


def _tell_of_one(
    query: WatchedQuery, changes: list[TableChange], offset: int, caller: Connection | None, cause: Cause
) -> bytes:
    """The usual case: one query changed, and each connection has it in one set."""
    parts = _Parts(changes)
    own = NO_UPDATE
    for (encoder, group), connections in query.groups.items():
        update = parts.update(encoder, ((group, tuple(range(len(changes)))),))
        message = encoder.message(update, cause)
        for connection in connections:
            if connection is caller:
                own = update
            else:
                connection.append(message, offset)
    return own


def _tell_of_many(changed: Changed, offset: int, caller: Connection | None, cause: Cause) -> bytes:
    parts = _Parts([change for _, changes in changed for change in changes])
    messages: dict[tuple[Encoder, _Groups], bytes] = {}
    own = NO_UPDATE
    for connection, (encoder, numbers) in _concerned(changed).items():
        key = encoder, tuple(sorted((group, tuple(numbers[group])) for group in numbers))
        if connection is caller:
            own = parts.update(*key)
            continue
        message = messages.get(key)
        if message is None:
            message = messages[key] = encoder.message(parts.update(*key), cause)
        connection.append(message, offset)
    return own


def _concerned(changed: Changed) -> dict[Connection, tuple[Encoder, dict[int, dict[int, None]]]]:
    """The connections to tell, with the numbers of their changes by group, each number once."""
    concerned: dict[Connection, tuple[Encoder, dict[int, dict[int, None]]]] = {}
    first = 0
    for query, changes in changed:
        numbers = dict.fromkeys(range(first, first + len(changes)))
        first += len(changes)
        for query_set in query.sets:
            groups = concerned.setdefault(query_set.connection, (query_set.encoder, {}))[1]
            groups.setdefault(query_set.group, {}).update(numbers)
    return concerned


_Groups = tuple[tuple[int, tuple[int, ...]], ...]
"""Groups of sets, each with the numbers of the changes in it."""


class _Parts:
    """The changes of a transaction by number, encoded when first needed."""

    def __init__(self, changes: Sequence[TableChange]) -> None:
        self._changes = changes
        self._encoded: dict[tuple[Encoder, int], bytes] = {}
        self._sets: dict[tuple[Encoder, int, tuple[int, ...]], bytes] = {}

    def update(self, encoder: Encoder, groups: _Groups) -> bytes:
        if not encoder.tells_sets_apart:
            groups = ((0, tuple(chain.from_iterable(numbers for _, numbers in groups))),)
        return encoder.update([self._set_update(encoder, group, numbers) for group, numbers in groups])

    def _set_update(self, encoder: Encoder, set_id: int, numbers: tuple[int, ...]) -> bytes:
        key = encoder, set_id, numbers
        update = self._sets.get(key)
        if update is None:
            by_table: dict[int, list[tuple[TableChange, bytes]]] = {}
            for number, part in zip(numbers, self._parts(encoder, numbers), strict=True):
                change = self._changes[number]
                by_table.setdefault(change.table.id, []).append((change, part))
            update = self._sets[key] = encoder.set_update(set_id, by_table.values())
        return update

    def _parts(self, encoder: Encoder, numbers: Iterable[int]) -> list[bytes]:
        found = []
        for number in numbers:
            key = encoder, number
            if key not in self._encoded:
                self._encoded[key] = encoder.change(self._changes[number])
            found.append(self._encoded[key])
        return found
