"""The engine's measurement measures the same work for every store, and says what it found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.contestants import Contestant, Engine, LoggedEngine, Sqlite
from bench.engine import run, tables
from bench.replay import measure_replay

pytestmark = pytest.mark.slow

MAKERS: list[Callable[[Path], Contestant]] = [
    lambda place: Engine(),
    LoggedEngine,
    lambda place: Sqlite(None),
    Sqlite,
]


@pytest.mark.parametrize(
    "make", MAKERS, ids=["engine", "engine and log", "sqlite in memory", "sqlite on disk"]
)
def test_every_store_does_what_the_others_do(make: Callable[[Path], Contestant], tmp_path: Path) -> None:
    store = make(tmp_path)
    store.begin()
    for key in (5, 3, 9, 4):
        store.insert(key, 0)
    store.update(4, 7)
    store.delete(9)
    store.commit()
    assert len(store.scan(3, 9)) == 3
    assert len(store.scan(6, 9)) == 0
    assert store.lookup(9) == []
    assert store.lookup(4) == [(4, 7)] or store.lookup(4) == [bytes([4, 0, 0, 0, 7]) + bytes(7)]
    store.close()


def test_a_small_run_says_all_there_is_to_say() -> None:
    results = run([120, 300], 30, 40)
    assert {cost.rows for cost in results.costs} == {120, 300}
    assert len({cost.store for cost in results.costs}) == 4
    assert all(cost.cpu_us >= 0 and cost.wall_us > 0 for cost in results.costs)
    text = "\n".join(tables(results))
    for operation in (
        "point lookup",
        "hot lookup",
        "update",
        "insert",
        "delete",
        "range scan",
        "commit, clock",
    ):
        assert text.count(operation) == 4 + 4 * (operation == "update"), operation
    assert json.loads(json.dumps(results.as_json()))["replays"][1]["transfers"] == 40


def test_a_replay_tells_how_long_its_log_was() -> None:
    replay = measure_replay(50, 20)
    assert replay.log_bytes == 20 * 173
    assert replay.transfers_per_second > 0
