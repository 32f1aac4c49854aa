"""The check of a log and the start of a database judge alike, whichever byte of the log or of a snapshot changes.

* What is said to be sound starts, with every transaction.
* What does not start is said to be damaged; so is what starts without some of its transactions, unless the end may have
  been torn by a power loss, which is said as well.
* Damage is placed in the very commit whose bytes were changed.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from spacetimedb_standalone.care.findings import Findings, Severity
from spacetimedb_standalone.care.log_check import check_log
from spacetimedb_standalone.care.snapshot_check import check_snapshots
from spacetimedb_standalone.commitlog.format import SEGMENT_HEADER_SIZE, VERSION
from spacetimedb_standalone.commitlog.reader import SUFFIX, SegmentFile, list_segments
from spacetimedb_standalone.commitlog.segment import CommitWalk, Segment
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.ports import MemoryFiles
from tests.examples import BASE
from tests.standalone.datastore.busy import (
    LOG,
    SNAPSHOTS,
    State,
    change,
    initialize,
    open_database,
    snapshot,
    state,
    story_module,
)

pytestmark = pytest.mark.slow

SEED = BASE + 5
STEP = int(os.environ.get("STDB_CARE_STEP", "311"))
"""Every so many bytes one is changed: 1 takes ten minutes."""
PLAIN = CommitLogSettings(1, 2500, 256, retention=False, compress_segments=False)
SEALED = CommitLogSettings(1, 2500, 256, retention=False)


@dataclass
class Example:
    """A database with all of its files, and what a start finds."""

    files: dict[Path, bytes]
    last: int
    state: State

    def on_disk(self) -> MemoryFiles:
        files = MemoryFiles()
        for path, data in self.files.items():
            files.put(path, data)
        return files


def example(settings: CommitLogSettings, changes: int, every: int) -> Example:
    files, choice = MemoryFiles(), random.Random(SEED)
    datastore = open_database(files, settings)
    initialize(datastore, story_module())
    for number in range(1, changes + 1):
        change(datastore, choice)
        if every and number % every == 0:
            snapshot(datastore)
    rows, last = state(datastore), datastore.store.next_offset - 1
    datastore.close()
    kept = {
        directory / name: files.read(directory / name)
        for directory in (LOG, SNAPSHOTS)
        for name in files.names(directory)
    }
    return Example(kept, last, rows)


EXAMPLES = {
    "a log": example(PLAIN, 14, 0),
    "a log with snapshots": example(PLAIN, 14, 6),
    "a sealed log": example(SEALED, 14, 13),
}


def examined(files: MemoryFiles) -> Findings:
    findings = Findings()
    check_log(files, LOG, check_snapshots(files, SNAPSHOTS, None, findings), findings)
    return findings


def started(files: MemoryFiles) -> tuple[int, State] | None:
    """None: the start was refused."""
    try:
        datastore = open_database(files)
    except StorageError:
        return None
    return datastore.store.next_offset - 1, state(datastore)


def commits(files: MemoryFiles, segment: SegmentFile) -> list[tuple[int, int]]:
    """Where each one begins, and its transaction."""
    with Segment.open(files, segment.path) as source:
        walk = CommitWalk(source.source, VERSION, SEGMENT_HEADER_SIZE)
        return [(at, commit.min_tx_offset) for at, commit in walk]


def judge_alike(whole: Example, files: MemoryFiles, what: str) -> Findings:
    before = {path: files.read(path) for path in whole.files}
    findings = examined(files)
    assert before == {path: files.read(path) for path in whole.files}, "a check changes nothing"
    severities = {finding.severity for finding in findings.found}
    found = started(files)
    if found is None:
        assert Severity.DAMAGE in severities, f"{what}: does not start, and nothing is said to be damaged"
    elif found != (whole.last, whole.state):
        assert severities & {Severity.DAMAGE, Severity.WARNING}, f"{what}: other than it was, without a word"
    elif Severity.DAMAGE in severities:  # the start had no need of what is damaged
        assert files.names(SNAPSHOTS), what
    return findings


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_nobody_touched_is_sound(name: str) -> None:
    whole = EXAMPLES[name]
    assert examined(whole.on_disk()).found == []
    assert started(whole.on_disk()) == (whole.last, whole.state)


@pytest.mark.parametrize("name", EXAMPLES)
def test_any_byte_may_change(name: str) -> None:
    whole = EXAMPLES[name]
    choice = random.Random(f"{SEED} {name}")
    for path, data in whole.files.items():
        used = 40 if path.suffix == ".ofs" else len(data)
        for position in range(choice.randrange(min(STEP, used)), used, STEP):
            files = whole.on_disk()
            changed = bytearray(data)
            changed[position] ^= 1 << choice.randrange(8)
            files.put(path, bytes(changed))
            judge_alike(whole, files, f"byte {position} of {path.name}")


@pytest.mark.parametrize("name", EXAMPLES)
def test_any_file_may_be_cut_short_or_missing(name: str) -> None:
    whole = EXAMPLES[name]
    choice = random.Random(f"{SEED} {name}")
    oldest, *_, newest = list_segments(whole.on_disk(), LOG)
    between = {at for at, _ in commits(whole.on_disk(), newest)}
    for path, data in whole.files.items():
        for length in sorted({0, 5, 10, 31, len(data) - 1, *(choice.randrange(len(data)) for _ in range(1))}):
            if path == newest.path and length in between:
                continue  # the log as it was once: nobody can tell that there was more
            files = whole.on_disk()
            files.put(path, data[:length])
            judge_alike(whole, files, f"{path.name} cut to {length} bytes")
        files = whole.on_disk()
        files.remove(path)
        whole_without = Example({p: d for p, d in whole.files.items() if p != path}, whole.last, whole.state)
        if path not in (oldest.path, newest.path):  # that the first or last is missing, snapshots may tell
            judge_alike(whole_without, files, f"{path.name} missing")


def test_damage_is_placed_in_the_commit_that_was_changed() -> None:
    whole = EXAMPLES["a log"]
    files = whole.on_disk()
    *finished, _ = list_segments(files, LOG)
    for segment in finished:
        for position, transaction in commits(files, segment):
            damaged = whole.on_disk()
            changed = bytearray(whole.files[segment.path])
            changed[position + 24] ^= 2  # the shortest commit has 26
            damaged.put(segment.path, bytes(changed))
            (finding,) = [f for f in examined(damaged).found if f.severity is Severity.DAMAGE]
            assert (finding.path, finding.position) == (segment.path, position)
            assert finding.transactions is not None
            assert (finding.transactions.first, finding.transactions.last) == (transaction, transaction)


def test_several_damages_are_all_found() -> None:
    whole = EXAMPLES["a log"]
    files = whole.on_disk()
    segments = list_segments(files, LOG)
    for segment in segments[:3]:
        changed = bytearray(whole.files[segment.path])
        changed[SEGMENT_HEADER_SIZE + 30] ^= 1
        files.put(segment.path, bytes(changed))
    damaged = [f.path for f in examined(files).found if f.severity is Severity.DAMAGE]
    assert damaged == [segment.path for segment in segments[:3]]
    assert all(path.name.endswith(SUFFIX) for path in damaged)
