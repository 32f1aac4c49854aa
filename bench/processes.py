"""How long commands take from start to end: several in turn, so that a busy minute strikes all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one command over all rounds: wall clock, and CPU where the system tells."""

    name: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def least(self) -> float:
        return min(self.wall)

    @property
    def median(self) -> float:
        return statistics.median(self.wall)

    @property
    def cpu_median(self) -> float:
        return statistics.median(self.cpu) if self.cpu else float("nan")

    def as_json(self) -> dict[str, float | str]:
        return {"name": self.name, "least": self.least, "median": self.median, "cpu_median": self.cpu_median}


class CommandFailed(Exception):
    """A measured command did not end well, so its time says nothing."""


def measure(
    commands: Mapping[str, Sequence[str]], rounds: int, env: Mapping[str, str] | None = None
) -> list[Timing]:
    """Run each command once a round, after one round that does not count. Raises `CommandFailed`."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for count in range(rounds + 1):
        for name, argv in commands.items():
            one = _run(name, argv, env)
            if count:
                taken[name].append(one)
    return [
        Timing(name, tuple(wall for wall, _ in times), tuple(cpu for _, cpu in times if cpu > 0))
        for name, times in taken.items()
    ]


def _run(name: str, argv: Sequence[str], env: Mapping[str, str] | None) -> tuple[float, float]:
    began = time.perf_counter()
    process = subprocess.Popen(
        list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    )
    cpu = 0.0
    if sys.platform == "win32":
        code = process.wait()
    else:
        _, status, usage = os.wait4(process.pid, 0)
        code = process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
    wall = time.perf_counter() - began
    if code != 0:
        raise CommandFailed(f"{name}: `{' '.join(argv)}` ended with exit code {code}")
    return wall * 1e3, cpu * 1e3


def print_table(timings: Sequence[Timing]) -> None:
    """A row a command, in milliseconds."""
    width = max(len(timing.name) for timing in timings)
    print(f"{'':{width}}  {'median':>8}  {'least':>8}  {'CPU':>8}   (ms)")
    for timing in timings:
        print(
            f"{timing.name:{width}}  {timing.median:8.1f}  {timing.least:8.1f}  {timing.cpu_median:8.1f}",
            flush=True,
        )
