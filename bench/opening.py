"""Opening a database's directory without a server:  python -m bench.opening REPLICA_DIRECTORY

Prints what it took as JSON. In a process of its own, so that nothing is warm but the disk's cache.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.contestants import ROW
from bench.replay import transfer_inputs
from spacetimedb_engine import prepare_memory
from spacetimedb_standalone.commitlog import Driver
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.snapshotting import take_snapshot
from spacetimedb_standalone.ports import DiskFiles, SystemClock
from spacetimedb_standalone.supervisor.large_pages import worker_environment

REPEATS = 3
FLUSH_EVERY = 1000
TABLE = "accounts"


@dataclass(frozen=True)
class Opening:
    """Seconds; the transactions are those that were replayed from the log."""

    cpu: float
    wall: float
    snapshot: bool
    transactions: int


def measure_opening(replica: Path) -> Opening:
    """The best of a few, by CPU."""
    return min((_in_a_process(replica) for _ in range(REPEATS)), key=lambda opening: opening.cpu)


def _in_a_process(replica: Path) -> Opening:
    command = [sys.executable, "-m", "bench.opening", str(replica)]
    environment = worker_environment(os.environ)
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    return Opening(**json.loads(done.stdout))


def _open(replica: Path) -> Datastore:
    return Datastore.open(
        replica, DiskFiles(), SystemClock(), options=CommitLogSettings(), driver=Driver.INLINE
    )


def snapshot(replica: Path) -> None:
    datastore = _open(replica)
    take_snapshot(datastore, SystemClock())
    datastore.close()


def add_transfers(replica: Path, accounts: int, balance: int, count: int) -> None:
    """So many transactions, as calls of the transfer reducer leave them, between random accounts."""
    datastore, chance = _open(replica), random.Random(accounts)
    table = next(table for table in datastore.schema.tables.values() if table.name == TABLE)
    index, store = table.indexes[0].id, datastore.store
    balances = [balance] * accounts
    for number in range(count):
        source, target = chance.sample(range(accounts), 2)
        balances[source] -= 1
        balances[target] += 1
        store.begin()
        for key in (source, target):
            store.update(table.id, index, ROW.pack(key, balances[key]))
        store.commit(transfer_inputs(number, source, target))
        if number % FLUSH_EVERY == FLUSH_EVERY - 1:
            datastore.flush_log()
    datastore.close()


def main(replica: Path) -> None:
    prepare_memory()
    began, began_cpu = time.perf_counter(), time.process_time()
    datastore = _open(replica)
    cpu, wall = time.process_time() - began_cpu, time.perf_counter() - began
    assert datastore.disk is not None
    recovered = datastore.disk.recovered
    opening = Opening(cpu, wall, recovered.snapshot is not None, recovered.replayed_transactions)
    print(json.dumps(asdict(opening)))
    datastore.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
