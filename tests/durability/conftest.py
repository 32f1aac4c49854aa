"""What the tests here have tried is counted, told at the end, and written for `scripts/durability-report`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tally = Callable[..., None]
RESULTS = "STDB_DURABILITY_RESULTS"
"""Environment variable: the file that the counts go to."""
BASE = int(os.environ.get("STDB_DURABILITY_SEED", "0"))
"""Environment variable: added to the seeds, so that each night tries something else. Seeds are in the tests' names."""
LONG = os.environ.get("STDB_DURABILITY") == "long"
long = pytest.mark.skipif(not LONG, reason="STDB_DURABILITY=long runs it: minutes")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """`tally(fault, step, result)`: one state was tried."""
    counts: Counter[tuple[str, str, str]] = Counter()

    def count(fault: str, step: str, result: str, times: int = 1) -> None:
        counts[fault, step, result] += times

    def keep() -> None:
        request.node.user_properties.append(
            ("durability", [[*key, times] for key, times in sorted(counts.items())])
        )

    request.addfinalizer(keep)
    return count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts: Counter[tuple[str, str, str]] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, rows in getattr(report, "user_properties", []):
                if name == "durability" and report.when == "teardown":
                    for fault, step, result, times in rows:
                        counts[fault, step, result] += times
    if not counts:
        return
    terminalreporter.section("faults tried")
    for (fault, step, result), times in sorted(counts.items()):
        terminalreporter.write_line(f"{times:7}  {fault} | {step} | {result}")
    if target := os.environ.get(RESULTS):
        lines = [json.dumps([*key, times]) for key, times in sorted(counts.items())]
        with Path(target).open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
