"""Messages to clients of protocol v1, in either form, still without the envelope that binary ones get.

Tables and updates come in encoded already, so that their bytes can be shared between messages:

    rows             list of rows: `row_list` or `text_rows`
    query update     deleted rows, inserted rows                                     (`query_update`)
    table update     table_id u32, table_name, num_rows u64, query updates           (`table_update`)
    database update  table updates                                                   (`database_update`)

Identities and connection ids are BSATN, timestamps and durations microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from .forms import NO_ARGUMENTS, TEXT, Form, Single

NO_ENERGY = bytes(16)
UNKNOWN_REDUCER = 0xFFFF_FFFF
"""The id in a message about a reducer that does not exist."""


class Applied(Enum):
    """What happened to a subscription; the name of the message, and its tag."""

    SUBSCRIBE = 5, "SubscribeApplied"
    UNSUBSCRIBE = 6, "UnsubscribeApplied"
    SUBSCRIBE_MULTI = 8, "SubscribeMultiApplied"
    UNSUBSCRIBE_MULTI = 9, "UnsubscribeMultiApplied"


@dataclass(frozen=True, slots=True)
class ReducerCall:
    """The call that a transaction update tells of, and who made it."""

    timestamp: int
    identity: bytes
    connection_id: bytes
    reducer: str
    reducer_id: int = UNKNOWN_REDUCER
    args: Single = NO_ARGUMENTS
    request_id: int = 0
    micros: int = 0


# -- rows


def text_rows(rows: Iterable[str]) -> bytes:
    """The list of these rows, each JSON, for the text form."""
    return TEXT.array([TEXT.string(row) for row in rows])


def query_update(f: Form, deletes: bytes, inserts: bytes) -> bytes:
    return f.compressible(f.product(deletes=deletes, inserts=inserts))


def table_update(f: Form, table_id: int, name: str, num_rows: int, updates: Sequence[bytes]) -> bytes:
    """`num_rows` counts the rows in all `updates`, inserted and deleted."""
    return f.product(
        table_id=f.u32(table_id),
        table_name=f.string(name),
        num_rows=f.u64(num_rows),
        updates=f.array(updates),
    )


def database_update(f: Form, tables: Sequence[bytes]) -> bytes:
    return f.product(tables=f.array(tables))


# -- messages


def identity_token(f: Form, identity: bytes, token: str, connection_id: bytes) -> bytes:
    content = f.product(
        identity=_identity(f, identity),
        token=f.string(token),
        connection_id=_connection_id(f, connection_id),
    )
    return f.variant(3, "IdentityToken", content)


def initial_subscription(f: Form, request_id: int, update: bytes, micros: int) -> bytes:
    """`update` is a `database_update`."""
    content = f.product(
        database_update=update,
        request_id=f.u32(request_id),
        total_host_execution_duration=_duration(f, micros),
    )
    return f.variant(0, "InitialSubscription", content)


def single_applied(
    f: Form,
    applied: Applied,
    request_id: int,
    query_id: int,
    table_id: int,
    name: str,
    table: bytes,
    micros: int,
) -> bytes:
    """For one query that was (un)subscribed by itself; `table` is its `table_update`."""
    tag, message = applied.value
    rows = f.product(table_id=f.u32(table_id), table_name=f.string(name), table_rows=table)
    content = f.product(
        request_id=f.u32(request_id),
        total_host_execution_duration_micros=f.u64(micros),
        query_id=_query_id(f, query_id),
        rows=rows,
    )
    return f.variant(tag, message, content)


def multi_applied(
    f: Form, applied: Applied, request_id: int, query_id: int, update: bytes, micros: int
) -> bytes:
    """`update` is a `database_update`."""
    tag, message = applied.value
    content = f.product(
        request_id=f.u32(request_id),
        total_host_execution_duration_micros=f.u64(micros),
        query_id=_query_id(f, query_id),
        update=update,
    )
    return f.variant(tag, message, content)


def subscription_error(
    f: Form, request_id: int | None, query_id: int | None, error: str, micros: int
) -> bytes:
    content = f.product(
        total_host_execution_duration_micros=f.u64(micros),
        request_id=f.option(None if request_id is None else f.u32(request_id)),
        query_id=f.option(None if query_id is None else f.u32(query_id)),
        table_id=f.option(None),
        error=f.string(error),
    )
    return f.variant(7, "SubscriptionError", content)


def one_off_response(
    f: Form, message_id: bytes, error: str | None, tables: Sequence[tuple[str, bytes]], micros: int
) -> bytes:
    """`tables` are names with lists of rows."""
    content = f.product(
        message_id=f.blob(message_id),
        error=f.option(None if error is None else f.string(error)),
        tables=f.array([f.product(table_name=f.string(name), rows=rows) for name, rows in tables]),
        total_host_execution_duration=_duration(f, micros),
    )
    return f.variant(4, "OneOffQueryResponse", content)


def transaction_committed(f: Form, call: ReducerCall, update: bytes) -> bytes:
    """`update` is the `database_update` of who gets the message."""
    return _transaction_update(f, call, f.variant(0, "Committed", update))


def transaction_failed(f: Form, call: ReducerCall, error: str) -> bytes:
    return _transaction_update(f, call, f.variant(1, "Failed", f.string(error)))


def transaction_out_of_energy(f: Form, call: ReducerCall) -> bytes:
    return _transaction_update(f, call, f.variant(2, "OutOfEnergy"))


def transaction_light(f: Form, request_id: int, update: bytes) -> bytes:
    """A transaction update that does not tell who called what."""
    return f.variant(2, "TransactionUpdateLight", f.product(request_id=f.u32(request_id), update=update))


def procedure_returned(f: Form, request_id: int, value: Single, timestamp: int, micros: int) -> bytes:
    return _procedure_result(f, f.variant(0, "Returned", f.single(value)), request_id, timestamp, micros)


def procedure_out_of_energy(f: Form, request_id: int) -> bytes:
    return _procedure_result(f, f.variant(1, "OutOfEnergy"), request_id, 0, 0)


def procedure_failed(f: Form, request_id: int, error: str, timestamp: int = 0, micros: int = 0) -> bytes:
    status = f.variant(2, "InternalError", f.string(error))
    return _procedure_result(f, status, request_id, timestamp, micros)


# -- parts


def _transaction_update(f: Form, call: ReducerCall, status: bytes) -> bytes:
    info = f.product(
        reducer_name=f.string(call.reducer),
        reducer_id=f.u32(call.reducer_id),
        args=f.single(call.args),
        request_id=f.u32(call.request_id),
    )
    content = f.product(
        status=status,
        timestamp=_timestamp(f, call.timestamp),
        caller_identity=_identity(f, call.identity),
        caller_connection_id=_connection_id(f, call.connection_id),
        reducer_call=info,
        energy_quanta_used=f.product(quanta=f.u128(NO_ENERGY)),
        total_host_execution_duration=_duration(f, call.micros),
    )
    return f.variant(1, "TransactionUpdate", content)


def _procedure_result(f: Form, status: bytes, request_id: int, timestamp: int, micros: int) -> bytes:
    content = f.product(
        status=status,
        timestamp=_timestamp(f, timestamp),
        total_host_execution_duration=_duration(f, micros),
        request_id=f.u32(request_id),
    )
    return f.variant(10, "ProcedureResult", content)


def _identity(f: Form, identity: bytes) -> bytes:
    return f.product(__identity__=f.u256(identity))


def _connection_id(f: Form, connection_id: bytes) -> bytes:
    return f.product(__connection_id__=f.u128(connection_id))


def _timestamp(f: Form, micros: int) -> bytes:
    return f.product(__timestamp_micros_since_unix_epoch__=f.i64(micros))


def _duration(f: Form, micros: int) -> bytes:
    return f.product(__time_duration_micros__=f.i64(micros))


def _query_id(f: Form, query_id: int) -> bytes:
    return f.product(id=f.u32(query_id))
