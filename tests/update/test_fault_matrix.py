"""Each file operation fails in turn: a clear sentence, what was selected works, nothing half-made stays,
and the same command succeeds once the trouble is over. The end of the run shows the counts."""

from __future__ import annotations

import errno
import re

import pytest

from .scenarios import SCENARIOS, the_day_after
from .test_kill_matrix import Bench, _troubled
from .trouble import Recorder, fail_once, full_disk_from
from .world import Tool

pytestmark = pytest.mark.slow

ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO)
EVERY_NTH = 13
SENTENCE = re.compile(r"^Error: .{20,}", re.MULTILINE)


@pytest.fixture(params=SCENARIOS, ids=lambda scenario: scenario.name)
def bench(request: pytest.FixtureRequest, tool: Tool) -> Bench:
    return Bench(tool, request.param)


def _try(bench: Bench, place: str, trouble) -> int:
    """One run with trouble and one without; the first one's exit code."""
    tool = bench.reset()
    tool.files = _troubled(bench.scenario, trouble)
    outcome = tool(*bench.scenario.arguments)
    assert outcome.exit in (0, 1), place
    assert "Traceback" not in outcome.err
    if outcome.exit == 1:
        assert SENTENCE.search(outcome.err), f"{place}: {outcome.err}"
    bench.scenario.check_selected_works(tool)
    tool.files, tool.crash_points = bench.scenario.files(), Recorder()
    the_day_after(tool)
    if outcome.exit == 0:
        bench.scenario.check_done(tool)
        return 0
    again = tool(*bench.scenario.arguments)
    assert again.exit == 0, f"{place}: {again.err}"
    bench.scenario.check_done(tool)
    return outcome.exit


@pytest.mark.parametrize("step", [EVERY_NTH, pytest.param(1, marks=pytest.mark.slow)])
def test_each_file_operation_fails_once(bench, step, counted):
    tried = failed = 0
    for at in range(1, bench.operations() + 1, step):
        numbers = ERRORS if step == 1 else (ERRORS[(at // step) % len(ERRORS)],)
        for number in numbers:
            failed += _try(bench, f"operation {at}: {errno.errorcode[number]}", fail_once(at, number))
            tried += 1
    assert failed > tried / 2
    what = "file operations that failed once: disk full, permission or I/O error"
    counted(what, tried, of=bench.scenario.name)
    counted(f"{what}; ended the command with a sentence, the others are optional", failed)


@pytest.mark.parametrize("step", [53, pytest.param(1, marks=pytest.mark.slow)])
def test_the_disk_is_full_from_each_operation_on(bench, step, counted):
    places = range(1, bench.operations() + 1, step)
    for at in places:
        _try(bench, f"full from {at} on", full_disk_from(at))
    counted("disks full from one file operation on", len(places), of=bench.scenario.name)


def test_a_failed_download_leaves_the_installation_as_it_was(tool):
    bench = Bench(tool, SCENARIOS[0])
    tool = bench.reset()
    tool.net.down.add("https://")
    outcome = tool("install", "2.10.0")
    assert outcome.exit == 1
    assert "the release repository cannot be reached" in outcome.err
    assert tool("list").out == "2.9.0 (current)\n"
    assert tool.leftovers() == []
