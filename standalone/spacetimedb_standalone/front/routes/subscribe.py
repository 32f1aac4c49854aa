"""Opening a WebSocket to a database: every check here, then the socket itself is the worker's.

The client's TCP socket is passed to the database's process as a file descriptor, together with who the
client is and the answer to its upgrade request; from then on nothing of the connection goes through the
front.
"""

from __future__ import annotations

import base64
import os

from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.front.caller import Caller
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import HANDED_OVER, Request, Response, refuse
from spacetimedb_standalone.front.inputs import name_or_identity
from spacetimedb_standalone.front.metrics import Metrics
from spacetimedb_standalone.front.router import CORS_HEADERS, Call, Credentials, Resource
from spacetimedb_standalone.front.websocket import (
    Upgrade,
    choose_protocol,
    read_upgrade,
    switching_protocols,
)
from spacetimedb_standalone.front.worker_http import new_connection_id
from spacetimedb_standalone.supervisor.channel import Message
from spacetimedb_standalone.supervisor.process import WorkerProcess


class SubscribeRoutes:
    def __init__(self, databases: Databases, metrics: Metrics):
        self._databases = databases
        self._metrics = metrics

    def resources(self) -> list[Resource]:
        path = "/v1/database/:name/subscribe"
        return [Resource(path, {"GET": self.subscribe}, Credentials.BEFORE_METHOD)]

    async def subscribe(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        upgrade = read_upgrade(call.request)
        identity = self._databases.identity_of(name)
        caller = call.authenticated
        database = self._databases.control.read.database(identity)
        if database is None:
            raise refuse(f"Unable to authorize {caller.identity} for SQL: database {identity} not found", 500)
        protocol = choose_protocol(upgrade)
        worker = await self._databases.worker(database)
        message = socket_message(caller, database, upgrade, protocol)
        self._hand_over(call.request, worker, message)
        self._metrics.sockets_passed += 1
        return HANDED_OVER

    def _hand_over(self, request: Request, worker: WorkerProcess, message: Message) -> None:
        descriptor, early = request.take_socket()
        try:
            worker.send({**message, "early": base64.b64encode(early).decode()}, [descriptor])
        finally:
            os.close(descriptor)


def socket_message(caller: Caller, database: Database, upgrade: Upgrade, protocol: str) -> Message:
    """What the worker is told about the client whose socket it gets."""
    chosen = upgrade.connection_id
    reply = switching_protocols(upgrade.key, protocol, [*caller.headers(), *CORS_HEADERS])
    return {
        "op": "socket",
        "identity": caller.identity.hex(),
        "connection_id": new_connection_id() if chosen is None else chosen.hex(),
        "owner": caller.identity == database.owner,
        "token": caller.token,
        "claims": caller.claims_segment(),
        "protocol": protocol,
        "compression": upgrade.compression,
        "light": upgrade.light,
        "confirmed": upgrade.is_confirmed(protocol),
        "reply": base64.b64encode(reply).decode(),
    }
