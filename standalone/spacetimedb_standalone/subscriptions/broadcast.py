"""One transaction told to everyone it concerns.

Each query is evaluated once and its change encoded once per encoder. Sets with the same id and the same
changes share their bytes, and connections with the same sets share the whole message: a thousand clients that
watch the same thing cost a thousand queue entries, not a thousand messages.
"""

from __future__ import annotations

from collections.abc import Callable

from .encoder import Encoder
from .queries import TableChange
from .sets import Connection, QuerySet


class Broadcast:
    def __init__(self, encoder_of: Callable[[Connection], Encoder]) -> None:
        self._encoder_of = encoder_of
        self._changes: list[TableChange] = []
        self._touched: dict[Connection, dict[QuerySet, list[int]]] = {}
        self._parts: dict[tuple[Encoder, int], bytes] = {}
        self._set_updates: dict[tuple[Encoder, int, tuple[int, ...]], bytes] = {}
        self._messages: dict[tuple[Encoder, tuple[bytes, ...]], bytes] = {}

    def add(self, change: TableChange, sets: dict[QuerySet, None]) -> None:
        """A change of a query that these sets contain."""
        number = len(self._changes)
        self._changes.append(change)
        for query_set in sets:
            touched = self._touched.setdefault(query_set.connection, {})
            touched.setdefault(query_set, []).append(number)

    def take(self, connection: Connection | None) -> bytes | None:
        """The update of one connection, which then gets no message; None if it is not concerned."""
        if connection is None or connection not in self._touched:
            return None
        encoder = self._encoder_of(connection)
        return encoder.update(self._sets_of(self._touched.pop(connection), encoder))

    def send(self, offset: int) -> None:
        """Queue the messages of all others."""
        for connection, touched in self._touched.items():
            encoder = self._encoder_of(connection)
            sets = self._sets_of(touched, encoder)
            key = (encoder, sets)
            message = self._messages.get(key)
            if message is None:
                message = self._messages[key] = encoder.message(encoder.update(sets))
            connection.append(message, offset)

    def _sets_of(self, touched: dict[QuerySet, list[int]], encoder: Encoder) -> tuple[bytes, ...]:
        ordered = (
            sorted(touched.items(), key=lambda item: item[0].id) if len(touched) > 1 else touched.items()
        )
        return tuple(
            self._set_update(query_set.id, tuple(numbers), encoder) for query_set, numbers in ordered
        )

    def _set_update(self, set_id: int, numbers: tuple[int, ...], encoder: Encoder) -> bytes:
        key = (encoder, set_id, numbers)
        update = self._set_updates.get(key)
        if update is None:
            by_table: dict[str, list[bytes]] = {}
            for number in numbers:
                name = self._changes[number].table.name
                by_table.setdefault(name, []).append(self._part(number, encoder))
            update = self._set_updates[key] = encoder.set_update(set_id, by_table)
        return update

    def _part(self, number: int, encoder: Encoder) -> bytes:
        key = (encoder, number)
        if key not in self._parts:
            self._parts[key] = encoder.change(self._changes[number])
        return self._parts[key]
