"""What a database of many rows takes in memory, and what it costs to open it again.

    python -m bench.restart [--rows 1000000] [--transfers 500000] [--json]

A server of its own in a temporary directory: the transfer module is published, its accounts are seeded in one call,
and the memory of each process is read. Then the server is started again with a snapshot; CPU is user and system of
the database's process, from its fork to its first answer to a query.

Then the same directory is opened without a server: from the snapshot, from the log, and from a log with so many
transfers behind the seed, of which the time without them is taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from bench.database import MODULE, Database, RefusedError, new_token
from bench.opening import Opening, add_transfers, measure_opening, snapshot
from bench.server_cpu import process_tree, usage

BALANCE = 1_000_000_000
NAME = "large"
PATIENCE = 60.0
REST = 2.0
"""Seconds after the seed before memory is read: the log is on the disk by then."""


@dataclass(frozen=True)
class Memory:
    """MiB of a process: `resident`; `share`, where pages are divided among those that have them; `own`, that nobody
    else has."""

    process: str
    resident: float
    share: float
    own: float


@dataclass(frozen=True)
class Measured:
    """Seconds of CPU, for the restart with a snapshot; microseconds of CPU for one transfer that is replayed."""

    rows: int
    memory: tuple[Memory, ...]
    worker_cpu: float
    server_cpu: float
    from_snapshot: Opening
    from_log: Opening
    transfers: int
    replay_us: float


def measure(rows: int, transfers: int, place: Path) -> Measured:
    data, unsnapped = place / "data", place / "unsnapped"
    replica = data / "replicas" / "1"
    with _server(data, place) as (url, server):
        database = Database(url, NAME, new_token(url))
        database.publish(MODULE.read_bytes())
        database.seed(rows, BALANCE)
        time.sleep(REST)
        memory = tuple(_memory(pid, server) for pid in process_tree([server]))
    from_log = measure_opening(replica)
    shutil.copytree(replica, unsnapped)
    snapshot(replica)
    with _server(data, place) as (url, server):
        assert Database(url, NAME, database.token).count() == rows
        worker_cpu, server_cpu = usage([_database(server)]).total, usage([server]).total
    from_snapshot = measure_opening(replica)
    add_transfers(unsnapped, rows, BALANCE, transfers)
    spent = measure_opening(unsnapped).cpu - from_log.cpu
    replay = spent / transfers * 1e6
    return Measured(rows, memory, worker_cpu, server_cpu, from_snapshot, from_log, transfers, replay)


@contextmanager
def _server(data: Path, place: Path) -> Iterator[tuple[str, int]]:
    """Its URL and its first process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "spacetimedb_standalone", "start", "--non-interactive"]
    command += ["--data-dir", str(data), "--jwt-key-dir", str(place / "keys"), "--listen-addr", address]
    with (place / "server.log").open("ab") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _await(f"http://{address}", server)
        yield f"http://{address}", server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(httpx.HTTPError):
            httpx.get(f"{url}/v1/ping")
            return
        time.sleep(0.05)
    raise RefusedError("the server did not start")


def _memory(pid: int, server: int) -> Memory:
    kinds = dict[str, int]()
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, size, *_ = line.split()
        kinds[name] = int(size)
    process = "front" if pid == server else "database" if pid == _database(server) else "template"
    own = kinds["Private_Clean:"] + kinds["Private_Dirty:"]
    return Memory(process, kinds["Rss:"] / 1024, kinds["Pss:"] / 1024, own / 1024)


def _database(server: int) -> int:
    """The process of the database: forked by the template, which the front has started."""
    return min(pid for pid in process_tree([server]) if pid != server and _parent(pid) != server)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def print_results(measured: Measured) -> None:
    print(f"{measured.rows:,} rows; MiB     resident    share      own")
    for memory in measured.memory:
        print(f"{memory.process:<22}{memory.resident:>10.0f}{memory.share:>9.0f}{memory.own:>9.0f}")
    print(f"restart from a snapshot: {measured.worker_cpu:.2f} s of CPU in the database's process,")
    print(f"{measured.server_cpu:.2f} s in all processes of the server")
    for name, opening in (("snapshot", measured.from_snapshot), ("log", measured.from_log)):
        print(f"opening from the {name}, without a server: {opening.cpu:.2f} s of CPU")
    print(f"replay of a transfer: {measured.replay_us:.2f} us of CPU")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: measured; 2: could not be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.restart", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--transfers", type=int, default=500_000)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="spacetime-restart-") as place:
        try:
            measured = measure(chosen.rows, chosen.transfers, Path(place))
        except (RefusedError, OSError, subprocess.CalledProcessError) as error:
            print(f"could not measure: {error}", file=sys.stderr)
            return 2
    if not chosen.json:
        print_results(measured)
        print(f"load of the machine: {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores")
    print(json.dumps(asdict(measured)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
