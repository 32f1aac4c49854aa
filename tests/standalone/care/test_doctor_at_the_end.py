"""Where a log ends: every torn end is told, however little there is of its last commit, and an end that was durable is
called damage however cleanly the log ends in front of it.

What tells the two apart is the offset index, which gets its entries after a sync. No loss of power leaves an entry for
a commit that it took away: that is tried on every disk that one may leave. An index that is wrong elsewhere as well is
no witness; then both possibilities are named.
"""

from __future__ import annotations

import random
import struct
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from spacetimedb_standalone.__main__ import main
from spacetimedb_standalone.care.breaks import BreakKind
from spacetimedb_standalone.care.findings import Finding, Severity
from spacetimedb_standalone.care.log_survey import survey_log
from spacetimedb_standalone.care.stretches import LogSurvey
from spacetimedb_standalone.commitlog.format import SEGMENT_HEADER_SIZE
from spacetimedb_standalone.commitlog.offset_index import index_path
from spacetimedb_standalone.commitlog.reader import SegmentFile, list_segments
from spacetimedb_standalone.commitlog.sealing import seal
from spacetimedb_standalone.commitlog.writer import LogWriter
from spacetimedb_standalone.ports import DiskFiles
from tests.durability.losses import losses
from tests.durability.recording import Contents, Medium, disk_with
from tests.durability.test_power_loss_of_the_log import DIRECTORY, Clients, History, record
from tests.examples import BASE
from tests.standalone.care.made import NAME, Made, contents, made
from tests.standalone.care.test_doctor_agrees_with_start import (
    LOG,
    PLAIN,
    Example,
    commits,
    examined,
    example,
    started,
)

pytestmark = pytest.mark.slow

HEAD = 22
"""Bytes of a commit in front of its records. With fewer, the walk through a segment ends as at the end of the file."""
ENTRY = struct.Struct("<QQ")


@cache
def some_example() -> Example:
    """A log of several segments; the newest holds several commits, and its index knows the last one."""
    for changes in count(14):
        whole = example(PLAIN, changes, 0)
        files = whole.on_disk()
        newest = list_segments(files, LOG)[-1]
        there = commits(files, newest)
        indexed = there and ENTRY.pack(there[-1][1], there[-1][0]) in files.read(index_path(newest.path))
        if len(there) > 1 and indexed:
            return whole
    raise AssertionError("there is always a longer one")


class Ending:
    """The end of that log, to be changed."""

    def __init__(self) -> None:
        self.whole = some_example()
        self.files = self.whole.on_disk()
        self.newest = list_segments(self.files, LOG)[-1]
        self.index = index_path(self.newest.path)
        self.position, self.last = commits(self.files, self.newest)[-1]

    def index_has(self, entries: list[tuple[int, int]]) -> None:
        self.files.put(self.index, b"".join(ENTRY.pack(*entry) for entry in entries))

    def cut(self, left: int) -> None:
        """So many bytes are left of the last commit."""
        self.files.put(self.newest.path, self.whole.files[self.newest.path][: self.position + left])

    def found(self) -> list[Finding]:
        """What a check says; a start goes on without the last transaction either way."""
        found = examined(self.files).found
        start = started(self.files)
        assert start is not None and start[0] == self.last - 1
        return found


@pytest.mark.parametrize("left", [1, 5, HEAD - 1, HEAD, 25])
def test_a_torn_end_is_told_however_short_it_is(left: int) -> None:
    end = Ending()
    end.index_has([])
    end.cut(left)
    (finding,) = end.found()
    assert (finding.severity, finding.path, finding.position) == (
        Severity.WARNING,
        end.newest.path,
        end.position,
    )
    assert str(finding.transactions) == f"transactions from {end.last} on"
    assert "the next start cuts it off" in finding.advice


def test_a_torn_end_behind_a_header_is_told() -> None:
    end = Ending()
    end.index_has([])
    end.files.put(end.newest.path, end.whole.files[end.newest.path][: SEGMENT_HEADER_SIZE + 3])
    (finding,) = examined(end.files).found
    assert (finding.severity, finding.position) == (Severity.WARNING, SEGMENT_HEADER_SIZE)


