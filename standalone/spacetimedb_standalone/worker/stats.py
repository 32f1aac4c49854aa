"""What the worker tells of itself, for the front's metrics page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from spacetimedb_engine import is_compiled
from spacetimedb_standalone.control.disk_use import disk_use
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.worker.clients import Clients
from spacetimedb_standalone.worker.snapshots import SnapshotFigures


@dataclass
class _Family:
    """One metric with its samples: (labels, value)."""

    name: str
    type: str
    help: str
    samples: list[tuple[dict[str, str], float]] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        samples = [{"suffix": "", "labels": labels, "value": value} for labels, value in self.samples]
        return {"name": self.name, "type": self.type, "help": self.help, "samples": samples}


class StatsRoute:
    def __init__(
        self, database: Database, clients: Clients, snapshots: SnapshotFigures, replica_dir: Path
    ) -> None:
        self._database, self._clients = database, clients
        self._snapshots, self._replica_dir = snapshots, replica_dir

    async def stats(self, request: web.Request) -> web.Response:
        return web.json_response({"families": [family.as_json() for family in self._families()]})

    def _families(self) -> list[_Family]:
        datastore, store = self._database.datastore, self._database.store
        identity = {"database_identity": datastore.database_identity.hex()}
        db = {"db": datastore.database_identity.hex()}
        rows = _Family("spacetime_num_table_rows", "gauge", "Rows of a table.")
        for table in datastore.schema.tables.values():
            rows.samples.append(
                (db | {"table_id": str(table.id), "table_name": table.name}, store.count(table.id))
            )
        causes = _Family(
            "spacetime_worker_ws_client_disconnections_total", "counter", "Ended connections by cause."
        )
        for cause, count in self._clients.disconnections.items():
            causes.samples.append((identity | {"cause": cause}, count))
        return [
            _gauge(
                "spacetime_worker_connected_clients",
                "Open WebSockets.",
                identity,
                len(self._clients.turn.sockets),
            ),
            causes,
            rows,
            _gauge("spacetime_engine_compiled", "1: the engine runs compiled.", identity, is_compiled()),
            _gauge("spacetime_engine_memory_bytes", "Held by the engine.", identity, store.memory_in_use()),
            _gauge("spacetime_durable_tx_offset", "On disk.", identity, datastore.log.durable_offset),
            _gauge("spacetime_next_tx_offset", "Next transaction.", identity, store.next_offset),
            _gauge("spacetime_log_pending_bytes", "Not on disk yet.", identity, datastore.log.pending_bytes),
            *self._on_disk(db),
        ]

    def _on_disk(self, db: dict[str, str]) -> list[_Family]:
        if self._database.datastore.disk is None:
            return []
        use, snapshots = disk_use(self._replica_dir), self._snapshots
        return [
            _gauge("spacetime_message_log_size_bytes", "The log on disk.", db, use.log),
            _gauge("spacetime_message_log_size_blocks", "The same in 512 bytes.", db, use.log // 512),
            _gauge("spacetime_module_log_file_size_bytes", "Logs of the module.", db, use.module_logs),
            _gauge("spacetime_snapshot_size_bytes", "Snapshots on disk.", db, use.snapshots),
            _gauge("spacetime_snapshot_tx_offset", "In the newest.", db, snapshots.last_offset),
            _gauge("spacetime_snapshot_seconds", "What the last one took.", db, snapshots.last_seconds),
            _gauge("spacetime_snapshot_pause_seconds", "The database stood still.", db, snapshots.last_pause),
            _gauge("spacetime_snapshots_failed", "Since the start.", db, snapshots.failed),
        ]


def _gauge(name: str, text: str, labels: dict[str, str], value: float) -> _Family:
    return _Family(name, "gauge", text, [(labels, float(value))])
