"""The connections of a database: `st_client` and `st_connection_credentials`.

Rows are put together from bytes here: an identity and a connection id are their BSATN.
"""

from __future__ import annotations

from spacetimedb_engine import Store, UniqueViolation
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_standalone.datastore.system_tables import SystemTable, system_schema

_CLIENT_INDEX = system_schema().tables[SystemTable.CLIENT].indexes[0].id
_CREDENTIALS_INDEX = system_schema().tables[SystemTable.CONNECTION_CREDENTIALS].indexes[0].id


def insert_client(store: Store, identity: Identity, connection_id: ConnectionId, jwt_payload: str) -> None:
    """Inside a transaction. Raises `UniqueViolation` if the connection id is another identity's.

    The same identity may use its connection id twice at once, as the public server lets it: the two connections
    share the rows, which go with the first of them.
    """
    client = identity.bsatn + connection_id.bsatn
    if store.contains(SystemTable.CLIENT, client):
        store.delete_seek(_CREDENTIALS_INDEX, connection_id.bsatn)
    elif store.seek(_CREDENTIALS_INDEX, connection_id.bsatn):
        raise UniqueViolation(f"connection id {connection_id} is in use", _CREDENTIALS_INDEX)
    payload = jwt_payload.encode()
    store.insert(SystemTable.CLIENT, client)
    store.insert(
        SystemTable.CONNECTION_CREDENTIALS,
        connection_id.bsatn + len(payload).to_bytes(4, "little") + payload,
    )


def delete_client(store: Store, identity: Identity, connection_id: ConnectionId) -> bool:
    """Inside a transaction. False: it was not there."""
    there = store.delete(SystemTable.CLIENT, identity.bsatn + connection_id.bsatn)
    if there:
        store.delete_seek(_CREDENTIALS_INDEX, connection_id.bsatn)
    return bool(there)


def has_client(store: Store, identity: Identity, connection_id: ConnectionId) -> bool:
    return bool(store.contains(SystemTable.CLIENT, identity.bsatn + connection_id.bsatn))


def clients(store: Store) -> list[tuple[Identity, ConnectionId]]:
    return [(Identity(row[:32]), ConnectionId(row[32:48])) for row in store.scan(SystemTable.CLIENT)]


def clear_clients(store: Store) -> None:
    """Inside a transaction."""
    store.clear(SystemTable.CLIENT)
    store.clear(SystemTable.CONNECTION_CREDENTIALS)
