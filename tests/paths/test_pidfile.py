"""One server per data directory."""

import os
import subprocess
import sys

import pytest

from spacetimedb_paths import pidfile
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


# --- somebody looks whether it is held


class Waiting:
    """The clock of a taker; `then` happens at its first pause."""

    def __init__(self, then=lambda: None):
        self.now, self.pauses, self._then = 0.0, 0, then

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.pauses += 1
        if self.pauses == 1:
            self._then()


@pytest.fixture
def looked_at(data_dir):
    """The lock that `doctor` holds for a moment."""
    fcntl = pytest.importorskip("fcntl")
    data_dir.create()
    path = data_dir.path / "spacetime.pid"
    path.write_text("")
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file


def test_a_look_does_not_keep_a_server_from_starting(data_dir, looked_at, monkeypatch):
    clock = Waiting(then=looked_at.close)
    monkeypatch.setattr(pidfile, "time", clock)
    with PidFile.take(data_dir):
        assert clock.pauses == 1


def test_a_taker_does_not_wait_for_long(data_dir, looked_at, monkeypatch):
    clock = Waiting()
    monkeypatch.setattr(pidfile, "time", clock)
    with pytest.raises(DataDirInUse):
        PidFile.take(data_dir)
    assert 0.2 <= clock.now < 0.3
