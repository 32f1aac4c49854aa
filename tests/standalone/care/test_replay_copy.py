"""`spacetimedb-standalone replay`: a new data directory with a database as it was behind any transaction."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from spacetimedb_paths.pidfile import PidFile
from spacetimedb_standalone.__main__ import main
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.replaying import replay
from spacetimedb_standalone.commitlog.format import SegmentHeader, encode_commit
from spacetimedb_standalone.control.reader import ControlReader
from spacetimedb_standalone.control.schema import open_control_db
from spacetimedb_standalone.ports import ManualClock
from tests.standalone.care.made import (
    IDENTITY,
    NAME,
    OWNER,
    PLAIN,
    SEALED,
    SHORTENED,
    Made,
    contents,
    flip,
    made,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("source") / "data", 14, every=6, settings=SEALED)


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Retention has removed the beginning of its log."""
    return made(tmp_path_factory.mktemp("source") / "data", 20, every=6, settings=SHORTENED)


def copied(source: Made, last: int | None, into: Path) -> Made:
    replay(source.path, NAME, last, into, ManualClock())
    return Made(into)


@pytest.mark.parametrize("last", [0, 1, 7, 8, 13, None])
def test_the_copy_is_as_the_database_was(directory: Made, tmp_path: Path, last: int | None) -> None:
    before = contents(directory.path)
    copy = copied(directory, last, tmp_path / "copy")
    assert contents(directory.path) == before
    wanted = directory.last if last is None else last
    assert copy.state() == (wanted, directory.states[wanted])
    assert copy.damage(replay=True) == []


def test_the_copy_is_a_data_directory_like_any_other(directory: Made, tmp_path: Path) -> None:
    copy = copied(directory, 3, tmp_path / "copy")
    with closing(open_control_db(copy.place.control_db().path)) as connection:
        reader = ControlReader(connection)
        (database,) = reader.databases()
        assert (database.identity, database.owner) == (IDENTITY, OWNER)
        assert reader.names_of(IDENTITY) == [NAME] and reader.owner_of_name(NAME) == OWNER
        assert reader.replica_of(database) is not None
    assert copy.place.metadata_toml().read() == directory.place.metadata_toml().read()
    assert copy.place.config_toml().read() == directory.place.config_toml().read()


def test_a_shortened_log_is_replayed_from_a_snapshot(shortened: Made, tmp_path: Path) -> None:
    first, oldest = int(shortened.segments[0].name[:20]), int(shortened.snapshots[0].name[:20])
    assert 0 < first <= oldest < shortened.last
    for last in range(oldest, shortened.last + 1):
        copy = copied(shortened, last, tmp_path / f"copy{last}")
        assert copy.state() == (last, shortened.states[last])
        assert len(copy.snapshots) == 1 and copy.damage() == []


@pytest.mark.parametrize("last", [0, 3])
def test_what_is_no_longer_there_is_said_with_what_is(shortened: Made, tmp_path: Path, last: int) -> None:
    oldest = int(shortened.snapshots[0].name[:20])
    there = f"the log reaches transactions {oldest} to {shortened.last}"
    with pytest.raises(CareError, match=f"behind transaction {last} cannot be had: {there}"):
        copied(shortened, last, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_the_future_cannot_be_had(directory: Made, tmp_path: Path) -> None:
    with pytest.raises(CareError, match=f"the log reaches transactions 0 to {directory.last}"):
        copied(directory, directory.last + 1, tmp_path / "copy")


def test_a_copy_can_be_made_beside_a_running_server(directory: Made, tmp_path: Path) -> None:
    with PidFile.take(directory.place):
        assert copied(directory, 5, tmp_path / "copy").state() == (5, directory.states[5])


def test_damage_behind_the_transaction_does_not_matter(tmp_path: Path) -> None:
    source = made(tmp_path / "data", 14)
    damaged = source.segments[2]
    flip(damaged, 60)
    first = int(damaged.name[:20])
    assert copied(source, first - 1, tmp_path / "copy").state() == (first - 1, source.states[first - 1])
    with pytest.raises(CareError, match=f"the log reaches transactions 0 to {first - 1}$"):
        copied(source, first, tmp_path / "other")


def test_commits_of_several_transactions_stay_whole(tmp_path: Path) -> None:
    """Other servers may write such; ours never does."""
    source = made(tmp_path / "data", 1)
    segment = source.segments[0]
    assert segment.read_bytes().startswith(SegmentHeader(1, 0).encode())
    for path in source.segments[1:]:
        path.unlink()
    end = 1 if len(source.segments) == 1 else 2
    nothing = b"\x20\0\0\0"
    segment.write_bytes(segment.read_bytes() + encode_commit(end, 0, 3, nothing * 3))
    with pytest.raises(CareError, match=f"transactions {end} to {end + 2} are one commit"):
        copied(source, end + 1, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert copied(source, end + 2, tmp_path / "copy").state()[0] == end + 2


# --- the command


def test_the_command(directory: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = tmp_path / "copy"
    arguments = ["replay", "--data-dir", str(directory.path), "--into", str(into), "--to-offset", "4"]
    assert main([*arguments, "--database", IDENTITY.hex()]) == 0
    shown = capsys.readouterr().out
    assert "as it was behind transaction 4, with " in shown
    assert shown.endswith(f"Start it with: spacetime start --data-dir {into}\n")
    assert main([*arguments, "--database", NAME]) == 1
    assert capsys.readouterr().err == (
        f"Error: {into} is there already: say with --into a directory that is not\n"
    )


def test_a_database_that_is_not_there(
    directory: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = str(tmp_path / "copy")
    arguments = ["replay", "--data-dir", str(directory.path), "--into", into, "--database", "chat"]
    assert main(arguments) == 1
    known = f"there are {NAME} ({IDENTITY.hex()})"
    assert capsys.readouterr().err == f"Error: no database is called 'chat' in {directory.path}: {known}\n"


def test_no_data_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "nothing"
    arguments = ["replay", "--data-dir", str(missing), "--into", str(tmp_path / "copy"), "--database", "chat"]
    assert main(arguments) == 1
    assert "there is no control state in" in capsys.readouterr().err


@pytest.mark.parametrize("offset", ["-1", "x", str(1 << 64), "1.5"])
def test_offsets_are_numbers(offset: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["replay", "--data-dir", "d", "--into", "i", "--database", "chat", f"--to-offset={offset}"]
    assert main(arguments) == 2
    assert "is no transaction offset" in capsys.readouterr().err


def test_settings_of_the_source_hold_in_the_copy(tmp_path: Path) -> None:
    source = made(tmp_path / "data", 2, settings=PLAIN)
    source.place.config_toml().write("[commitlog]\nretention = false\n")
    assert b"retention = false" in copied(source, None, tmp_path / "copy").place.config_toml().read()
