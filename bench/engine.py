"""`python -m bench engine`: what the engine's operations cost, beside SQLite's, and how that grows.

For each number of rows and each store the same work, interleaved store by store in one run. CPU microseconds
(user and system) an operation, the best of `REPEATS` rounds. Keys are drawn from all rows, so that the larger
table waits for memory more often; "hot" operations keep to a thousand of them, which shows the work itself.
"commit" is a transaction that updates one row, and its time by the clock is given as well, because a disk is
waited for.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench.contestants import Contestant, Engine, LoggedEngine, Sqlite
from bench.replay import Replay, measure_replay
from spacetimedb_engine import is_compiled

REPEATS = 3
HOT = 1000
SCANNED = 100
"""Rows of a range scan."""
SYNCED = 200
"""Commits in a round: each may wait for a disk."""


@dataclass(frozen=True)
class Cost:
    """Microseconds an operation; for "range scan" that is 100 rows in their order."""

    store: str
    rows: int
    operation: str
    cpu_us: float
    wall_us: float


@dataclass(frozen=True)
class Results:
    compiled: bool
    costs: tuple[Cost, ...]
    replays: tuple[Replay, ...]

    def as_json(self) -> dict[str, object]:
        replays = [
            asdict(replay)
            | {"tx_per_second": replay.transfers_per_second, "mb_per_second": replay.megabytes_per_second}
            for replay in self.replays
        ]
        return asdict(self) | {"replays": replays}


def run(sizes: Sequence[int], operations: int, transfers: int) -> Results:
    """`operations` in each round; `transfers` in the logs that are replayed."""
    costs: list[Cost] = []
    for rows in sizes:
        with tempfile.TemporaryDirectory() as place:
            costs += _compare(rows, operations, Path(place))
    replays = tuple(measure_replay(rows, transfers) for rows in sizes)
    return Results(is_compiled(), tuple(costs), replays)


def _compare(rows: int, operations: int, place: Path) -> Iterator[Cost]:
    stores: list[Contestant] = [Engine(), LoggedEngine(place), Sqlite(None), Sqlite(place)]
    chance = random.Random(rows)
    some = [chance.randrange(rows) for _ in range(operations)]
    fresh = list(range(rows, rows + operations))
    chance.shuffle(fresh)
    starts = [chance.randrange(max(1, rows - SCANNED)) for _ in range(max(1, operations // 20))]
    try:
        for store in stores:
            _transaction(store, _with(store.insert, 0), range(rows))
            store.begin()
            found = store.scan(0, SCANNED - 1)  # what an index makes at its first range is made here
            store.commit()
            assert len(found) == min(rows, SCANNED), f"{store.name} lost rows"
        for store in stores:
            for operation, work, count in _work(store, some, fresh, starts):
                yield _cost(store.name, rows, operation, work, count)
    finally:
        for store in stores:
            store.close()


Work = Callable[[], object]


def _work(
    store: Contestant, some: list[int], fresh: list[int], starts: list[int]
) -> Iterator[tuple[str, Sequence[Work], int]]:
    """Each operation: its name, what to do in each round, how many operations that is."""
    bulk = partial(partial, _transaction, store)
    yield "point lookup", [bulk(store.lookup, some)] * REPEATS, len(some)
    hot = [some[at % HOT] for at in range(len(some))]
    yield "hot lookup", [bulk(store.lookup, hot)] * REPEATS, len(hot)
    yield (
        "hot update",
        [bulk(_with(store.update, -balance), hot) for balance in range(1, REPEATS + 1)],
        len(hot),
    )
    yield "update", [bulk(_with(store.update, balance), some) for balance in range(1, REPEATS + 1)], len(some)
    part = max(1, len(fresh) // REPEATS)
    parts = [fresh[at : at + part] for at in range(0, part * REPEATS, part)]
    yield "insert", [bulk(_with(store.insert, 0), keys) for keys in parts], part
    yield "delete", [bulk(store.delete, keys) for keys in parts], part
    scan = bulk(lambda first: store.scan(first, first + SCANNED - 1), starts)
    yield "range scan", [scan] * REPEATS, len(starts)
    rounds = [partial(_commits, store, some[:SYNCED], balance) for balance in range(-REPEATS, 0)]
    yield "commit", rounds, min(SYNCED, len(some))


def _with(change: Callable[[int, int], object], balance: int) -> Callable[[int], object]:
    return lambda key: change(key, balance)


def _transaction(store: Contestant, each: Callable[[int], object], keys: Iterable[int]) -> None:
    """One for all keys."""
    store.begin()
    for key in keys:
        each(key)
    store.commit()


def _commits(store: Contestant, keys: Iterable[int], balance: int) -> None:
    """A transaction a key."""
    for key in keys:
        store.begin()
        store.update(key, balance)
        store.commit()


def _cost(store: str, rows: int, operation: str, rounds: Sequence[Work], count: int) -> Cost:
    cpu, wall = [], []
    for work in rounds:
        began, began_cpu = time.perf_counter_ns(), time.process_time_ns()
        work()
        cpu.append(time.process_time_ns() - began_cpu)
        wall.append(time.perf_counter_ns() - began)
    return Cost(store, rows, operation, min(cpu) / count / 1e3, min(wall) / count / 1e3)


def tables(results: Results) -> Iterator[str]:
    """The results as lines of text."""
    sizes = sorted({cost.rows for cost in results.costs})
    stores = list(dict.fromkeys(cost.store for cost in results.costs))
    operations = list(dict.fromkeys(cost.operation for cost in results.costs))
    by = {(cost.store, cost.rows, cost.operation): cost for cost in results.costs}
    yield f"the engine is {'compiled' if results.compiled else 'not compiled'}; CPU us an operation"
    head = "".join(f"{size:>12,}" for size in sizes)
    yield f"{'':<16}{'rows':<16}{head}{'growth':>9}"
    for operation in operations:
        for store in stores:
            spent = [by[store, size, operation].cpu_us for size in sizes]
            yield _line(operation, store, spent)
    for store in stores:
        yield _line("commit, clock", store, [by[store, size, "commit"].wall_us for size in sizes])
    yield ""
    yield f"{'replay: rows':>14}{'transfers':>12}{'us each':>9}{'tx/s':>12}{'MB/s':>8}"
    for replay in results.replays:
        yield (
            f"{replay.rows:>14,}{replay.transfers:>12,}{replay.cpu_us:>9.2f}"
            f"{replay.transfers_per_second:>12,.0f}{replay.megabytes_per_second:>8.0f}"
        )


def _line(operation: str, store: str, spent: Sequence[float]) -> str:
    growth = spent[-1] / spent[0] if spent[0] else 0.0
    return f"{operation:<16}{store:<16}" + "".join(f"{each:>12.2f}" for each in spent) + f"{growth:>8.1f}x"
