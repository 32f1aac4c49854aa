"""Subscribing and asking by protocol v1.

Three forms of sets:

* single: one query, taken to the letter; its answer is about one table,
* multi: any number of queries,
* whole: any number, and each such request replaces the one before.

A connection's single and multi sets count references to queries: rows come with the first set that has a query
and go with the last, and updates tell of it once. The whole set stands beside them and is told of separately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, TypeAlias

from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.sql.errors import SqlError
from spacetimedb_standalone.sql.schema import TableDef

from .encoder_v1 import V1
from .queries import TableRows, WatchedQuery
from .query_sets import QuerySets, executing
from .sets import Connection, QuerySet, SetKind

_COUNTED, _WHOLE = 0, 1
SINGLE: Final = SetKind(shared=_COUNTED, events=False, verbatim=True)
MULTI: Final = SetKind(shared=_COUNTED, events=False)
WHOLE: Final = SetKind(shared=_WHOLE)
WHOLE_IDS: Final = (-1, -2)
"""Ids of whole sets, which clients cannot choose. Two, so that one is entered before the other is given up."""


Answer: TypeAlias = Callable[[int], bytes]
"""From the microseconds that it took to the message."""
Refusal: TypeAlias = Callable[[str, int], bytes]
"""The same, from the error."""


class RequestsV1:
    """`offset` is everywhere that of the last transaction."""

    def __init__(self, sets: QuerySets, encoder_of: Callable[[Connection], V1], clock: Clock) -> None:
        self._sets = sets
        self._encoder_of = encoder_of
        self._clock = clock

    def subscribe_single(
        self, connection: Connection, request_id: int, query_id: int, text: str, offset: int
    ) -> None:
        encoder = self._encoder_of(connection)

        def answer() -> Answer:
            held = self._held(connection)
            query_set = self._sets.enter(connection, encoder, query_id, [text], SINGLE)
            try:
                rows = self._sets.first_rows(query_set, _new(query_set, held))
            except SqlError as error:
                raise executing(text, error) from error
            (query,) = query_set.queries
            return partial(encoder.single_applied, request_id, query_id, _table(query), _together(rows))

        self._reply(connection, answer, partial(encoder.refused, request_id, query_id), offset)

    def subscribe_multi(
        self, connection: Connection, request_id: int, query_id: int, texts: Sequence[str], offset: int
    ) -> None:
        encoder = self._encoder_of(connection)

        def answer() -> Answer:
            held = self._held(connection)
            query_set = self._sets.enter(connection, encoder, query_id, texts, MULTI)
            rows = self._sets.first_rows(query_set, _new(query_set, held))
            return partial(encoder.multi_applied, request_id, query_id, rows)

        self._reply(connection, answer, partial(encoder.refused, request_id, query_id), offset)

    def subscribe_whole(
        self, connection: Connection, request_id: int, texts: Sequence[str], offset: int
    ) -> None:
        """Replaces the whole set; if the new one is refused, the old one stays."""
        encoder = self._encoder_of(connection)

        def answer() -> Answer:
            old = next((each for each in self._sets.of(connection) if each.group == _WHOLE), None)
            new_id = WHOLE_IDS[1] if old is not None and old.id == WHOLE_IDS[0] else WHOLE_IDS[0]
            rows = self._sets.first_rows(self._sets.enter(connection, encoder, new_id, texts, WHOLE))
            if old is not None:
                self._sets.give_up(old)
            return partial(encoder.initial, request_id, rows)

        self._reply(connection, answer, partial(encoder.refused, request_id, None), offset)

    def unsubscribe_single(self, connection: Connection, request_id: int, query_id: int, offset: int) -> None:
        """Give up a set of one query. If another set still has it, the public server calls that an error."""
        encoder = self._encoder_of(connection)

        def answer() -> Answer:
            dropped = self._dropped(connection, query_id)
            if len(dropped) != 1:
                raise SqlError("Internal error")
            rows = _together(self._sets.rows(dropped))
            return partial(encoder.single_dropped, request_id, query_id, _table(dropped[0]), rows)

        self._reply(connection, answer, partial(encoder.refused, request_id, query_id), offset)

    def unsubscribe_multi(self, connection: Connection, request_id: int, query_id: int, offset: int) -> None:
        encoder = self._encoder_of(connection)

        def answer() -> Answer:
            rows = self._sets.rows(self._dropped(connection, query_id))
            return partial(encoder.multi_dropped, request_id, query_id, rows)

        self._reply(connection, answer, partial(encoder.refused, request_id, query_id), offset)

    def one_off(self, connection: Connection, message_id: bytes, text: str, offset: int) -> None:
        encoder = self._encoder_of(connection)

        def answer() -> Answer:
            return partial(encoder.answered, message_id, self._sets.ask(connection, text))

        self._reply(connection, answer, partial(encoder.not_answered, message_id), offset)

    def _reply(
        self, connection: Connection, answer: Callable[[], Answer], refuse: Refusal, offset: int
    ) -> None:
        began = self._clock.monotonic()
        try:
            message = answer()
        except SqlError as error:
            connection.append(refuse(str(error), self._since(began)), -1)
        else:
            connection.append(message(self._since(began)), offset)

    def _since(self, began: float) -> int:
        return int((self._clock.monotonic() - began) * 1_000_000)

    def _held(self, connection: Connection) -> set[WatchedQuery]:
        """The queries of all single and multi sets."""
        counted = [each for each in self._sets.of(connection) if each.group == _COUNTED]
        return {query for query_set in counted for query in query_set.queries}

    def _dropped(self, connection: Connection, query_id: int) -> list[WatchedQuery]:
        """Give up a set; those of its queries that no other single or multi set has. Raises SqlError."""
        query_set = self._sets.find(connection, query_id)
        self._sets.give_up(query_set)
        return _new(query_set, self._held(connection))


def _new(query_set: QuerySet, held: set[WatchedQuery]) -> list[WatchedQuery]:
    return [query for query in query_set.queries if query not in held]


def _table(query: WatchedQuery) -> TableDef:
    return query.compiled.fragments[0].table


def _together(rows: Iterable[TableRows]) -> list[bytes]:
    """The rows of all fragments of one query."""
    return [row for each in rows for row in each.rows]