@pytest.mark.parametrize("left", [0, 1, HEAD - 1, HEAD, 25])
def test_an_index_that_knows_of_more_proves_a_loss(left: int) -> None:
    """It is not said in the same breath that nothing was acknowledged, or that the index may go."""
    end = Ending()
    end.cut(left)
    (finding,) = end.found()
    assert (finding.severity, finding.path, finding.position) == (
        Severity.DAMAGE,
        end.newest.path,
        end.position,
    )
    assert f"says that transaction {end.last} was durable" in finding.what
    assert str(finding.transactions) == f"transactions from {end.last} on"
    assert "from a backup before the next start" in finding.advice and "delete" not in finding.advice


@pytest.mark.parametrize("left", [5, SEGMENT_HEADER_SIZE])
def test_it_proves_that_a_segment_was_more_than_a_header(left: int) -> None:
    end = Ending()
    end.files.put(end.newest.path, end.whole.files[end.newest.path][:left])
    (finding,) = examined(end.files).found
    assert finding.severity is Severity.DAMAGE and f"transaction {end.last} was durable" in finding.what


def test_nothing_tells_that_a_log_was_longer_if_no_index_knows() -> None:
    end = Ending()
    end.index_has([])
    end.cut(0)
    assert examined(end.files).found == []


@pytest.mark.parametrize("left", [0, 1, HEAD])
@pytest.mark.parametrize("wrong", ["an entry in front", "entries out of order"])
def test_an_index_that_is_wrong_elsewhere_is_no_witness(left: int, wrong: str) -> None:
    end = Ending()
    behind = (end.last, end.position)
    end.index_has([(1, 11), behind] if wrong == "an entry in front" else [behind, (end.last - 1, 11)])
    end.cut(left)
    *torn, index = end.found()
    assert all("commit that is not whole" in finding.what for finding in torn) and len(torn) == bool(left)
    assert (index.severity, index.path) == (Severity.WARNING, end.index)
    assert "Either only the index is damaged, or the log has lost its end" in index.what
    assert "see whether a backup has more of the log" in index.advice and "delete" not in index.advice


