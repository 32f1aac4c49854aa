"""Protocol v1, as JSON text and as BSATN.

Frames are read by what they are, whichever form was agreed upon; answers come in the form that was. All calls
are carried out here: the engine takes only those of later protocols.
"""

from __future__ import annotations

from functools import partial
from typing import NoReturn

from spacetimedb_engine import Connection, Status
from spacetimedb_lib.moduledef import ProcedureDef, ReducerDef
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import NO_UPDATE, Database
from spacetimedb_standalone.database.functions import (
    UncallableError,
    arguments_from_json,
    check_arguments,
    find_procedure,
    find_reducer,
)
from spacetimedb_standalone.database.procedures import (
    NO_BUDGET,
    ProcedureResult,
    Procedures,
    value_as_json,
)
from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.subscriptions import RequestsV1
from spacetimedb_standalone.wire import server_v1 as server
from spacetimedb_standalone.wire.client_v1 import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    OneOffQuery,
    Subscribe,
    SubscribeMulti,
    SubscribeSingle,
    Unsubscribe,
    UnsubscribeMulti,
    decode,
    decode_text,
)
from spacetimedb_standalone.wire.decoding import WireError
from spacetimedb_standalone.wire.forms import Single
from spacetimedb_standalone.worker.client_socket import INTERNAL_ERROR, client_of
from spacetimedb_standalone.worker.encoders import v1_encoder_of


class DialectV1:
    def __init__(self, database: Database, procedures: Procedures, clock: Clock) -> None:
        self._database, self._procedures = database, procedures
        self._requests = RequestsV1(database.subscriptions.sets, v1_encoder_of, clock)

    def greeting(self, connection: Connection, caller: Caller, token: str) -> bytes:
        encoder = v1_encoder_of(connection)
        if not client_of(connection).terms.light:
            self._database.explain_calls()
        identity, connection_id = bytes(caller.identity), bytes(caller.connection_id)
        return encoder.sealed(server.identity_token(encoder.form, identity, token, connection_id))

    def message(self, connection: Connection, payload: bytes) -> int:
        try:
            self._handle(connection, decode(payload))
        except WireError as error:
            client_of(connection).close(INTERNAL_ERROR, str(error))
        return len(payload)

    def text(self, connection: Connection, text: str) -> None:
        try:
            self._handle(connection, decode_text(text))
        except WireError as error:
            client_of(connection).close(INTERNAL_ERROR, str(error))

    def failed(
        self, connection: Connection, request_id: int, status: Status, text: str, timestamp: int
    ) -> NoReturn:
        raise AssertionError("the engine carries out no calls of clients of protocol v1")

    def _handle(self, connection: Connection, message: ClientMessage) -> None:
        requests, offset = self._requests, self._database.datastore.read_offset()
        match message:
            case Subscribe(queries, request_id):
                requests.subscribe_whole(connection, request_id, queries, offset)
            case SubscribeSingle(query, request_id, query_id):
                requests.subscribe_single(connection, request_id, query_id, query, offset)
            case SubscribeMulti(queries, request_id, query_id):
                requests.subscribe_multi(connection, request_id, query_id, queries, offset)
            case Unsubscribe(request_id, query_id):
                requests.unsubscribe_single(connection, request_id, query_id, offset)
            case UnsubscribeMulti(request_id, query_id):
                requests.unsubscribe_multi(connection, request_id, query_id, offset)
            case OneOffQuery(message_id, query):
                requests.one_off(connection, message_id, query, offset)
            case CallReducer():
                self._call_reducer(connection, message)
            case CallProcedure():
                self._call_procedure(connection, message)

    # -- reducers

    def _call_reducer(self, connection: Connection, message: CallReducer) -> None:
        database, caller = self._database, client_of(connection).caller
        try:
            reducer = find_reducer(database, message.reducer, connection.is_owner)
            args = self._arguments(reducer, message.args)
        except UncallableError as error:
            self._refuse(connection, message.reducer, error.chain)
            return
        called = database.call(
            reducer,
            caller,
            args,
            connection if message.wants_success else None,
            request_id=message.request_id,
            json=message.args if isinstance(message.args, str) else None,
        )
        if not message.wants_success:
            return  # told of the rows it watches like anybody else, and of a failure not at all
        encoder = v1_encoder_of(connection)
        if called.status is Status.OK:
            update = encoder.no_update if called.update == NO_UPDATE else called.update
            answer = server.transaction_committed(encoder.form, called.call, update)
        elif called.status is Status.EXHAUSTED:
            answer = server.transaction_out_of_energy(encoder.form, called.call)
        else:
            answer = server.transaction_failed(encoder.form, called.call, called.text)
        connection.append(encoder.sealed(answer), called.offset)

    def _refuse(self, connection: Connection, name: str, text: str) -> None:
        """Answer a call that could not start."""
        encoder, caller = v1_encoder_of(connection), client_of(connection).caller
        known = self._database.reducers.get(name)
        call = server.ReducerCall(
            self._database.stamp(),
            bytes(caller.identity),
            bytes(caller.connection_id),
            name,
            server.UNKNOWN_REDUCER if known is None else known.id,
        )
        connection.append(encoder.sealed(server.transaction_failed(encoder.form, call, text)))

    def _arguments(self, function: ReducerDef | ProcedureDef, args: bytes | str) -> bytes:
        """As BSATN. Raises UncallableError."""
        if isinstance(args, str):
            return arguments_from_json(self._database, function, args)
        check_arguments(self._database, function, args)
        return args

    # -- procedures

    def _call_procedure(self, connection: Connection, message: CallProcedure) -> None:
        encoder = v1_encoder_of(connection)
        try:
            procedure = find_procedure(self._database, message.procedure, connection.is_owner)
            args = self._arguments(procedure, message.args)
        except UncallableError as error:
            answer = server.procedure_failed(encoder.form, message.request_id, str(error))
            connection.append(encoder.sealed(answer))
            return
        done = partial(self._procedure_over, connection, message.request_id, procedure)
        self._procedures.start(procedure, client_of(connection).caller, args, done)

    def _procedure_over(
        self, connection: Connection, request_id: int, procedure: ProcedureDef, result: ProcedureResult
    ) -> None:
        """The client may have left meanwhile; then nobody reads it."""
        encoder = v1_encoder_of(connection)
        form = encoder.form
        if result.status is Status.OK:
            value = Single(result.value, partial(value_as_json, procedure, result.value))
            answer = server.procedure_returned(form, request_id, value, result.timestamp, result.micros)
            connection.append(encoder.sealed(answer), result.offset)
        elif result.text == NO_BUDGET:
            connection.append(encoder.sealed(server.procedure_out_of_energy(form, request_id)))
        else:
            connection.append(encoder.sealed(server.procedure_failed(form, request_id, result.text)))
