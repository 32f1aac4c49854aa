"""What a module may ask of its database beyond rows: `host.interface.HostServices` over the datastore.

For the instance that runs reducers and views, on the engine's thread; procedures and handlers have
`WaitingServices`.
"""

from __future__ import annotations

from collections.abc import Callable

from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.system_tables import SystemTable
from spacetimedb_standalone.host.interface import GuestTrap, LogRecord
from spacetimedb_standalone.module_logs import ModuleLog
from spacetimedb_standalone.ports.clock import Clock

NOT_HERE = "only a procedure or HTTP handler may open transactions, sleep or send requests"


class DatabaseServices:
    """`row_written` and `schedule_now` are wired to the scheduler once there is one."""

    def __init__(self, datastore: Datastore, logs: ModuleLog, clock: Clock) -> None:
        self._datastore, self._logs, self._clock = datastore, logs, clock
        self.on_row_written: Callable[[int, bytes], int] = lambda table_id, row: 0
        self.on_schedule_now: Callable[[str, bytes], None] = lambda function, args: None

    def table_id(self, name: str) -> int | None:
        table = self._datastore.schema.table(name)
        return None if table is None else table.id

    def index_id(self, name: str) -> int | None:
        index = self._datastore.schema.index(name)
        return None if index is None else index.id

    def identity(self) -> bytes:
        return bytes(self._datastore.database_identity)

    def log(self, record: LogRecord) -> None:
        self._logs.from_guest(record)

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def jwt(self, connection_id: bytes) -> str | None:
        table = self._datastore.schema.tables[SystemTable.CONNECTION_CREDENTIALS]
        rows = self._datastore.store.seek(table.indexes[0].id, connection_id)
        if not rows:
            return None
        _, payload = table.codec.decode(rows[0])[0]
        assert isinstance(payload, str)
        return payload

    def env(self, key: str) -> str | None:
        return None

    def row_written(self, table_id: int, row: bytes, inserted: bool) -> int:
        return self.on_row_written(table_id, row)

    def schedule_now(self, function: str, args: bytes) -> None:
        self.on_schedule_now(function, args)

    # -- what may wait; the engine answers most of it before it comes here

    def start_tx(self) -> int:
        raise GuestTrap(NOT_HERE)

    def commit_tx(self) -> None:
        raise GuestTrap(NOT_HERE)

    def abort_tx(self) -> None:
        raise GuestTrap(NOT_HERE)

    def sleep_until(self, wake: int) -> int:
        raise GuestTrap(NOT_HERE)

    def http(self, request: bytes, body: bytes, in_transaction: bool) -> list[bytes] | int:
        raise GuestTrap(NOT_HERE)
