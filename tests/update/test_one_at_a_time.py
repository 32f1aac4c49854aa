"""Two changes at once: the second waits, and says for whom. Two installers racing never break the tree."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from spacetimedb_update.changes.lock import locked

from .trouble import KILLED, Killer, in_a_process
from .world import Tool

pytestmark = pytest.mark.slow

RACES = 20


@pytest.fixture
def held(tool, tmp_path):
    """Another process holds the lock until it is told to let go."""
    go, ready = tmp_path / "go", tmp_path / "ready"
    child = os.fork()
    if child == 0:
        with locked(tool.site, tool.host, "spacetime version install 2.9.0"):
            ready.touch()
            while not go.exists():
                time.sleep(0.01)
        os._exit(0)
    _wait_for(ready)
    yield go, child
    go.touch()
    os.waitpid(child, 0)


def _wait_for(path: Path) -> None:
    until = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_second_process_waits_and_says_for_whom(tool, held, tmp_path):
    go, child = held
    said = tmp_path / "said"

    def second() -> int:
        class Listening(type(tool.host.terminal)):
            def err(self, text: str) -> None:
                said.with_suffix(".part").write_text(text)
                said.with_suffix(".part").rename(said)

        import io
        from dataclasses import replace

        terminal = Listening(io.StringIO(), io.StringIO(), io.StringIO())
        with locked(tool.site, replace(tool.host, terminal=terminal), "spacetime version upgrade"):
            return 0

    waiting = os.fork()
    if waiting == 0:
        os._exit(second())
    _wait_for(said)
    assert said.read_text() == f"Waiting for `spacetime version install 2.9.0` (process {child}) to finish …"
    assert os.waitpid(waiting, os.WNOHANG) == (0, 0)
    go.touch()
    assert os.waitstatus_to_exitcode(os.waitpid(waiting, 0)[1]) == 0


def test_looking_does_not_wait(tool, held):
    assert tool("list").exit == 0
    assert tool("doctor").exit == 1


def test_the_lock_of_a_killed_process_is_free(tool):
    tool.crash_points = Killer("locked", 1)
    assert in_a_process(lambda: tool("install", "2.9.0").exit) == KILLED
    tool.crash_points = Killer("nothing", 1)
    assert tool("install", "2.9.0").err == "Installing v2.9.0: done!\n"


def _race(tool: Tool, *commands: tuple[str, ...]) -> list[int]:
    tool.program()  # it is made once, not by each of them
    children = []
    for command in commands:
        child = os.fork()
        if child == 0:
            os._exit(tool(*command).exit)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_two_installers_racing_never_break_the_tree(tool, counted):
    finished = 0
    for number in range(RACES):
        if tool.root.exists():
            shutil.rmtree(tool.root)
        first = ("install", "2.10.0", "--use")
        second = (("install", "2.10.0", "--use"), ("install", "2.9.0", "--use"), ("upgrade",))[number % 3]
        assert _race(tool, first, second) == [0, 0]
        assert tool.current() in ("2.9.0", "2.10.0")
        assert tool.has_whole("2.10.0")
        assert number % 3 != 1 or tool.has_whole("2.9.0")
        assert tool.leftovers() == []
        finished += 1
    counted("races of two installers, the tree whole after each", finished)
