"""Messages from clients of protocols v2 and v3, in BSATN, without any envelope.

    tag u8
    0 Subscribe      request_id u32, query_set_id u32, queries (u32 count, strings)
    1 Unsubscribe    request_id u32, query_set_id u32, flags u8 (0, or 1: send the dropped rows)
    2 OneOffQuery    request_id u32, query string
    3 CallReducer    request_id u32, flags u8 (0), reducer string, args (u32 length, bytes)
    4 CallProcedure  request_id u32, flags u8 (0), procedure string, args
    5 SubscribeBatch request_id u32, sets (u32 count; each query_set_id u32, queries)

A v2 payload is one message, a v3 payload any number of them one after the other. Bytes behind the message of
a v2 payload are ignored. The last message is newer than the others; no subprotocol tells who knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .decoding import WireError, read_bytes, read_string, read_strings, read_u8, read_u32, unknown_tag


@dataclass(frozen=True, slots=True)
class Subscribe:
    request_id: int
    query_set_id: int
    queries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    request_id: int
    query_set_id: int
    send_dropped: bool


@dataclass(frozen=True, slots=True)
class OneOffQuery:
    request_id: int
    query: str


@dataclass(frozen=True, slots=True)
class CallReducer:
    request_id: int
    reducer: str
    args: bytes


@dataclass(frozen=True, slots=True)
class CallProcedure:
    request_id: int
    procedure: str
    args: bytes


@dataclass(frozen=True, slots=True)
class SubscribeBatch:
    """`sets` are ids with queries."""

    request_id: int
    sets: tuple[tuple[int, tuple[str, ...]], ...]


ClientMessage: TypeAlias = (
    Subscribe | Unsubscribe | OneOffQuery | CallReducer | CallProcedure | SubscribeBatch
)


def decode(payload: bytes, offset: int = 0) -> tuple[ClientMessage, int]:
    """The message at `offset` and where it ends. Raises WireError, whose text is the reason to close with."""
    tag, at = read_u8(payload, offset)
    if tag == 0:
        request_id, at = read_u32(payload, at)
        query_set, at = _query_set(payload, at)
        return Subscribe(request_id, *query_set), at
    if tag == 1:
        request_id, at = read_u32(payload, at)
        query_set_id, at = read_u32(payload, at)
        flags, at = read_u8(payload, at)
        if flags > 1:
            raise unknown_tag(flags, "UnsubscribeFlags")
        return Unsubscribe(request_id, query_set_id, flags == 1), at
    if tag == 2:
        request_id, at = read_u32(payload, at)
        query, at = read_string(payload, at)
        return OneOffQuery(request_id, query), at
    if tag == 3:
        return CallReducer(*(call := _call(payload, at, "reducer"))[:3]), call[3]
    if tag == 4:
        return CallProcedure(*(call := _call(payload, at, "procedure"))[:3]), call[3]
    if tag == 5:
        return _batch(payload, at)
    raise unknown_tag(tag, "ClientMessage")


def decode_all(payload: bytes) -> list[ClientMessage]:
    """The messages of a v3 payload, at least one. Raises WireError."""
    messages: list[ClientMessage] = []
    at = 0
    while not messages or at < len(payload):
        message, at = decode(payload, at)
        messages.append(message)
    return messages


def _query_set(payload: bytes, at: int) -> tuple[tuple[int, tuple[str, ...]], int]:
    query_set_id, at = read_u32(payload, at)
    queries, at = read_strings(payload, at)
    return (query_set_id, queries), at


def _batch(payload: bytes, at: int) -> tuple[SubscribeBatch, int]:
    request_id, at = read_u32(payload, at)
    count, at = read_u32(payload, at)
    sets = []
    for _ in range(count):
        query_set, at = _query_set(payload, at)
        sets.append(query_set)
    return SubscribeBatch(request_id, tuple(sets)), at


def _call(payload: bytes, at: int, kind: str) -> tuple[int, str, bytes, int]:
    request_id, at = read_u32(payload, at)
    flags, at = read_u8(payload, at)
    if flags:
        raise WireError(f"invalid call {kind} flag {flags}")
    name, at = read_string(payload, at)
    args, at = read_bytes(payload, at)
    return request_id, name, args, at
