"""The commit log alone, under more power losses than a whole database has time for: see `test_power_loss`.

Groups of commits, segments that fill up, are compressed and removed, processes that are killed and go on. Behind every
operation on the disk, every disk that `losses` has is opened: from the last transaction on that might be removed,
those are found that were committed, without a gap, and all that were acknowledged.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import open_log
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.commitlog.opening import Driver
from spacetimedb_standalone.commitlog.retention import clear_unfinished, remove_below, seal_finished
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import Files
from tests.durability.forms import LONG, Tally
from tests.durability.losses import losses
from tests.durability.recording import Contents, Medium, RecordingFiles, disk_with
from tests.durability.steps import step_of
from tests.examples import BASE

pytestmark = pytest.mark.slow

DIRECTORY = Path("/clog")
GROUPS = 6
"""Of commits, in each life."""
SETTINGS = CommitLogSettings(max_segment_size=2500, offset_index_interval_bytes=128)


@dataclass
class Clients:
    """What they know: transactions before `acknowledged` are durable, those before `removable` may be gone."""

    committed: int = 0
    acknowledged: int = 0
    removable: int = 0

    def copy(self) -> Clients:
        return Clients(self.committed, self.acknowledged, self.removable)


@dataclass
class History:
    files: RecordingFiles
    clients: Clients
    known: list[Clients] = field(default_factory=list)
    """Behind each operation."""


def record_of(offset: int, life: int) -> bytes:
    """Never the same in two lives, from a few bytes to several sectors, with zeros and likenesses of commits in it."""
    choice = random.Random(offset * 1000 + life)
    filling = choice.choice((b"\0", b"\xff", choice.randbytes(64), encode_commit(offset + 2, 0, 1, b"x")))
    return b"%d %d " % (offset, life) + filling * choice.choice((0, 1, 3, 20))


def open_and_read(files: Files, start: int) -> list[bytes]:
    """The records from a transaction on that nobody may have removed."""
    clear_unfinished(files, DIRECTORY)
    opened = open_log(files, DIRECTORY, SETTINGS)
    assert opened.first_offset <= start
    commits = [commit for commit in opened.commits(start) if commit.min_tx_offset >= start]
    assert [commit.min_tx_offset for commit in commits] == list(range(start, opened.resume.next_offset))
    return [commit.records for commit in commits]


def live(history: History, life: int, choice: random.Random, records: list[bytes]) -> list[bytes]:
    """Go on with the log after `records`; all records there are in the end, removed ones too."""
    files, clients = history.files, history.clients
    records = records[: clients.removable] + open_and_read(files, clients.removable)
    log = open_log(files, DIRECTORY, SETTINGS).start(Driver.INLINE)
    clients.committed = clients.acknowledged = len(records)
    for _ in range(GROUPS):
        offset, count = len(records), choice.choice((1, 1, 2, 5))
        records += [record_of(number, life) for number in range(offset, offset + count)]
        clients.committed = len(records)
        commits = [encode_commit(number, 0, 1, records[number]) for number in range(offset, offset + count)]
        log.submit(b"".join(commits), clients.committed - 1)
        clients.acknowledged = log.durable_offset + 1
        if choice.random() < 0.2:
            seal_finished(files, DIRECTORY)
        if choice.random() < 0.2:
            clients.removable = choice.randint(clients.removable, clients.acknowledged)
            remove_below(files, DIRECTORY, clients.removable)
    log.close()
    return records


def record(
    before: Contents, clients: Clients, choice: random.Random, records: list[bytes], lives: range
) -> tuple[History, list[bytes]]:
    """Life goes on, on a disk with these contents, on which some of `records` may be."""
    history = History(RecordingFiles(before), clients)
    history.known = [clients.copy() for _ in range(history.files.beginning)]
    history.files.after = lambda: history.known.append(history.clients.copy())
    for life in lives:
        records = live(history, life, choice, records)
        history.files.disk.restart()
    return history, records


@dataclass
class Trial:
    choice: random.Random
    tally: Tally
    found: dict[int, list[bytes]] = field(default_factory=dict)
    disks: list[tuple[Contents, Clients]] = field(default_factory=list)
    """Some of those that were tried."""

    def every_loss(self, history: History, records: list[bytes]) -> None:
        medium, files = Medium(), history.files
        for number, operation in enumerate(files.operations):
            medium.apply(operation)
            if number + 1 >= files.beginning:
                step = f"after: {step_of(files.steps[number])}"
                for contents in losses(medium, self.choice):
                    self.look(contents, history.known[number], records, step)

    def look(self, contents: Contents, clients: Clients, records: list[bytes], step: str) -> None:
        start = clients.removable
        key = hash((start, frozenset(contents.items())))
        if key not in self.found:
            self.found[key] = open_and_read(disk_with(contents), start)
            self.tally("power loss, log alone", step, "comes back")
            if self.choice.random() < 0.01:
                self.disks.append((contents, clients.copy()))
        found = self.found[key]
        assert clients.acknowledged <= start + len(found) <= clients.committed, (
            step,
            start,
            len(found),
            clients,
        )
        assert found == records[start : start + len(found)], step


@pytest.mark.parametrize("seed", range(BASE, BASE + (20 if LONG else 1)))
def test_every_loss(seed: int, tally: Tally) -> None:
    choice = random.Random(seed)
    trial = Trial(choice, tally)
    history, records = record({}, Clients(), choice, [], range(2))
    trial.every_loss(history, records)
    for contents, clients in choice.sample(trial.disks, min(2, len(trial.disks))):
        Trial(choice, tally).every_loss(*record(contents, clients, choice, records, range(2, 3)))
    assert len(trial.found) > 500
