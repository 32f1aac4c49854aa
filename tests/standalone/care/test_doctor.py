"""`spacetimedb-standalone doctor`: what it finds in a data directory, where, and what it says to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from spacetimedb_paths.pidfile import PidFile
from spacetimedb_standalone.__main__ import main
from spacetimedb_standalone.care.doctor import diagnose
from spacetimedb_standalone.care.findings import Finding, Severity
from spacetimedb_standalone.commitlog import read_commits, torn_tail
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.config.stamp import Version, stamp_data_dir
from spacetimedb_standalone.ports import DiskFiles
from tests.standalone.care.made import IDENTITY, SEALED, SHORTENED, Made, contents, flip, made


@pytest.fixture
def directory(tmp_path: Path) -> Made:
    return made(tmp_path / "data", 12)


@pytest.fixture
def shortened(tmp_path: Path) -> Made:
    """Its log begins behind transaction 0, so that it needs its snapshots."""
    directory = made(tmp_path / "data", 20, every=6, settings=SHORTENED)
    assert int(directory.segments[0].name[:20]) > 0
    return directory


def findings(directory: Made, *, replay: bool = False) -> list[Finding]:
    return diagnose(directory.path, replay=replay).findings.found


# --- a sound directory


@pytest.mark.parametrize("settings", [SEALED, SHORTENED], ids=["all of its log", "shortened by retention"])
def test_a_sound_directory(tmp_path: Path, settings: object, capsys: pytest.CaptureFixture[str]) -> None:
    directory = made(tmp_path / "data", 20, every=6, settings=settings)  # type: ignore[arg-type]
    assert findings(directory, replay=True) == []
    assert main(["doctor", "--data-dir", str(directory.path)]) == 0
    shown = capsys.readouterr().out
    assert shown.endswith("No damage was found.\n")
    for thing in (
        "1 database",
        "1 program",
        "1 replica",
        "2 snapshots",
        "1 module log",
        "segments",
        "commits",
    ):
        assert thing in shown


def test_nothing_is_written_whatever_is_found(directory: Made) -> None:
    with sqlite3.connect(directory.place.control_db().path / "control.sqlite3") as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE counter SET next_id = 70")
        connection.commit()
        flip(directory.segments[1], 100)
        before = contents(directory.path)
        assert any(path.name.endswith("-wal") for path in before), "as a crashed server leaves it"
        for replay in (False, True):
            diagnose(directory.path, replay=replay)
        assert contents(directory.path) == before


def test_a_medium_that_allows_no_writing_will_do(directory: Made) -> None:
    paths = [directory.path, *directory.path.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert findings(directory) == []
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_server_may_be_running(directory: Made) -> None:
    with PidFile.take(directory.place):
        diagnosis = diagnose(directory.path)
    assert diagnosis.server is not None and diagnosis.server.isdigit()
    (note,) = diagnosis.findings.found
    assert (note.severity, note.what) == (Severity.NOTE, "a server is running on this directory")


# --- the log


def test_damage_inside_the_log(directory: Made, capsys: pytest.CaptureFixture[str]) -> None:
    segment = directory.segments[1]
    flip(segment, 100)
    (finding,) = directory.damage()
    assert (finding.path, finding.position) == (segment, 10)
    first = int(segment.name[:20])
    assert str(finding.transactions) == f"transaction {first}"
    assert "restore the file from a backup" in finding.advice and "spacetime repair" in finding.advice
    assert main(["doctor", "--data-dir", str(directory.path)]) == 3
    shown = capsys.readouterr().out
    assert f"damage: replicas/1/clog/{segment.name}, byte 10, transaction {first}\n" in shown
    assert shown.endswith("Damage was found in 1 place.\n")


def test_damage_that_a_snapshot_covers(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 20, every=12, settings=SEALED)
    flip(directory.segments[0], 300)
    (finding,) = directory.damage()
    assert finding.path == directory.segments[0]
    assert "a good snapshot holds what these transactions did, and the database starts" in finding.advice
    assert directory.state() == (directory.last, directory.states[directory.last])


def test_a_missing_segment(directory: Made) -> None:
    before, missing, behind = directory.segments[:3]
    missing.unlink()
    (finding,) = directory.damage()
    assert (finding.path, finding.position) == (before, before.stat().st_size)
    first, last = int(missing.name[:20]), int(behind.name[:20]) - 1
    assert finding.transactions is not None
    assert (finding.transactions.first, finding.transactions.last) == (first, last)


def test_a_torn_end_is_no_damage(directory: Made) -> None:
    segment = directory.segments[-1]
    whole = segment.stat().st_size
    segment.write_bytes(segment.read_bytes() + encode_commit(directory.last + 1, 0, 1, bytes(300))[:200])
    (finding,) = findings(directory)
    assert (finding.severity, finding.path, finding.position) == (Severity.WARNING, segment, whole)
    assert str(finding.transactions) == f"transactions from {directory.last + 1} on"
    assert "the next start cuts it off" in finding.advice


def test_an_end_that_was_durable_is_not_called_torn(directory: Made) -> None:
    """The offset index knows: it gets its entries after a sync."""
    segment = directory.segments[-1]
    segment.write_bytes(segment.read_bytes()[:-3])
    (finding,) = directory.damage()
    assert f"says that transaction {directory.last} was durable" in finding.what and finding.path == segment


def test_a_torn_end_that_was_healed_long_ago(directory: Made) -> None:
    segment = directory.segments[-1]
    segment.write_bytes(segment.read_bytes() + b"\1" * 40)
    directory.state()  # a start goes on in a new segment, named by the next transaction
    assert (directory.log / f"{directory.last + 1:020}.stdb.log").exists()
    (finding,) = findings(directory)
    assert finding.severity is Severity.NOTE and "continued by the next segment" in finding.what


def test_a_wrong_index(directory: Made) -> None:
    index = next(path for path in sorted(directory.log.glob("*.ofs")) if any(path.read_bytes()))
    flip(index, 9)
    (finding,) = findings(directory)
    assert finding.severity is Severity.WARNING and (finding.path, finding.position) == (index, 0)
    assert "delete it" in finding.advice
    index.unlink()
    assert findings(directory) == []


def test_a_log_without_its_snapshots(shortened: Made) -> None:
    for snapshot in shortened.snapshots:
        snapshot.unlink()
    (finding,) = shortened.damage()
    assert finding.path == shortened.log and "no good snapshot holds what was before" in finding.what
    assert str(finding.transactions) == f"transactions 0 to {int(shortened.segments[0].name[:20]) - 1}"


def test_a_log_that_lost_its_end(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 20, every=20)
    *_, last = directory.segments
    last.unlink()
    (finding,) = directory.damage()
    assert f"{directory.snapshots[-1].name} shows that more was durable" in finding.what
    assert finding.transactions is not None and finding.transactions.last == directory.last


def test_an_old_version_cannot_be_continued(directory: Made) -> None:
    for segment in directory.segments[1:]:
        segment.unlink()
    segment = directory.segments[0]
    segment.write_bytes(b"(ds)^2\0\0\0\0")
    (finding,) = [f for f in findings(directory) if f.path == segment]
    assert "version 0, which is read but not written" in finding.what and "import-data" in finding.advice


# --- snapshots


def test_a_damaged_snapshot(shortened: Made) -> None:
    _, newest = shortened.snapshots
    flip(newest, newest.stat().st_size // 2)
    (finding,) = shortened.damage()
    assert finding.path == newest and 0 < (finding.position or 0) <= newest.stat().st_size // 2
    assert "the next start puts it aside" in finding.advice
    assert shortened.state() == (shortened.last, shortened.states[shortened.last])
    (left,) = findings(shortened)
    assert left.severity is Severity.WARNING and left.path.name == newest.name + ".invalid"


def test_a_snapshot_under_another_name(shortened: Made) -> None:
    newest = shortened.snapshots[-1]
    newest.rename(newest.with_name(f"{1:020}.stdb.snap"))
    finding = next(finding for finding in shortened.damage() if finding.path.suffix == ".snap")
    assert "its name says transaction 1" in finding.what


def test_a_snapshot_of_another_database(tmp_path: Path, shortened: Made) -> None:
    with sqlite3.connect(shortened.place.control_db().path / "control.sqlite3") as connection:
        connection.execute("UPDATE database SET identity = ?", (bytes(31) + b"\7",))
    what = {finding.what for finding in shortened.damage()}
    assert f"it is of another database, {IDENTITY.hex()}" in what


# --- everything else


def damaged_program(directory: Made) -> Path:
    (program,) = directory.place.program_bytes().path.glob("*/*")
    flip(program, 0)
    return program


def damaged_control_state(directory: Made) -> Path:
    path = directory.place.control_db().path / "control.sqlite3"
    data = bytearray(path.read_bytes())
    data[4096 : 2 * 4096] = bytes(4096)
    path.write_bytes(data)
    return path


def missing_control_state(directory: Made) -> Path:
    path = directory.place.control_db().path / "control.sqlite3"
    path.unlink()
    return path


def newer_control_state(directory: Made) -> Path:
    path = directory.place.control_db().path / "control.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    return path


def unreadable_stamp(directory: Made) -> Path:
    directory.place.metadata_toml().write("version = 2.10")
    return directory.place.metadata_toml().path


def wrong_setting(directory: Made) -> Path:
    directory.place.config_toml().write("[commitlog]\nmax-segment-size = 0\n")
    return directory.place.config_toml().path


@pytest.mark.parametrize(
    "harm",
    [
        damaged_program,
        damaged_control_state,
        missing_control_state,
        newer_control_state,
        unreadable_stamp,
        wrong_setting,
    ],
)
def test_other_damage(directory: Made, harm: Callable[[Made], Path]) -> None:
    path = harm(directory)
    (finding,) = directory.damage()
    assert finding.path == path and finding.what and finding.advice


def test_what_is_only_worth_a_look(directory: Made) -> None:
    Path(directory.place.pid_file()).write_text("12345")
    (directory.path / "replicas" / "9" / "clog").mkdir(parents=True)
    logs = Path(directory.replica.module_logs()) / "2026-08-22.log"
    logs.write_text('{"message":"hi"}\nbroken\n{"message":"cut of')
    (Path(directory.replica) / "notes.txt").touch()
    directory.place.metadata_toml().path.unlink()
    Path(directory.replica.snapshots()).mkdir()
    (Path(directory.replica.snapshots()) / f"{5:020}.stdb.snap.tmp").touch()
    (directory.log / f"{99:020}.stdb.log.torn").touch()
    said = {finding.path.name: finding for finding in findings(directory)}
    assert not any(finding.severity is Severity.DAMAGE for finding in said.values())
    assert "left by process '12345'" in said["spacetime.pid"].what
    assert "no database has this replica" in said["9"].what
    assert said["2026-08-22.log"].what == "line 2 is no JSON" and said["2026-08-22.log"].position == 17
    assert said["notes.txt"].what == "not a file of the server"
    assert "the next start writes it" in said["metadata.toml"].advice
    assert "never finished" in said[f"{5:020}.stdb.snap.tmp"].what
    assert "torn commit" in said[f"{99:020}.stdb.log.torn"].what


def test_a_database_without_its_directory(directory: Made) -> None:
    Path(directory.replica).rename(directory.path / "elsewhere")
    (finding,) = findings(directory)
    assert finding.severity is Severity.WARNING and str(IDENTITY) in finding.what


def an_empty_segment(log: Path) -> None:
    for segment in log.glob("*.stdb.log"):
        segment.write_bytes(segment.read_bytes()[:10] if int(segment.name[:20]) == 0 else b"")


def no_segment(log: Path) -> None:
    for segment in log.glob("*.stdb.log"):
        segment.unlink()


@pytest.mark.parametrize("lose", [an_empty_segment, no_segment, shutil.rmtree])
def test_a_log_that_has_lost_everything(directory: Made, lose: Callable[[Path], None]) -> None:
    """A start would take the database for a new one; but it was made with a transaction, which is missing."""
    lose(directory.log)
    assert any(
        finding.path == directory.log and "has lost all of its transactions" in finding.what
        for finding in directory.damage()
    )


def test_what_cannot_be_read_keeps_nothing_else_from_being_checked(directory: Made) -> None:
    """Another database's log, for one."""
    shutil.copytree(directory.replica, directory.path / "replicas" / "2")
    log = Path(directory.place.replica(2).commit_log())
    flip(directory.segments[1], 100)
    shutil.rmtree(log)
    log.write_text("a file in the place of a directory")
    said = {finding.path: finding for finding in directory.damage()}
    assert said.keys() == {log, directory.segments[1]}
    assert said[log].what.startswith("it cannot be read: Not a directory")


