"""How fast a commit log of transfers becomes rows again, from the files of the log."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.contestants import INDEX, ROW, ROW_TYPE, TABLE, Engine
from spacetimedb_engine import Store
from spacetimedb_standalone.commitlog import Driver, open_log
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import DiskFiles

REPEATS = 3
FLUSH_EVERY = 1000
CALLER = bytes(range(32)) + bytes(16)
"""Identity and connection id, as the log has them of every call."""


@dataclass(frozen=True)
class Replay:
    """CPU time, reading the files included; bytes of the transfers as they lie in the log."""

    rows: int
    transfers: int
    log_bytes: int
    cpu_us: float
    """For one transfer."""

    @property
    def transfers_per_second(self) -> float:
        return 1e6 / self.cpu_us

    @property
    def megabytes_per_second(self) -> float:
        return self.log_bytes / self.transfers / self.cpu_us


def measure_replay(rows: int, transfers: int) -> Replay:
    """A log of `transfers` between random ones of so many accounts."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "clog"
        size = _write(directory, rows, transfers)
        spent = min(_replay(directory) for _ in range(REPEATS))
    return Replay(rows, transfers, size, spent / transfers * 1e6)


def _write(directory: Path, rows: int, transfers: int) -> int:
    """The bytes that the transfers take in the log."""
    engine, chance, size = Engine(), random.Random(rows), 0
    store = engine.store
    log = open_log(DiskFiles(), directory, CommitLogSettings()).start(Driver.INLINE)
    balances = [1_000_000] * rows

    def flush() -> int:
        commits = store.take_log()
        if commits:
            log.submit(commits, store.next_offset - 1)
        return len(commits)

    store.begin()
    for key in range(rows):
        engine.insert(key, balances[key])
    store.commit()
    flush()
    for number in range(transfers):
        source, target = chance.sample(range(rows), 2)
        balances[source] -= 1
        balances[target] += 1
        store.begin()
        engine.update(source, balances[source])
        engine.update(target, balances[target])
        store.commit(transfer_inputs(number, source, target))
        if number % FLUSH_EVERY == FLUSH_EVERY - 1:
            size += flush()
    size += flush()
    log.drain(60.0)
    log.close()
    return size


def transfer_inputs(number: int, source: int, target: int) -> bytes:
    """What the log says called for a transfer."""
    arguments = source.to_bytes(4, "little") + ROW.pack(target, 1)
    return b"\x08transfer" + CALLER + number.to_bytes(8, "little") + arguments


def _replay(directory: Path) -> float:
    """Seconds of CPU for all commits but the first, which makes the accounts."""
    log = open_log(DiskFiles(), directory, CommitLogSettings())
    store = Store()
    store.create_table(TABLE, ROW_TYPE)
    pieces = log.runs()
    store.replay(next(pieces))
    began = time.process_time()
    for piece in pieces:
        store.replay(piece)
    spent = time.process_time() - began
    store.create_index(INDEX, TABLE, 0, True, [0])
    return spent
