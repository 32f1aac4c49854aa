"""How fast a release's commands start: the bare interpreter, the command line directly, and through the proxy.

    python -m bench.startup dist/2.10.0/spacetime-x86_64-unknown-linux-gnu.tar.gz

The archive is installed into a temporary root whose name has a blank, and measured in an environment with nothing
but PATH. The bars are judged by medians; everything is measured in turns within the same rounds. On a busy machine
`--ahead` lets the measured processes run before all others.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from bench.processes import CommandFailed, Timing, measure, print_table
from scripts.releasing.archive import extract_tar

BARE = "bare interpreter (python -I -S -c pass)"
BARE_SITE = "bare interpreter with its site packages (python -I -c pass)"
RELEASED = "interpreter of the release (runtime/python -c pass)"
DIRECT, PROXY = "spacetimedb-cli {}", "spacetime {}"
ASKED = ("--version", "--help", "publish --help", "server list")

PROXY_ADDS, VERSION_TAKES, HELP_TAKES = 15.0, 60.0, 200.0
"""The bars, in milliseconds."""


def install(archive: Path, root: Path) -> Path:
    """The tree that an installation makes of `archive`; gives the folder of the version."""
    folder = root / "bin" / "measured"
    folder.mkdir(parents=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
    else:
        extract_tar(archive, folder)
    if sys.platform != "win32":
        (root / "bin" / "current").symlink_to("measured")
        (root / "spacetime").symlink_to("bin/measured/spacetimedb-update")
    return folder


def commands(root: Path, folder: Path) -> dict[str, list[str]]:
    """What is measured, by the names in the table."""
    base = getattr(sys, "_base_executable", sys.executable)
    found = {
        BARE: [base, "-I", "-S", "-c", "pass"],
        BARE_SITE: [base, "-I", "-c", "pass"],
        RELEASED: [str(folder / "runtime" / "python"), "-c", "pass"],
    }
    for question in ASKED:
        words = [f"--root-dir={root}", *question.split()]
        found[DIRECT.format(question)] = [str(folder / "spacetimedb-cli"), *words]
        found[PROXY.format(question)] = [str(root / "spacetime"), *words]
    return found


def verdicts(timings: Sequence[Timing]) -> list[tuple[str, float, float]]:
    """Each bar: what it is about, the milliseconds measured, the milliseconds allowed."""
    median = {timing.name: timing.median for timing in timings}
    added = [median[PROXY.format(question)] - median[DIRECT.format(question)] for question in ASKED[:2]]
    return [
        ("the proxy adds", max(added), PROXY_ADDS),
        ("spacetime --version", median[PROXY.format("--version")], VERSION_TAKES),
        ("spacetime --help", median[PROXY.format("--help")], HELP_TAKES),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: within the bars; 1: not; 2: could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.startup", description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path, help="what scripts/release made")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument(
        "--ahead", action="store_true", help="run ahead of all other processes (Linux, as root)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    chosen = parser.parse_args(arguments)
    if chosen.ahead:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    with tempfile.TemporaryDirectory(prefix="spacetime start-up ") as root:
        folder = install(chosen.archive, Path(root))
        (Path(root) / "home").mkdir()
        env = {"PATH": os.defpath, "HOME": f"{root}/home", "SPACETIME_NO_UPDATE_CHECK": "1"}
        try:
            timings = measure(commands(Path(root), folder), chosen.rounds, env)
        except (CommandFailed, OSError) as error:
            print(f"could not measure: {error}", file=sys.stderr)
            return 2
    judged = verdicts(timings)
    if chosen.json:
        bars = [{"what": what, "ms": ms, "bar": bar} for what, ms, bar in judged]
        print(json.dumps({"timings": [timing.as_json() for timing in timings], "bars": bars}))
    else:
        print_table(timings)
        if hasattr(os, "getloadavg"):
            print(f"load of the machine: {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores")
        for what, ms, bar in judged:
            print(f"{what}: {ms:.1f} ms; at most {bar:.0f}: {'yes' if ms <= bar else 'NO'}")
    return 0 if all(ms <= bar for _, ms, bar in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
