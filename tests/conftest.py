"""What tests counted, told at the end of every run, also of one by several processes.

A test that tries many things in turn says how many they were::

    counted("kills at a named crash point, then run again", 14, of="upgrade")

One that tries thousands says so for each: `tally("power loss", "append, log segment", "comes back")`.
Which random examples are tried is settled here, too: see `tests/examples.py`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.examples import SEED, load_profile

PROPERTY, TALLY = "counted", "tally"
RESULTS = os.environ.get("STDB_COUNTED")
"""A file that gets what was counted, a line of JSON each: what, of, number."""


load_profile()  # before any test module is read


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if SEED is not None and config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = SEED


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """`counted(what, number, of="")`: what was tried, how often, and for which of several cases."""

    def count(what: str, number: int, of: str = "") -> None:
        record_property(PROPERTY, (what, of, number))

    return count


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[[str, str, str], None]:
    """`tally(fault, step, result)`: this was tried once, there, and so it ended."""
    counts: dict[str, dict[str, int]] = {}
    record_property(TALLY, counts)

    def count(fault: str, step: str, result: str) -> None:
        cases = counts.setdefault(f"{fault}: {result}", {})
        cases[step] = cases.get(step, 0) + 1

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SEED is not None:
        terminalreporter.write_line(f"random examples by seed {SEED}")
    totals: dict[str, Counter[str]] = {}
    for what, of, number in _counts(terminalreporter.getreports("passed")):
        totals.setdefault(what, Counter())[of] += number
    if not totals:
        return
    terminalreporter.section("counted")
    for what, cases in sorted(totals.items()):
        terminalreporter.write_line(f"{cases.total():6}  {what}")
        if parts := ", ".join(f"{of} {number}" for of, number in cases.items() if of):
            terminalreporter.write_line(f"        {parts}")
    if RESULTS and "PYTEST_XDIST_WORKER" not in os.environ:  # each worker has counted its own share, too
        lines = [json.dumps([what, *case]) for what, cases in totals.items() for case in cases.items()]
        with Path(RESULTS).open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)


def _counts(reports: list[pytest.TestReport]) -> Iterator[tuple[str, str, int]]:
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, tuple | list):
                what, of, number = value
                yield str(what), str(of), int(number)
            if name == TALLY and isinstance(value, dict):
                for what, cases in value.items():
                    yield from ((str(what), str(of), int(number)) for of, number in cases.items())
