"""The client's half of the public WebSocket protocol, versions 2 and 3, as far as watching needs it.

Messages are BSATN. A version 3 payload is one or more messages in a row, a version 2 payload is one;
before what the server sends stands one byte that says how the rest is compressed, which we ask not to
be. Rows stay encoded here: only the schema knows what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from spacetimedb_cli.errors import PeerError
from spacetimedb_lib.sats.bsatn import Codec, codec
from spacetimedb_lib.sats.errors import SatsError
from spacetimedb_lib.sats.types import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U16,
    U32,
    U64,
    UNIT,
    Array,
    option,
    product,
    result,
    sum_of,
)

PROTOCOLS = ("v3.bsatn.spacetimedb", "v2.bsatn.spacetimedb")

QUERY_SET_ID = product(id=U32)
CLIENT_MESSAGE = sum_of(
    Subscribe=product(request_id=U32, query_set_id=QUERY_SET_ID, query_strings=Array(STRING)),
    Unsubscribe=product(request_id=U32, query_set_id=QUERY_SET_ID, flags=U8),
    OneOffQuery=product(request_id=U32, query_string=STRING),
    CallReducer=product(request_id=U32, flags=U8, reducer=STRING, args=BYTES),
    CallProcedure=product(request_id=U32, flags=U8, procedure=STRING, args=BYTES),
)
ROW_LIST = product(size_hint=sum_of(FixedSize=U16, RowOffsets=Array(U64)), rows_data=BYTES)
QUERY_ROWS = product(tables=Array(product(table=STRING, rows=ROW_LIST)))
TABLE_UPDATE_ROWS = sum_of(
    PersistentTable=product(inserts=ROW_LIST, deletes=ROW_LIST),
    EventTable=product(events=ROW_LIST),
)
TRANSACTION_UPDATE = product(
    query_sets=Array(
        product(
            query_set_id=QUERY_SET_ID,
            tables=Array(product(table_name=STRING, rows=Array(TABLE_UPDATE_ROWS))),
        )
    )
)
SERVER_MESSAGE = sum_of(
    InitialConnection=product(identity=IDENTITY, connection_id=CONNECTION_ID, token=STRING),
    SubscribeApplied=product(request_id=U32, query_set_id=QUERY_SET_ID, rows=QUERY_ROWS),
    UnsubscribeApplied=product(request_id=U32, query_set_id=QUERY_SET_ID, rows=option(QUERY_ROWS)),
    SubscriptionError=product(request_id=option(U32), query_set_id=QUERY_SET_ID, error=STRING),
    TransactionUpdate=TRANSACTION_UPDATE,
    OneOffQueryResult=product(request_id=U32, result=result(QUERY_ROWS, STRING)),
    ReducerResult=product(
        request_id=U32,
        timestamp=TIMESTAMP,
        result=sum_of(
            Ok=product(ret_value=BYTES, transaction_update=TRANSACTION_UPDATE),
            OkEmpty=UNIT,
            Err=BYTES,
            InternalError=STRING,
        ),
    ),
    ProcedureResult=product(
        status=sum_of(Returned=BYTES, InternalError=STRING),
        timestamp=TIMESTAMP,
        total_host_execution_duration=TIME_DURATION,
        request_id=U32,
    ),
)
SUBSCRIBE_APPLIED, SUBSCRIPTION_ERROR, TRANSACTION = 1, 3, 4
PERSISTENT = 0
FIXED_SIZE = 0
UNCOMPRESSED = 0


@dataclass(frozen=True, slots=True)
class TableChange:
    """Rows (BSATN) that came and went in one table; rows of an event table only come."""

    table: str
    inserts: list[bytes]
    deletes: list[bytes]


@dataclass(frozen=True, slots=True)
class Applied:
    """The subscription holds; the rows there are, as inserts."""

    changes: tuple[TableChange, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """What one transaction changed."""

    changes: tuple[TableChange, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The server does not watch the queries, or no longer."""

    reason: str


def subscribe_message(queries: list[str]) -> bytes:
    """Ask to watch queries as one set."""
    return _client_codec().encode((0, (0, (0,), queries)))


def read_payload(payload: bytes) -> Iterator[Applied | Update | Refused]:
    """The messages of a payload that speak of subscriptions. Raises `PeerError` if it is garbled."""
    try:
        if payload[:1] != bytes([UNCOMPRESSED]):
            raise PeerError("the server compressed a message though it was asked not to: is a proxy between?")
        offset = 1
        while offset < len(payload):
            (tag, content), offset = _server_codec().decode(payload, offset)
            if tag == SUBSCRIBE_APPLIED:
                (tables,) = content[2]
                yield Applied(tuple(TableChange(name, split_rows(rows), []) for name, rows in tables))
            elif tag == TRANSACTION:
                yield Update(tuple(_changes(content)))
            elif tag == SUBSCRIPTION_ERROR:
                yield Refused(content[2])
    except SatsError as error:
        raise PeerError(f"the server sent a message that cannot be read: {error}") from None


def _changes(update: Any) -> Iterator[TableChange]:
    (query_sets,) = update
    for _, tables in query_sets:
        for name, parts in tables:
            for tag, rows in parts:
                if tag == PERSISTENT:
                    inserts, deletes = rows
                    yield TableChange(name, split_rows(inserts), split_rows(deletes))
                else:
                    yield TableChange(name, split_rows(rows[0]), [])


def split_rows(row_list: Any) -> list[bytes]:
    """The rows of a row list, cut by its hint: rows of one length, or where each row starts."""
    (tag, hint), data = row_list
    if tag == FIXED_SIZE:
        return [data[start : start + hint] for start in range(0, len(data), hint or len(data))]
    ends = [*hint[1:], len(data)]
    return [data[start:end] for start, end in zip(hint, ends, strict=False)]


@cache
def _client_codec() -> Codec:
    return codec(CLIENT_MESSAGE)


@cache
def _server_codec() -> Codec:
    return codec(SERVER_MESSAGE)
