"""What some clients are told of a transaction beside its rows: who called what.

Only clients of protocol v1 ask for that, and only of modules made with the 1.x libraries may they know it of
calls that are not their own.
"""

from __future__ import annotations

from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_lib.moduledef import ModuleDef, RawVersion, ReducerDef
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.json_write import json_writer
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.subscriptions import Cause
from spacetimedb_standalone.wire.forms import NO_ARGUMENTS, Single
from spacetimedb_standalone.wire.server_v1 import UNKNOWN_REDUCER, ReducerCall


def tells_calls(definition: ModuleDef) -> bool:
    """Whether bystanders may know who called what."""
    return definition.raw_version is RawVersion.V9_OR_EARLIER


def cause_of(definition: ModuleDef, call: ReducerCall) -> Cause:
    return Cause(call.request_id, call if tells_calls(definition) else None)


def arguments(definition: ModuleDef, reducer: ReducerDef, args: bytes, text: str | None = None) -> Single:
    """BSATN arguments; their JSON is `text`, if that is how they came, or what can be read of them."""

    def written() -> str:
        typespace = definition.module_of(reducer.namespace).typespace
        value, _ = codec(reducer.params, typespace).decode(args)
        return json_writer(reducer.params, typespace)(value)

    return Single(args, written if text is None else lambda: text)


def reducer_call(
    reducer: ReducerDef, caller: Caller, args: Single, request_id: int, timestamp: int, micros: int = 0
) -> ReducerCall:
    return ReducerCall(
        timestamp,
        bytes(caller.identity),
        bytes(caller.connection_id),
        reducer.full_name,
        reducer.id,
        args,
        request_id,
        micros,
    )


def call_of_nobody(caller: Caller, timestamp: int) -> ReducerCall:
    """A transaction that is no reducer's, such as a statement's."""
    return ReducerCall(timestamp, bytes(caller.identity), bytes(ConnectionId.ZERO), "")


def lifecycle_call(
    reducer: ReducerDef | None, identity: Identity, connection_id: ConnectionId, timestamp: int
) -> ReducerCall:
    """The transaction of a connection that comes or goes."""
    name, number = ("", UNKNOWN_REDUCER) if reducer is None else (reducer.full_name, reducer.id)
    return ReducerCall(timestamp, bytes(identity), bytes(connection_id), name, number, NO_ARGUMENTS)
