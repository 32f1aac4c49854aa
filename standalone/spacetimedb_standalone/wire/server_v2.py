"""Messages to clients of protocols v2 and v3, in BSATN, still without their envelope.

Lists of rows and updates come in encoded already, so that their bytes can be shared between clients:

    table rows     name string, row list                         (`table_rows`)
    table update   name string, u32 count, updates of its rows   (`table_update`)
      of its rows  0, inserted row list, deleted row list        (`changed_rows`)
                   1, row list of events                         (`event_rows`)
    set update     query_set_id u32, u32 count, table updates    (`set_update`)
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

NO_UPDATE = bytes(4)
"""The updates of no query set."""

_U32 = Struct("<I").pack
_TAG_ID = Struct("<BI").pack
_TAG_IDS = Struct("<BII").pack
_TAG_ID_TIME = Struct("<BIqB").pack
_I64 = Struct("<q").pack


def _string(text: str) -> bytes:
    raw = text.encode()
    return _U32(len(raw)) + raw


def _bytes(data: bytes) -> bytes:
    return _U32(len(data)) + data


def _array(elements: Sequence[bytes]) -> bytes:
    return _U32(len(elements)) + b"".join(elements)


# -- rows


def table_rows(table: str, rows: bytes) -> bytes:
    return _string(table) + rows


def changed_rows(inserts: bytes, deletes: bytes) -> bytes:
    return b"\x00" + inserts + deletes


def event_rows(events: bytes) -> bytes:
    return b"\x01" + events


def table_update(table: str, updates: Sequence[bytes]) -> bytes:
    """`updates` are `changed_rows` or `event_rows`, one of each query that saw a change."""
    return _string(table) + _array(updates)


def set_update(query_set_id: int, tables: Sequence[bytes]) -> bytes:
    return _U32(query_set_id) + _array(tables)


def set_updates(sets: Sequence[bytes]) -> bytes:
    return _array(sets)


# -- messages


def initial_connection(identity: bytes, connection_id: bytes, token: str) -> bytes:
    """`identity` and `connection_id` are BSATN: 32 and 16 bytes, little-endian."""
    return b"\x00" + identity + connection_id + _string(token)


def subscribe_applied(request_id: int, query_set_id: int, tables: Sequence[bytes]) -> bytes:
    """`tables` are `table_rows`."""
    return _TAG_IDS(1, request_id, query_set_id) + _array(tables)


def batch_applied(request_id: int, results: Sequence[tuple[int, Sequence[bytes] | str]]) -> bytes:
    """`results` are ids of query sets with their `table_rows` or, where a set was refused, the error."""
    outcomes = [
        _U32(set_id) + (b"\x01" + _string(outcome) if isinstance(outcome, str) else b"\x00" + _array(outcome))
        for set_id, outcome in results
    ]
    return _TAG_ID(8, request_id) + _array(outcomes)


def unsubscribe_applied(request_id: int, query_set_id: int, tables: Sequence[bytes] | None) -> bytes:
    """`tables` are `table_rows`, or None where the client did not ask for what it loses."""
    rows = b"\x01" if tables is None else b"\x00" + _array(tables)
    return _TAG_IDS(2, request_id, query_set_id) + rows


def subscription_error(request_id: int | None, query_set_id: int, error: str) -> bytes:
    request = b"\x01" if request_id is None else b"\x00" + _U32(request_id)
    return b"\x03" + request + _U32(query_set_id) + _string(error)


def transaction_update(updates: bytes) -> bytes:
    """`updates` are `set_updates`."""
    return b"\x04" + updates


def one_off_ok(request_id: int, tables: Sequence[bytes]) -> bytes:
    return _TAG_ID(5, request_id) + b"\x00" + _array(tables)


def one_off_error(request_id: int, error: str) -> bytes:
    return _TAG_ID(5, request_id) + b"\x01" + _string(error)


def reducer_ok(request_id: int, timestamp: int, value: bytes, updates: bytes) -> bytes:
    """`timestamp` in microseconds since 1970; `updates` are `set_updates`."""
    return _TAG_ID_TIME(6, request_id, timestamp, 0) + _bytes(value) + updates


def reducer_err(request_id: int, timestamp: int, error: str) -> bytes:
    """The reducer returned an error: it travels as bytes that are a BSATN string."""
    return _TAG_ID_TIME(6, request_id, timestamp, 2) + _bytes(_string(error))


def reducer_internal_error(request_id: int, timestamp: int, error: str) -> bytes:
    return _TAG_ID_TIME(6, request_id, timestamp, 3) + _string(error)


def procedure_returned(request_id: int, value: bytes, timestamp: int, duration: int) -> bytes:
    """`timestamp` and `duration` in microseconds."""
    return b"\x07\x00" + _bytes(value) + _I64(timestamp) + _I64(duration) + _U32(request_id)


def procedure_internal_error(request_id: int, error: str, timestamp: int = 0, duration: int = 0) -> bytes:
    return b"\x07\x01" + _string(error) + _I64(timestamp) + _I64(duration) + _U32(request_id)
