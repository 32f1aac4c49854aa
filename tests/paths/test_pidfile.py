"""One server per data directory."""

import os
import subprocess
import sys

import pytest

from spacetimedb_paths.pidfile import DataDirError, DataDirInUse, PidFile
from spacetimedb_paths.server import ServerDataDir

HOLD = """
import sys
from pathlib import Path
from spacetimedb_paths.pidfile import PidFile
from spacetimedb_paths.server import ServerDataDir
held = PidFile.take(ServerDataDir(Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def data_dir(tmp_path):
    return ServerDataDir(tmp_path / "data")


@pytest.fixture
def other_process(data_dir):
    """Another process that holds the directory until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_file_holds_the_process_id_while_it_is_held(data_dir):
    path = data_dir.path / "spacetime.pid"
    with PidFile.take(data_dir):
        assert path.read_text() == str(os.getpid())
    assert not path.exists()


def test_releasing_twice_is_harmless(data_dir):
    held = PidFile.take(data_dir)
    held.release()
    held.release()
    PidFile.take(data_dir).release()


def test_a_second_taker_learns_who_has_it(data_dir, other_process):
    message = rf"already exists \(owned by pid Some\({other_process.pid}\)\)$"
    with pytest.raises(DataDirInUse, match=message) as raised:
        PidFile.take(data_dir)
    assert raised.value.pid == other_process.pid


def test_an_owner_whose_id_cannot_be_read(data_dir, other_process):
    (data_dir.path / "spacetime.pid").write_text("")
    with pytest.raises(DataDirInUse, match=r"owned by pid None\)$"):
        PidFile.take(data_dir)


def test_a_killed_owner_leaves_a_file_that_is_taken_over(data_dir, other_process):
    other_process.kill()
    other_process.wait()
    assert (data_dir.path / "spacetime.pid").exists()
    with PidFile.take(data_dir):
        assert (data_dir.path / "spacetime.pid").read_text() == str(os.getpid())


def test_a_longer_stale_id_leaves_no_digits_behind(data_dir):
    data_dir.create()
    (data_dir.path / "spacetime.pid").write_text("123456789012345\n")
    with PidFile.take(data_dir):
        assert (data_dir.path / "spacetime.pid").read_text() == str(os.getpid())


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataDirError, match=r"^error while taking database lock on spacetime\.pid: "):
        PidFile.take(ServerDataDir(tmp_path / "file" / "data"))