def test_a_bit_that_changes_in_an_index_says_nothing_of_the_end() -> None:
    """Of its entries, and of the room behind them."""
    end = Ending()
    index = end.files.read(end.index)
    used = sum(transaction > 0 for transaction, _ in ENTRY.iter_unpack(index))
    for bit in range((used + 1) * ENTRY.size * 8):
        changed = bytearray(index)
        changed[bit // 8] ^= 1 << bit % 8
        end.files.put(end.index, bytes(changed))
        for finding in examined(end.files).found:
            assert finding.severity is Severity.WARNING and "lost its end" not in finding.what, bit


def test_nor_does_an_entry_that_points_into_the_last_commit() -> None:
    end = Ending()
    end.index_has([(end.last + 1, end.position + 1)])
    (finding,) = examined(end.files).found
    assert (finding.severity, finding.path) == (Severity.WARNING, end.index) and "delete it" in finding.advice


def test_nor_does_an_older_index() -> None:
    end = Ending()
    oldest = index_path(list_segments(end.files, LOG)[0].path)
    end.files.put(oldest, ENTRY.pack(end.last + 1, 1 << 20))
    (finding,) = examined(end.files).found
    assert finding.path == oldest and "delete it" in finding.advice


def test_a_sealed_segment_is_never_torn() -> None:
    """It was whole when it was compressed."""
    end = Ending()
    part = end.whole.files[end.newest.path][: end.position]
    end.files.put(end.newest.path, part)
    end.index_has([])
    assert seal(end.files, SegmentFile(end.newest.offset, end.newest.path), end.last) is not None
    assert examined(end.files).found == []
    end.cut(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "spacetimedb_standalone.commitlog.sealing._sound_length", lambda plain, *_: plain.source.size()
        )
        seal(end.files, SegmentFile(end.newest.offset, end.newest.path), end.last)
    (finding,) = examined(end.files).found
    assert finding.severity is Severity.DAMAGE and "1 of 22 bytes are there" in finding.what


# --- what a loss of power leaves


Surveys = dict[int, tuple[LogSurvey, int]]
"""Of each disk, and the transaction before which segments may be missing."""


def survey_every_loss(
    history: History, choice: random.Random, surveys: Surveys
) -> list[tuple[Contents, Clients]]:
    """Also returns the disks, with what clients know."""
    medium, disks = Medium(), []
    for number, operation in enumerate(history.files.operations):
        medium.apply(operation)
        if number + 1 < history.files.beginning:
            continue
        clients = history.known[number]
        for disk in losses(medium, choice):
            key = hash((clients.removable, frozenset(disk.items())))
            if key not in surveys:
                surveys[key] = survey_log(disk_with(disk), DIRECTORY), clients.removable
                disks.append((disk, clients.copy()))
    return disks


def surveys_after_every_loss(seed: int) -> list[tuple[LogSurvey, int]]:
    """Of two processes, and of one each that goes on on some of the disks that are left."""
    choice, surveys = random.Random(seed), Surveys()
    history, records = record({}, Clients(), choice, [], range(2))
    disks = survey_every_loss(history, choice, surveys)
    for disk, clients in choice.sample(disks, 3):
        history, _ = record(disk, clients, choice, list(records), range(2, 3))
        survey_every_loss(history, choice, surveys)
    return list(surveys.values())


def ended_short(survey: LogSurvey) -> bool:
    return any(broken.kind is BreakKind.SHORT for broken in survey.breaks) or any(
        survey.ends_before(entry) for entry in survey.bad_entries
    )


def test_no_loss_of_power_leaves_an_index_that_knows_of_more() -> None:
    surveys = surveys_after_every_loss(BASE + 3)
    for survey, removable in surveys:
        assert not ended_short(survey)
        assert not [broken for broken in survey.breaks if broken.is_loss and broken.first >= removable]
    torn = [s for s, _ in surveys if any(b.kind is BreakKind.TORN for b in s.breaks)]
    assert len(torn) > 50 and sum(survey.entries > 0 for survey in torn) > 50


def test_it_would_if_commits_were_indexed_before_they_are_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the losses that are tried would show it."""
    write = LogWriter._write

    def too_early(self: LogWriter, data: bytes, first: int) -> None:
        write(self, data, first)
        self._note_index()

    monkeypatch.setattr(LogWriter, "_write", too_early)
    assert any(ended_short(survey) for survey, _ in surveys_after_every_loss(BASE + 3))


# --- what else looks at the end of a log


@pytest.fixture
def lost(tmp_path: Path) -> Made:
    """A directory whose log ends between two commits, and whose index knows of one more."""
    directory = made(tmp_path / "data", 12)
    newest = directory.segments[-1]
    position, last = commits(DiskFiles(), SegmentFile(0, newest))[-1]  # type: ignore[arg-type]
    assert last == directory.last
    newest.write_bytes(newest.read_bytes()[:position])
    return directory


def test_repair_goes_on_without_what_is_lost_and_says_so(
    lost: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(lost.log)
    assert main(["doctor", "--data-dir", str(lost.path)]) == 3
    capsys.readouterr()
    assert main(["repair", "--data-dir", str(lost.path), "--database", NAME, "--yes"]) == 0
    assert (
        f"as it was behind transaction {lost.last - 1}; transactions from {lost.last} on will be lost."
        in capsys.readouterr().out
    )
    assert lost.state(3) == (lost.last - 1, lost.states[lost.last - 1])
    assert contents(lost.log) == before, "for somebody to look at"


def test_a_torn_end_is_nothing_to_repair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = made(tmp_path / "data", 12)
    directory.segments[-1].write_bytes(directory.segments[-1].read_bytes() + b"\1" * 5)
    assert main(["doctor", "--data-dir", str(directory.path)]) == 0
    assert "the next start cuts it off" in capsys.readouterr().out
    assert main(["repair", "--data-dir", str(directory.path), "--database", NAME, "--yes"]) == 1
    assert "there is nothing to repair" in capsys.readouterr().err


def test_replay_copies_what_there_is(lost: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["replay", "--data-dir", str(lost.path), "--database", NAME, "--into"]
    assert main([*arguments, str(tmp_path / "copy")]) == 0
    assert f"as it was behind transaction {lost.last - 1}, with" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path / "other"), "--to-offset", str(lost.last)]) == 1
    assert f"the log reaches transactions 0 to {lost.last - 1}" in capsys.readouterr().err


def test_an_index_of_another_server_proves_nothing() -> None:
    """It may be ahead of the syncs."""
    end = Ending()
    for left, kinds in ((0, []), (1, [BreakKind.TORN]), (HEAD, [BreakKind.TORN])):
        end.cut(left)
        survey = survey_log(end.files, LOG, only_synced_is_indexed=False)
        assert [broken.kind for broken in survey.breaks] == kinds
