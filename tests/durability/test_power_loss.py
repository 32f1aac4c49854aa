"""The power goes between any two operations on the disk, and whatever was not synced may be lost, out of order or torn:
the database opens, has every transaction that it had acknowledged, and none that is not whole.

The operations of a workload are recorded; behind each of them the disks are rebuilt that a power loss may leave, and
opened by the real code. Then the same again for a workload that begins on such a disk, so that recovery's own steps
are interrupted too. Seeds are in the names of the tests; `STDB_SEED` adds to them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_standalone.ports import MemoryFiles
from tests.durability.forms import Tally, long
from tests.durability.losses import losses
from tests.durability.recording import Contents, Medium, RecordingFiles, disk_with
from tests.durability.steps import step_of
from tests.durability.workload import Life, live
from tests.examples import BASE
from tests.standalone.datastore.busy import story_module

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def module() -> ModuleDef:
    return story_module()


@dataclass
class Recording:
    """A workload's operations, and what its clients knew behind each."""

    files: RecordingFiles
    life: Life
    known: list[tuple[int, int]] = field(default_factory=list)
    """(transactions committed, transactions acknowledged)."""
    past: list[Life] = field(default_factory=list)

    def note(self) -> None:
        self.known.append((len(self.life.states), self.life.durable))


def record(before: Contents, life: Life, module: ModuleDef, seed: int, changes: int) -> Recording:
    """Life goes on, on a disk with these contents: two processes, the second after the first was killed."""
    recording = Recording(RecordingFiles(before), life)
    recording.known = [(len(life.states), life.durable)] * recording.files.beginning
    recording.files.after = recording.note
    live(recording.files, life, module, seed, changes, 4)
    recording.files.disk.restart()
    live(recording.files, life, module, seed + 1, 3, 2)
    assert not life.refusals
    return recording


@dataclass
class Trial:
    """Opens disks and checks them, each only once."""

    module: ModuleDef
    choice: random.Random
    tally: Tally
    share: float
    """So many of all disks are tried."""
    found: dict[int, int] = field(default_factory=dict)
    mended: list[tuple[Contents, Life]] = field(default_factory=list)
    """Disks on which opening had something to do besides replaying."""

    def every_loss(self, recording: Recording) -> None:
        """Behind each operation that the workload did."""
        medium, files = Medium(), recording.files
        for number, operation in enumerate(files.operations):
            medium.apply(operation)
            if number + 1 < files.beginning:
                continue
            committed, acknowledged = recording.known[number]
            past = Life(recording.life.states[:committed], acknowledged)
            step = f"after: {step_of(files.steps[number])}"
            for contents in losses(medium, self.choice):
                self.look(contents, past, step)

    def look(self, contents: Contents, past: Life, step: str) -> None:
        if self.choice.random() >= self.share:
            return
        disk = hash(frozenset(contents.items()))
        if disk not in self.found:
            self.found[disk] = self.open(contents, past.copy(), step)
            self.tally("power loss", step, "comes back")
        found = self.found[disk]
        assert past.durable <= found <= len(past.states), (
            f"{step}: {past.durable} were acknowledged, {found} found"
        )

    def open(self, contents: Contents, past: Life, step: str) -> int:
        """How many transactions there are; each has its whole effect, and the database works."""
        disk = disk_with(contents)
        live(disk, past, self.module, 5, 0, 1)
        assert not past.refusals, f"{step}: {past.refusals}"
        found = len(past.states)
        if any(path.suffix != ".ofs" and content != now(disk, path) for path, content in contents.items()):
            self.mended.append((contents, past.copy()))
        if self.choice.random() < 0.1:
            for power in (self.choice, self.choice):
                disk.crash(power)
                live(disk, past, self.module, 5, 2, 2)
                assert not past.refusals, f"{step}, then going on: {past.refusals}"
        return found


def now(disk: MemoryFiles, path: Path) -> bytes | None:
    return disk.read(path) if path.name in disk.names(path.parent) else None


def try_all(module: ModuleDef, seed: int, changes: int, again: int, share: float, tally: Tally) -> int:
    """How many disks were tried, those of `again` second power losses among them."""
    trial = Trial(module, random.Random(seed), tally, share)
    trial.every_loss(record({}, Life(), module, seed, changes))
    second = Trial(module, trial.choice, tally, share)
    for contents, life in trial.choice.sample(trial.mended, min(again, len(trial.mended))):
        second.every_loss(record(contents, life, module, seed, 2))
    return len(trial.found) + len(second.found)


@pytest.mark.parametrize("seed", [BASE + 1])
def test_some_losses(seed: int, module: ModuleDef, tally: Tally) -> None:
    assert try_all(module, seed, 6, 1, 0.003, tally) > 100


@long
@pytest.mark.parametrize("seed", range(BASE + 10, BASE + 14))
def test_many_losses(seed: int, module: ModuleDef, tally: Tally) -> None:
    assert try_all(module, seed, 8, 3, 0.02, tally) > 1000
