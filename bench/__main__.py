"""The command `python -m bench`: one subcommand a measurement."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from bench import engine
from bench.caller import ReplyError
from bench.database import MODULE, Database, RefusedError, new_token
from bench.transfer import Options, Result, run
from spacetimedb_engine import prepare_memory
from spacetimedb_standalone.supervisor.large_pages import worker_environment

SKEWS = (0.0, 1.5)
SIZES = (10_000, 100_000, 1_000_000)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m bench", description="Measure a server, or its engine.")
    commands = top.add_subparsers(dest="command", required=True)
    transfer = commands.add_parser("transfer", help="money between accounts: tx/s, latency, server CPU")
    defaults = Options()
    transfer.add_argument("--url", default="http://127.0.0.1:3000", help="the server")
    transfer.add_argument(
        "--database", default="bench-transfer", help="its name; whatever it holds is replaced"
    )
    transfer.add_argument("--token", help="who publishes; by default a new identity")
    transfer.add_argument(
        "--alpha", type=float, action="append", help="skew; may be repeated; default 0 and 1.5"
    )
    transfer.add_argument("--seconds", type=float, default=defaults.seconds)
    transfer.add_argument("--warmup", type=float, default=defaults.warmup)
    transfer.add_argument("--connections", type=int, default=defaults.connections)
    transfer.add_argument(
        "--in-flight", type=int, default=defaults.in_flight, help="calls under way a connection"
    )
    transfer.add_argument("--accounts", type=int, default=defaults.accounts)
    transfer.add_argument("--json", action="store_true", help="print JSON only")
    operations = commands.add_parser("engine", help="the engine's operations beside SQLite's, and log replay")
    operations.add_argument("--rows", type=int, action="append", help="may be repeated; default 10^4 to 10^6")
    operations.add_argument("--operations", type=int, default=20_000, help="in each round")
    operations.add_argument("--transfers", type=int, default=200_000, help="in the logs that are replayed")
    operations.add_argument("--json", action="store_true", help="print JSON only")
    return top


def print_table(results: Sequence[Result]) -> None:
    head = ("skew", "tx/s", "p50 ms", "p99 ms", "CPU s / 1000 tx", "user", "system", "balances")
    rows = [
        (
            f"{result.alpha:g}",
            f"{result.tx_per_second:,.0f}",
            f"{result.p50_ms:.2f}",
            f"{result.p99_ms:.2f}",
            *(
                "?" if value is None else f"{value:.5f}"
                for value in (
                    result.server_cpu_seconds_per_1000_tx,
                    result.server_user_seconds_per_1000_tx,
                    result.server_system_seconds_per_1000_tx,
                )
            ),
            "exact" if result.is_consistent else "WRONG",
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: measured and consistent; 1: calls failed or balances are wrong; 2: could not measure."""
    chosen = parser().parse_args(arguments)
    return measure_engine(chosen) if chosen.command == "engine" else measure_transfer(chosen)


def measure_engine(chosen: argparse.Namespace) -> int:
    """In a process with the environment that a database's process has."""
    if "GLIBC_TUNABLES" not in os.environ:
        again = [sys.executable, "-m", "bench", *sys.argv[1:]]
        return subprocess.run(again, env=worker_environment(os.environ), check=False).returncode
    prepare_memory()
    results = engine.run(chosen.rows or SIZES, chosen.operations, chosen.transfers)
    if not chosen.json:
        print("\n".join(engine.tables(results)))
    print(json.dumps(results.as_json()))
    return 0


def measure_transfer(chosen: argparse.Namespace) -> int:
    options = Options(
        accounts=chosen.accounts,
        connections=chosen.connections,
        in_flight=chosen.in_flight,
        seconds=chosen.seconds,
        warmup=chosen.warmup,
    )
    try:
        database = Database(chosen.url, chosen.database, chosen.token or new_token(chosen.url))
        database.publish(MODULE.read_bytes())
        results = [run(database, alpha, options) for alpha in chosen.alpha or SKEWS]
    except (RefusedError, ReplyError, OSError, TimeoutError) as error:
        print(f"could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 2
    if not chosen.json:
        print_table(results)
    print(json.dumps([result.as_json() for result in results]))
    return 0 if all(result.is_consistent for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
