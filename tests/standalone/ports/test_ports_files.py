"""The port `Files`: real and pretended file system behave alike, and the pretended one loses power."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from spacetimedb_standalone.ports import (
    CrashPoint,
    DiskFiles,
    FileLocked,
    Files,
    ManualClock,
    MemoryFiles,
    PowerLoss,
    SeededRandom,
    SystemClock,
    SystemRandom,
    write_replacing,
)


@pytest.fixture(params=[DiskFiles, MemoryFiles])
def files(request: pytest.FixtureRequest) -> Files:
    return request.param()


def test_a_file_is_appended_read_and_cut(files: Files, tmp_path: Path) -> None:
    file = files.open(tmp_path / "a", create=True)
    file.append(b"hello ")
    file.append(memoryview(b"world"))
    assert (file.size(), file.read_at(6, 100), file.read_at(11, 1)) == (11, b"world", b"")
    file.truncate(5)
    file.append(b"!")
    file.write_at(0, b"H")
    file.sync_data()
    assert file.read_at(0, 10) == b"Hello!"
    file.truncate(8)
    assert file.read_at(6, 10) == b"\0\0"
    file.append(b".")
    assert file.size() == 9
    file.close()


def test_names_are_those_of_the_directory(files: Files, tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "er"
    assert files.names(directory) == []
    files.make_directory(directory)
    files.make_directory(directory)
    write_replacing(files, directory / "a", b"1")
    write_replacing(files, directory / "b", b"2")
    write_replacing(files, directory / "a", b"3")
    assert sorted(files.names(directory)) == ["a", "b"]
    files.remove(directory / "b")
    assert files.names(directory) == ["a"]
    assert files.open(directory / "a").read_at(0, 9) == b"3"
    with pytest.raises(FileNotFoundError):
        files.open(directory / "b")
    with pytest.raises(FileNotFoundError):
        files.remove(directory / "b")


def test_a_lock_is_held_once_and_says_by_whom(files: Files, tmp_path: Path) -> None:
    lock = files.lock(tmp_path / "lock")
    lock.write("me")
    with pytest.raises(FileLocked, match="existing contents: 'me'"):
        files.lock(tmp_path / "lock")
    lock.release()
    files.lock(tmp_path / "lock").release()


@pytest.mark.parametrize("point", [CrashPoint.REPLACING_WRITTEN, CrashPoint.REPLACING_RENAMED])
def test_a_replaced_file_is_old_or_new_after_a_crash(point: CrashPoint) -> None:
    path, outcomes = Path("/d/f"), set()
    for seed in range(20):
        files = MemoryFiles()
        write_replacing(files, path, b"old")
        files.lose_power_at(point)
        with pytest.raises(PowerLoss):
            write_replacing(files, path, b"new")
        files.crash(random.Random(seed))
        outcomes.add(files.read(path))
    assert outcomes == ({b"old"} if point is CrashPoint.REPLACING_WRITTEN else {b"old", b"new"})


def test_a_crash_keeps_what_was_synced_and_tears_the_rest_by_sectors() -> None:
    lengths, torn = set(), set()
    for seed in range(50):
        files = MemoryFiles()
        write_replacing(files, Path("/f"), b"s" * 700)
        file = files.open(Path("/f"))
        file.append(b"u" * 2000)
        files.crash(random.Random(seed))
        data = files.read(Path("/f"))
        assert data[:700] == b"s" * 700
        assert set(data[700:]) <= {0, ord("u")}
        lengths.add(len(data))
        torn.add(b"\0u" in data)
        with pytest.raises(PowerLoss):
            file.append(b"from the grave")
    assert {700, 2700} < lengths and torn == {True, False}


def test_an_unsynced_name_may_be_lost_with_its_file() -> None:
    there = set()
    for seed in range(20):
        files = MemoryFiles()
        files.open(Path("/d/new"), create=True).sync_data()
        files.crash(random.Random(seed))
        there.add("new" in files.names(Path("/d")))
    assert there == {True, False}


def test_clocks_and_randomness() -> None:
    clock = ManualClock(5)
    clock.advance(2_000_000)
    assert (clock.now(), clock.monotonic()) == (2_000_005, 2.0)
    assert SystemClock().now() > 1_700_000_000_000_000
    assert SystemClock().monotonic() <= SystemClock().monotonic()
    assert SeededRandom(1).bytes(8) == SeededRandom(1).bytes(8) != SeededRandom(2).bytes(8)
    assert len(SystemRandom().bytes(16)) == 16


def test_a_directory_is_durable_even_if_it_was_made_by_somebody_who_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, synced = DiskFiles(), list[Path]()
    monkeypatch.setattr(files, "sync_directory", synced.append)
    (tmp_path / "made").mkdir()
    files.make_directory(tmp_path / "made")
    files.make_directory(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path, tmp_path / "a"]
    assert (tmp_path / "a" / "b").is_dir()
