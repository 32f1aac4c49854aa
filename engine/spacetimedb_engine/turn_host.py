"""What a `Turn` asks of its host, and what it tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from spacetimedb_engine.connection_cy import Connection


class CallResult(NamedTuple):
    """How `Turn.call` ended: a `Status`, the text of a failure, the call's timestamp, and the transaction's offset
    (-1: it failed, or changed nothing)."""

    status: int
    text: bytes
    timestamp: int
    offset: int


class TurnHost(Protocol):
    """Callbacks, in the order of the messages. They may use the store and append to any connection, but not start a
    turn. What they raise leaves `Turn.run`, with the rest of the batch unread: don't."""

    def on_message(self, conn: Connection, payload: bytes) -> int | None:
        """A binary message that is no call the engine can carry out. In protocol 3 `payload` begins with it and may
        hold more: return how many bytes were used, and the engine goes on behind them (None: with nothing more)."""

    def on_text(self, conn: Connection, text: str) -> None:
        """A text message."""

    def before_commit(self, conn: Connection | None, reducer_id: int) -> bytes | None:
        """Only while `Turn.before_commit` is set: the transaction is about to commit. A text refuses it."""

    def on_commit(self, conn: Connection, request_id: int, offset: int) -> bytes | None:
        """A call touched a watched table. Returns the caller's own share: BSATN of an Array<QuerySetUpdate>."""

    def on_failure(
        self, conn: Connection, request_id: int, reducer_id: int, status: int, text: bytes, timestamp: int
    ) -> None:
        """A call did not commit: answer it. Negative status (`Status`): the guest is dead, put another in place."""

    def on_pong(self, conn: Connection, payload: bytes) -> None: ...

    def on_close(self, conn: Connection, code: int, reason: str) -> None:
        """The peer's close (1005: without a code). Ours is queued or sent: write it, then end the stream."""

    def on_broken(self, conn: Connection, text: str) -> None:
        """Drop the connection without a close frame. Nothing more of it is read."""
