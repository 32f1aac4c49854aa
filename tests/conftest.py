"""What tests counted, told at the end of every run, also of one by several processes.

A test that tries many things in turn says how many they were::

    counted("kills at a named crash point, then run again", 14, of="upgrade")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

PROPERTY = "counted"


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """`counted(what, number, of="")`: what was tried, how often, and for which of several cases."""

    def count(what: str, number: int, of: str = "") -> None:
        record_property(PROPERTY, (what, of, number))

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
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


def _counts(reports: list[pytest.TestReport]) -> Iterator[tuple[str, str, int]]:
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, tuple | list):
                what, of, number = value
                yield str(what), str(of), int(number)
