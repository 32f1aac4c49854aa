"""`spacetimedb-standalone repair`: what is lost is said, what is kept is whole, and nothing damaged is thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacetimedb_paths.pidfile import DataDirInUse, PidFile
from spacetimedb_standalone.__main__ import main
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.repairing import Proposal, Repaired, repair
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.ports import ManualClock
from tests.standalone.care.made import NAME, SHORTENED, Made, contents, flip, made

pytestmark = pytest.mark.slow


def repaired(directory: Made) -> tuple[Repaired, str]:
    """What was done, and what had been said of it before."""
    said: list[str] = []

    def agreed(proposal: Proposal) -> bool:
        said.append(str(proposal))
        return True

    done = repair(directory.path, NAME, agreed, ManualClock())
    assert done is not None
    return done, said[0]


def state_of(directory: Made, done: Repaired) -> tuple[int, object]:
    return directory.state(int(done.replica.name))


def test_the_log_is_cut_at_the_damage(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 14)
    damaged = directory.segments[2]
    flip(damaged, 60)
    before = contents(Path(directory.replica))
    with pytest.raises(StorageError):
        directory.state()
    done, said = repaired(directory)
    first = int(damaged.name[:20])
    assert said == (
        f"the database will be as it was behind transaction {first - 1}; "
        f"transactions {first} to {directory.last} will be lost"
    )
    assert state_of(directory, done) == (first - 1, directory.states[first - 1])
    assert directory.damage(replay=True)[0].path == damaged, "the damaged files are still there"
    after = contents(done.aside)
    assert {path: after[path] for path in before if path.name != "db.lock"} == {
        path: before[path] for path in before if path.name != "db.lock"
    }
    assert (done.replica / "module_logs" / "2026-08-22.log").exists()


def test_a_snapshot_behind_the_damage_saves_the_state(tmp_path: Path) -> None:
    """The start wants to read what is in front of the damage, for there is no index that leads behind it."""
    directory = made(tmp_path / "data", 20, every=12)
    flip(directory.segments[0], 300)
    done, said = repaired(directory)
    assert said == (
        f"the database will be as it was behind transaction {directory.last}, so nothing of its state is lost, "
        "but its history is"
    )
    assert state_of(directory, done) == (directory.last, directory.states[directory.last])


def test_a_snapshot_alone_saves_the_state(tmp_path: Path) -> None:
    """The log has lost what the snapshot holds."""
    directory = made(tmp_path / "data", 20, every=20)
    for segment in directory.segments[3:]:
        segment.unlink()
    done, said = repaired(directory)
    assert f"behind transaction {directory.last}, so nothing of its state is lost" in said
    assert state_of(directory, done)[1] == directory.states[directory.last]


def test_a_shortened_log(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 33, every=9, settings=SHORTENED)
    damaged = next(segment for segment in reversed(directory.segments) if segment.stat().st_size > 60)
    first = int(damaged.name[:20])
    assert first > int(directory.snapshots[-1].name[:20]) + 1 and int(directory.segments[0].name[:20]) > 0
    flip(damaged, 40)
    done, _ = repaired(directory)
    assert state_of(directory, done) == (first - 1, directory.states[first - 1])


def test_an_end_that_cannot_be_known_is_said_to_be_open(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 14)
    last = directory.segments[-1]
    flip(last, 3)
    _, said = repaired(directory)
    assert said.endswith(f"transactions from {int(last.name[:20])} on will be lost")


def test_nothing_to_repair(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 5)
    before = contents(directory.path)
    with pytest.raises(CareError, match="there is nothing to repair"):
        repaired(directory)
    assert {path: data for path, (data, _) in contents(directory.path).items()} == {
        path: data for path, (data, _) in before.items()
    }


def test_nothing_that_can_be_kept(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 14, every=5, settings=SHORTENED)
    for snapshot in directory.snapshots:
        snapshot.unlink()
    with pytest.raises(CareError, match="no good snapshot holds what was before; restore it from a backup"):
        repaired(directory)


def test_not_while_a_server_runs(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 5)
    with PidFile.take(directory.place), pytest.raises(DataDirInUse):
        repaired(directory)


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_it_asks_first(
    tmp_path: Path,
    answer: str,
    status: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = made(tmp_path / "data", 14)
    flip(directory.segments[2], 60)

    def answered(question: str) -> str:
        print(question, end="")
        if not answer:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", answered)
    assert main(["repair", "--data-dir", str(directory.path), "--database", NAME]) == status
    shown = capsys.readouterr().out
    assert "will be lost" in shown and "Repair it? [y/N]" in shown
    assert ("Nothing was changed." in shown) is (status == 1)
    assert ("The damaged files are still in" in shown) is (status == 0)
    assert len(list((directory.path / "replicas").iterdir())) == (2 if status == 0 else 1)


def test_yes_is_an_answer_in_advance(tmp_path: Path) -> None:
    directory = made(tmp_path / "data", 14)
    flip(directory.segments[2], 60)
    assert main(["repair", "--data-dir", str(directory.path), "--database", NAME, "--yes"]) == 0


def test_a_repair_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = made(tmp_path / "data", 14)
    flip(directory.segments[2], 60)

    def refused(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spacetimedb_standalone.care.repairing.copy_module_logs", refused)
    with pytest.raises(OSError, match="No space left"):
        repaired(directory)
    assert [path.name for path in (directory.path / "replicas").iterdir()] == ["1"]
    monkeypatch.undo()
    assert repaired(directory)[0].aside.name == "1"
