"""The v2 protocol, and v3, which is the same messages several to a payload."""

from __future__ import annotations

from functools import partial

from spacetimedb_engine import Connection, Status
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.functions import (
    UncallableError,
    check_arguments,
    find_procedure,
    find_reducer,
)
from spacetimedb_standalone.database.procedures import ProcedureResult, Procedures
from spacetimedb_standalone.wire import server_v2 as server
from spacetimedb_standalone.wire.client_v2 import (
    CallProcedure,
    CallReducer,
    OneOffQuery,
    Subscribe,
    SubscribeBatch,
    Unsubscribe,
    decode,
)
from spacetimedb_standalone.wire.decoding import WireError
from spacetimedb_standalone.worker.client_socket import INTERNAL_ERROR, client_of
from spacetimedb_standalone.worker.encoders import v2_encoder_of

SEVERAL_A_PAYLOAD = 3
"""The protocol that packs messages."""


class DialectV2:
    """`protocol` is 2 or 3."""

    def __init__(self, database: Database, procedures: Procedures, protocol: int) -> None:
        self._database, self._procedures, self._protocol = database, procedures, protocol

    def greeting(self, connection: Connection, caller: Caller, token: str) -> bytes:
        message = server.initial_connection(bytes(caller.identity), bytes(caller.connection_id), token)
        return v2_encoder_of(connection).sealed(message)

    def message(self, connection: Connection, payload: bytes) -> int:
        try:
            if not payload and self._protocol == SEVERAL_A_PAYLOAD:
                raise WireError("v3 websocket binary payload must contain at least one v2 client message")
            message, end = decode(payload)
        except WireError as error:
            client_of(connection).close(INTERNAL_ERROR, str(error))
            return len(payload)
        subscriptions, offset = self._database.subscriptions, self._database.datastore.read_offset()
        match message:
            case Subscribe():
                subscriptions.subscribe(
                    connection, message.request_id, message.query_set_id, list(message.queries), offset
                )
            case SubscribeBatch():
                subscriptions.subscribe_batch(connection, message.request_id, message.sets, offset)
            case Unsubscribe():
                subscriptions.unsubscribe(
                    connection, message.request_id, message.query_set_id, message.send_dropped, offset
                )
            case OneOffQuery():
                subscriptions.one_off(connection, message.request_id, message.query, offset)
            case CallReducer():
                self._call_reducer(connection, message)
            case CallProcedure():
                self._call_procedure(connection, message)
        return end

    def text(self, connection: Connection, text: str) -> None:
        reason = f"v{self._protocol} websocket does not support text messages"
        client_of(connection).close(INTERNAL_ERROR, reason)

    def failed(
        self, connection: Connection, request_id: int, status: Status, text: str, timestamp: int
    ) -> None:
        if status is Status.FAILED:
            message = server.reducer_err(request_id, timestamp, text)
        else:
            message = server.reducer_internal_error(request_id, timestamp, text)
        _send(connection, message)

    def _call_reducer(self, connection: Connection, message: CallReducer) -> None:
        """A call that the engine did not take: it is refused, or only the owner may make it."""
        database = self._database
        try:
            reducer = find_reducer(database, message.reducer, connection.is_owner)
            check_arguments(database, reducer, message.args)
        except UncallableError as error:
            self._refuse(connection, message.request_id, str(error))
            return
        caller = client_of(connection).caller
        result = database.call(reducer, caller, message.args, connection, request_id=message.request_id)
        if result.status is not Status.OK:
            self.failed(connection, message.request_id, result.status, result.text, result.timestamp)
        else:
            answer = server.reducer_ok(message.request_id, result.timestamp, b"", result.update)
            _send(connection, answer, result.offset)

    def _call_procedure(self, connection: Connection, message: CallProcedure) -> None:
        try:
            procedure = find_procedure(self._database, message.procedure, connection.is_owner)
            check_arguments(self._database, procedure, message.args)
        except UncallableError as error:
            self._procedure_failed(connection, message.request_id, str(error))
            return
        caller = client_of(connection).caller
        done = partial(self._procedure_over, connection, message.request_id)
        self._procedures.start(procedure, caller, message.args, done)

    def _procedure_over(self, connection: Connection, request_id: int, result: ProcedureResult) -> None:
        """The client may have left meanwhile; then nobody reads it."""
        if result.status is Status.OK:
            answer = server.procedure_returned(request_id, result.value, result.timestamp, result.micros)
            _send(connection, answer, result.offset)
        else:
            self._procedure_failed(connection, request_id, result.text)

    def _procedure_failed(self, connection: Connection, request_id: int, text: str) -> None:
        _send(connection, server.procedure_internal_error(request_id, text))

    def _refuse(self, connection: Connection, request_id: int, text: str) -> None:
        message = server.reducer_internal_error(request_id, self._database.stamp(), text)
        _send(connection, message)


def _send(connection: Connection, body: bytes, offset: int = -1) -> None:
    connection.append(v2_encoder_of(connection).sealed(body), offset)
