"""Connections come and go: the rows of `st_client`, and the module's reducers for it.

A connection's row is written in the same transaction as its `client_connected` reducer, which may refuse it.
It goes in the transaction of `client_disconnected`; if that reducer fails, in a transaction of its own:
a connection that is gone is never left in the table.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum

from spacetimedb_engine import Status, UniqueViolation, call_inputs
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_lib.moduledef import Lifecycle, ReducerDef
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.told import cause_of, lifecycle_call
from spacetimedb_standalone.database.views import ViewError

log = logging.getLogger(__name__)

CONNECTED = b"call_identity_connected"
DISCONNECTED = b"__identity_disconnected__"
"""What the log calls these transactions; the second where the module has no reducer for it."""


class RefusedFor(Enum):
    """Why a connection was not let in."""

    REJECTED = "the reducer said no, or failed"
    EXHAUSTED = "the reducer used up its budget"
    IN_USE = "another identity has this connection id"


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: RefusedFor
    text: str


def connect(database: Database, caller: Caller) -> Refusal | None:
    """Let a connection in. None: it is in; its row is committed and subscribers know."""
    timestamp = database.stamp()
    datastore = database.datastore
    datastore.begin()
    try:
        datastore.insert_client(caller.identity, caller.connection_id, caller.claims)
    except UniqueViolation:
        datastore.rollback()
        return Refusal(RefusedFor.IN_USE, "this connection id belongs to somebody else's connection")
    reducer = database.definition.lifecycle.get(Lifecycle.ON_CONNECT)
    if reducer is not None:
        outcome = database.run_reducer(reducer, caller.identity, caller.connection_id, timestamp)
        if outcome.status is not Status.OK:
            datastore.rollback()
            text = database.settle_failure(reducer.full_name, outcome.status, outcome.text, timestamp)
            exhausted = outcome.status is Status.EXHAUSTED
            return Refusal(RefusedFor.EXHAUSTED if exhausted else RefusedFor.REJECTED, text)
    record = call_inputs(CONNECTED, bytes(caller.identity), bytes(caller.connection_id), timestamp, b"")
    call = lifecycle_call(reducer, caller.identity, caller.connection_id, timestamp)
    try:
        database.commit(record, force=True, cause=cause_of(database.definition, call))
    except ViewError as error:
        return Refusal(RefusedFor.REJECTED, str(error))
    return None


def disconnect(database: Database, identity: Identity, connection_id: ConnectionId) -> None:
    """Forget a connection; nothing happens if it is not there."""
    timestamp = database.stamp()
    datastore = database.datastore
    reducer = database.definition.lifecycle.get(Lifecycle.ON_DISCONNECT)
    datastore.begin()
    if not datastore.has_client(identity, connection_id):
        datastore.rollback()
        return
    if reducer is not None and not _said_goodbye(database, reducer, identity, connection_id, timestamp):
        datastore.begin()
    datastore.delete_client(identity, connection_id)
    name = DISCONNECTED if reducer is None else reducer.full_name.encode()
    record = call_inputs(name, bytes(identity), bytes(connection_id), timestamp, b"")
    call = lifecycle_call(reducer, identity, connection_id, timestamp)
    try:
        database.commit(record, force=True, cause=cause_of(database.definition, call))
    except ViewError as error:
        log.error("a connection that is gone could not be taken out of st_client: %s", error)


def disconnect_all(database: Database) -> None:
    """Forget the connections that died with the process before: each gets its `client_disconnected`."""
    for identity, connection_id in database.datastore.clients():
        disconnect(database, identity, connection_id)
    database.datastore.clear_clients()


def _said_goodbye(
    database: Database, reducer: ReducerDef, identity: Identity, connection_id: ConnectionId, timestamp: int
) -> bool:
    """Run `client_disconnected` in the open transaction; if it fails, that is rolled back and logged."""
    outcome = database.run_reducer(reducer, identity, connection_id, timestamp)
    if outcome.status is Status.OK:
        return True
    database.datastore.rollback()
    database.settle_failure(reducer.full_name, outcome.status, outcome.text, timestamp)
    return False
