"""What a snapshot costs the database it is taken of, and what it saves the next start.

    python -m bench.snapshots [ROWS ...]

A table of (u32, i64) with a primary key. For each number of rows, in milliseconds of CPU unless it says wall:

* fork: the call in which the database stands still when a copy of its process takes the snapshot;
* copied: pages (not milliseconds) that the kernel copies when every row is changed once while the copy is there;
* copy: the same standstill if the rows were copied instead, in one piece;
* write: what the copy of the process does: rows, compression, digests, sync, reading it back (wall);
* load: from the file to tables with indexes; replay: the same from a log.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_engine import Store
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import I64, U32, product
from spacetimedb_standalone.ports import DiskFiles
from spacetimedb_standalone.snapshots import Head, Piece, SnapshotReader, verify_snapshot, write_snapshot

TABLE, KEY = 4096, 1
ROW = struct.Struct("<Iq")
PIECE = 1 << 20


@dataclass(frozen=True)
class Cost:
    rows: int
    resident_mb: float
    fork: float
    copied: int
    copy: float
    write: float
    file_mb: float
    load: float
    replay: float


def measure(rows: int) -> Cost:
    store, log = _filled(rows)
    pieces = list(_pieces(store))
    copy = _best(lambda: list(_pieces(store)))
    fork, copied = _fork(store, rows)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "snapshot"
        write = _best(lambda: _write(path, store), time.perf_counter)
        size = path.stat().st_size
        load = _best(lambda: _load(path))
    del pieces
    replay = _best(lambda: _replay(log))
    return Cost(rows, _resident(), fork, copied, copy, write, size / 1e6, load, replay)


def _filled(rows: int) -> tuple[Store, bytes]:
    store = _empty()
    store.create_index(KEY, TABLE, 0, True, [0])
    store.begin()
    for number in range(rows):
        store.insert(TABLE, ROW.pack(number, 1000))
    store.commit()
    return store, store.take_log()


def _empty() -> Store:
    store = Store()
    store.create_table(TABLE, encode_type(product(id=U32, balance=I64)))
    return store


def _pieces(store: Store) -> list[Piece]:
    pieces, slot = [], 0
    while slot >= 0:
        rows, count, slot = store.export(TABLE, slot, PIECE)
        pieces.append(Piece(TABLE, count, rows))
    return pieces


def _fork(store: Store, rows: int) -> tuple[float, int]:
    """(milliseconds of the call, pages copied because of it when every row changes); the least of a few."""
    calls, copied = [], []
    for attempt in range(5):
        hold, release = os.pipe()
        began = time.process_time()
        child = os.fork()
        if child == 0:
            os.close(release)
            os.read(hold, 1)
            os._exit(0)
        calls.append(time.process_time() - began)
        while_shared = _change_all(store, rows, 2 * attempt + 1)
        os.close(release)
        os.close(hold)
        os.waitpid(child, 0)
        copied.append(while_shared - _change_all(store, rows, 2 * attempt + 2))
    return min(calls) * 1e3, min(copied)


def _change_all(store: Store, rows: int, balance: int) -> int:
    """Page faults on the way."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    store.begin()
    for number in range(rows):
        store.update(TABLE, KEY, ROW.pack(number, balance))
    store.commit()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    store.take_log()
    return after - before


def _write(path: Path, store: Store) -> None:
    files = DiskFiles()
    file = files.open(path, create=True)
    file.truncate(0)
    write_snapshot(file, Head(bytes(32), 1, 0, 0), _pieces(store))
    file.sync_data()
    file.close()
    verify_snapshot(files, path)


def _load(path: Path) -> None:
    store = _empty()
    with SnapshotReader.open(DiskFiles(), path) as reader:
        for piece in reader.pieces():
            store.load(piece.table_id, piece.rows, piece.count)
    store.create_index(KEY, TABLE, 0, True, [0])
    store.loaded()


def _replay(log: bytes) -> None:
    store = _empty()
    store.replay(log)
    store.create_index(KEY, TABLE, 0, True, [0])


def _best(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Milliseconds."""
    spent = []
    for _ in range(3):
        began = clock()
        work()
        spent.append(clock() - began)
    return min(spent) * 1e3


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(arguments: list[str]) -> None:
    print("| rows | process MB | fork | copied | copy | write (wall) | file MB | load | replay |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for rows in map(int, arguments or ["10000", "1000000", "4000000"]):
        cost = measure(rows)
        print(
            f"| {cost.rows} | {cost.resident_mb:.0f} | {cost.fork:.1f} | {cost.copied} | {cost.copy:.1f} "
            f"| {cost.write:.0f} | {cost.file_mb:.1f} | {cost.load:.0f} | {cost.replay:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
