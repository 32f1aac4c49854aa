"""Query sets: what one connection subscribed to under one id."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from .encoder import Encoder
from .queries import WatchedQuery


class Connection(Hashable, Protocol):
    """A client, as far as subscriptions are concerned. The engine's connections are such."""

    @property
    def identity(self) -> bytes:
        """32 bytes, little-endian."""

    @property
    def connection_id(self) -> bytes:
        """16 bytes, little-endian."""

    @property
    def is_owner(self) -> bool: ...

    def append(self, message: bytes, offset: int = -1, /) -> None:
        """Queue a message, envelope included, that may be sent once transaction `offset` is durable."""


@dataclass(frozen=True, slots=True)
class SetKind:
    """What a set may contain, and where its updates go.

    `shared` is the number of the group that the set is told of in: what several sets of a group have in common
    is told once. None: the set is told of by itself, under its own id.
    """

    shared: int | None = None
    events: bool = True
    """Whether it may return event tables."""
    verbatim: bool = False
    """Whether its texts are taken as they are: not trimmed, and without `SELECT * FROM *`."""


OWN = SetKind()
"""A set of protocols v2 and v3."""


@dataclass(eq=False, slots=True)
class QuerySet:
    connection: Connection
    encoder: Encoder
    id: int
    queries: tuple[WatchedQuery, ...]
    kind: SetKind = OWN

    @property
    def group(self) -> int:
        """By which number its connection hears of it."""
        return self.id if self.kind.shared is None else self.kind.shared


class ConnectionSets:
    """The query sets of each connection that ever subscribed."""

    def __init__(self) -> None:
        self._sets: dict[Connection, dict[int, QuerySet]] = {}

    def knows(self, connection: Connection) -> bool:
        return connection in self._sets

    def find(self, connection: Connection, set_id: int) -> QuerySet | None:
        return self._sets.get(connection, {}).get(set_id)

    def of(self, connection: Connection) -> list[QuerySet]:
        return list(self._sets.get(connection, {}).values())

    def add(self, query_set: QuerySet) -> None:
        self._sets.setdefault(query_set.connection, {})[query_set.id] = query_set

    def remove(self, query_set: QuerySet) -> None:
        """The connection stays known."""
        del self._sets[query_set.connection][query_set.id]

    def drop(self, connection: Connection) -> list[QuerySet]:
        """Forget a connection; what it had subscribed to."""
        return list(self._sets.pop(connection, {}).values())
