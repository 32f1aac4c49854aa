"""A disk that refuses: whatever fails, and when, the database says so, acknowledges nothing it cannot keep, and
comes back with all that it had acknowledged.

Every operation of a workload fails once in every way: a database is made and changed, with segments of its log
finished, compressed and removed and snapshots taken; the process dies, and another one goes on. Afterwards the
process starts again, or the power goes as well, and the database is opened on a disk that works.
"""

from __future__ import annotations

import copy
import random
import re

import pytest

from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_standalone.ports import MemoryFiles
from tests.durability.faulty_files import Fault, FaultyFiles
from tests.durability.forms import Tally, long, short
from tests.durability.losses import Nothing
from tests.durability.steps import step_of
from tests.durability.workload import Life, live
from tests.examples import BASE
from tests.standalone.datastore.busy import story_module

pytestmark = pytest.mark.slow

SEED, CHANGES, EVERY = 7, 9, 4
SPARE = ("log index", "remove", "open, snapshot", "read, snapshot")
"""What a database can do without: it says so in its log."""


@pytest.fixture(scope="module")
def module() -> ModuleDef:
    return story_module()


def two_lives(files: FaultyFiles, life: Life, module: ModuleDef) -> None:
    live(files, life, module, SEED, CHANGES, EVERY)
    files.disk.restart()
    live(files, life, module, SEED + 1, 4, 3)


@pytest.fixture(scope="module")
def count(module: ModuleDef) -> int:
    """How many operations there are to fail."""
    files = FaultyFiles(MemoryFiles())
    two_lives(files, Life(), module)
    return len(files.operations)


def try_one(module: ModuleDef, at: int, fault: Fault, seed: int, tally: Tally) -> None:
    """Fail at one operation in one way, then come back after a restart and after several power losses."""
    disk, life = MemoryFiles(), Life()
    faulty = FaultyFiles(disk, at, fault)
    two_lives(faulty, life, module)
    assert faulty.failed is not None
    step = step_of(faulty.failed)
    if life.refusals:
        assert all(re.search("Input/output error|No space left", refusal) for refusal in life.refusals)
        result = "says so and comes back"
    else:
        assert any(kind in step for kind in SPARE), f"{faulty.failed} failed and nobody was told"
        result = "goes on without it and comes back"
    for restart in (None, Nothing(), random.Random(seed)):
        come_back(module, copy.deepcopy(disk), life.copy(), restart, f"{faulty.failed}, {fault}")
        tally(str(fault), step, result)


def come_back(
    module: ModuleDef, disk: MemoryFiles, life: Life, power: random.Random | None, what: str
) -> None:
    if power is None:
        disk.restart()
    else:
        disk.crash(power)
    for changes in (2, 0):
        live(disk, life, module, SEED, changes, 2)
        assert not life.refusals, f"after {what}: {life.refusals}"
        disk.restart()


def chosen(count: int, stride: int) -> list[int]:
    return list(range(1 + count % stride, count + 1, stride))


@short
@pytest.mark.parametrize("fault", Fault)
def test_some_operations_fail(fault: Fault, module: ModuleDef, count: int, tally: Tally) -> None:
    for at in chosen(count, 83):
        try_one(module, at, fault, BASE + at, tally)


@long
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("fault", Fault)
def test_every_operation_fails(fault: Fault, part: int, module: ModuleDef, count: int, tally: Tally) -> None:
    for at in range(1 + part, count + 1, 4):
        try_one(module, at, fault, BASE + at, tally)