def test_a_search_that_was_given_up(directory: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said that more might be there."""
    monkeypatch.setattr(torn_tail, "MOST_READ", 50)
    segment = directory.segments[1]
    first = int(segment.name[:20])
    fake = encode_commit(first + 1, 0, 1, bytes(100))[:-1] + b"?"
    data = bytearray(segment.read_bytes())
    data[50] ^= 1
    segment.write_bytes(data[:10] + data[10:60] + fake + data[60:])
    warnings = [finding for finding in findings(directory) if finding.severity is Severity.WARNING]
    assert any("was given up" in finding.what and finding.position == 10 for finding in warnings)


def test_a_directory_of_a_newer_server(directory: Made) -> None:
    directory.place.metadata_toml().path.unlink()
    stamp_data_dir(directory.place.metadata_toml(), Version.parse("9.0.0"))
    (finding,) = findings(directory)
    assert "newer, incompatible" in finding.what and "start the server that wrote" in finding.advice


def test_rows_that_make_no_state_are_found_by_replaying(directory: Made) -> None:
    """Their checksums hold: a commit was taken out, and all that follow were numbered anew."""
    commits = list(read_commits(DiskFiles(), directory.log))
    for path in directory.segments[1:]:
        path.unlink()
    header = directory.segments[0].read_bytes()[:10]
    kept = [commit for commit in commits if commit.min_tx_offset != 0]
    body = b"".join(encode_commit(number, 0, 1, commit.records) for number, commit in enumerate(kept))
    directory.segments[0].write_bytes(header + body)
    for index in directory.log.glob("*.ofs"):
        index.unlink()
    assert directory.damage() == []
    (finding,) = directory.damage(replay=True)
    assert "it makes no state" in finding.what


# --- the command


def test_the_json_form(directory: Made, capsys: pytest.CaptureFixture[str]) -> None:
    segment = directory.segments[1]
    flip(segment, 100)
    assert main(["doctor", "--data-dir", str(directory.path), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    first = int(segment.name[:20])
    assert document["sound"] is False and document["server"] is None
    assert document["checked"]["segments"] == len(directory.segments)
    (finding,) = document["findings"]
    assert {name: finding[name] for name in ("severity", "file", "position")} == {
        "severity": "damage",
        "file": str(segment),
        "position": 10,
    }
    assert (finding["first_transaction"], finding["last_transaction"]) == (first, first)


@pytest.mark.parametrize("there", [False, True])
def test_no_data_directory(tmp_path: Path, there: bool, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nothing"
    if there:
        path.mkdir()
    assert main(["doctor", "--data-dir", str(path)]) == 1
    assert capsys.readouterr().err.startswith("Error: ")
