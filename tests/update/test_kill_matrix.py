"""Killed in every place, and run again: what was selected works after the kill, the change is made after
the second run.

The kill is real: a child process that ends without any clean-up. The end of the run shows the counts.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacetimedb_update.ports.crash_points import POINTS

from .scenarios import SCENARIOS, Scenario, the_day_after
from .trouble import KILLED, Killer, Recorder, TroubledFiles, die_at_operation, in_a_process
from .world import Tool, copy_root

pytestmark = pytest.mark.slow

EVERY_NTH = 41
"""Which of the file operations are killed at in a quick run."""


class Bench:
    """A prepared installation, to be copied for each kill."""

    def __init__(self, tool: Tool, scenario: Scenario) -> None:
        self.tool, self.scenario = tool, scenario
        scenario.prepare(tool)
        self.pristine = tool.root.with_name("pristine")
        tool.root.rename(self.pristine)
        self.clock = tool.clock.now()

    def reset(self) -> Tool:
        """The tool with a fresh copy of the installation, at the same place and time."""
        shutil.rmtree(self.tool.root, ignore_errors=True)
        copy_root(self.pristine, self.tool.root)
        self.tool.clock._now = self.clock
        self.tool.files = self.scenario.files()
        self.tool.crash_points = Recorder()
        return self.tool

    def points(self) -> list[str]:
        """The crash points of an undisturbed run."""
        tool = self.reset()
        recorder = tool.crash_points = Recorder()
        assert tool(*self.scenario.arguments).exit == 0
        self.scenario.check_done(tool)
        return recorder.reached_points

    def operations(self) -> int:
        """The number of file operations of an undisturbed run."""
        tool = self.reset()
        counted = tool.files = _troubled(self.scenario)
        assert tool(*self.scenario.arguments).exit == 0
        return counted.count


def _troubled(scenario: Scenario, *trouble) -> TroubledFiles:
    class Troubled(TroubledFiles, scenario.files):  # type: ignore[misc,name-defined]
        pass

    return Troubled(*trouble)


@pytest.fixture(params=SCENARIOS, ids=lambda scenario: scenario.name)
def bench(request: pytest.FixtureRequest, tool: Tool) -> Bench:
    return Bench(tool, request.param)


def _kill_and_run_again(bench: Bench, tool: Tool, place: str) -> None:
    ended = in_a_process(lambda: tool(*bench.scenario.arguments).exit)
    assert ended == KILLED, f"{place}: ended with {ended}"
    bench.scenario.check_selected_works(tool)
    tool.files, tool.crash_points = bench.scenario.files(), Recorder()
    the_day_after(tool)
    if bench.scenario.is_finished(tool):
        return bench.scenario.check_done(tool)
    again = tool(*bench.scenario.arguments)
    assert again.exit == 0, f"{place}: {again.err}"
    return bench.scenario.check_done(tool)


def _first_and_last(points: list[str]) -> Iterator[tuple[str, int]]:
    for point, count in Counter(points).items():
        for occurrence in sorted({1, count}):
            yield point, occurrence


def test_killed_at_every_named_crash_point(bench, counted):
    killed = 0
    for point, occurrence in _first_and_last(bench.points()):
        tool = bench.reset()
        tool.crash_points = Killer(point, occurrence)
        _kill_and_run_again(bench, tool, f"{point} ({occurrence})")
        killed += 1
    assert killed >= 6
    counted("kills at a named crash point, then run again", killed, of=bench.scenario.name)


@pytest.mark.parametrize("step", [EVERY_NTH, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_file_operations(bench, step, counted):
    places = range(1, bench.operations() + 1, step)
    for at in places:
        tool = bench.reset()
        tool.files = _troubled(bench.scenario, die_at_operation(at))
        _kill_and_run_again(bench, tool, f"operation {at}")
    counted("kills at a file operation, then run again", len(places), of=bench.scenario.name)


def test_every_named_crash_point_is_met_by_one_of_these_changes(tool, tmp_path):
    met: set[str] = set()
    for number, scenario in enumerate(SCENARIOS):
        one = Tool(tmp_path / str(number) / "root", tool.net, tool.anchor)
        one.root.parent.mkdir()
        met.update(Bench(one, scenario).points())
    assert met == set(POINTS) - {"command-retired"}  # Windows: test_windows_rules.py


def test_killed_twice_on_the_way_back_it_still_goes_back(tool, tmp_path: Path):
    """An interrupted rollback stays one, however often it is interrupted: it never turns round."""
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == "rollback")
    bench = Bench(tool, scenario)
    tool = bench.reset()
    for point in ("recorded", "recovered", "locked"):
        tool.crash_points = Killer(point, 1)
        assert in_a_process(lambda: tool(*scenario.arguments).exit) == KILLED
    tool.crash_points = Recorder()
    assert tool(*scenario.arguments).exit == 0
    scenario.check_done(tool)
