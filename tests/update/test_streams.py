"""Standard streams that are closed, full or left by their reader: an exit code and at most a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


def run(root, redirection, *arguments):
    """The version manager as a process of its own, started by a shell with `redirection`."""
    return subprocess.run(
        [
            *("sh", "-c", f'"$@" {redirection}', "sh"),
            *(sys.executable, "-m", "spacetimedb_update", "--root-dir", str(root), *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def two(installed):
    installed("2.9.0", "2.10.0")("list")
    return installed().root


def test_nobody_answers_on_a_closed_standard_input(two):
    done = run(two, "<&-", "version", "uninstall", "2.9.0")
    assert done.returncode == 1
    assert "nobody answered, so nothing was changed: --yes goes on without asking" in done.stderr


def test_closed_output_is_no_reason_not_to_do_it(two):
    assert run(two, "<&- >&- 2>&-", "version", "use", "2.9.0").returncode == 0
    assert (two / "bin" / "current").readlink() == Path("2.9.0")
    assert run(two, ">&-", "version", "list").returncode == 0
    assert run(two, "2>&-", "version", "use", "3.0.0").returncode == 1


def test_nothing_that_is_printed_gets_into_a_file_that_took_the_number_of_a_closed_stream(two):
    run(two, "<&- >&- 2>&-", "version", "use", "3.0.0")
    assert (two / "update" / "lock").read_bytes() == b""


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("command", [("version", "list"), ("version", "--help")])
def test_output_that_is_not_taken_is_told_once(two, command):
    done = run(two, f">{FULL}", *command)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: the output cannot be written (No space left on device)")


def test_a_reader_that_has_left_is_no_trouble_to_tell(two):
    done = run(two, "| true", "version", "list", "--json")
    assert done.stderr == ""
