"""`python -m bench transfer`: the transfer workload against a server by URL.

Publishes the transfer module, seeds the accounts, keeps `connections` x `in_flight` calls under way with
confirmed reads, and then checks that every answered call, and nothing else, is in the balances.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial

from bench.caller import Caller, Target, client_frame
from bench.database import Database
from bench.server_cpu import Usage, is_measurable, listeners, usage
from bench.workload import pairs, transfer_call

AMOUNT = 1


@dataclass(frozen=True)
class Options:
    accounts: int = 100_000
    balance: int = 1_000_000_000
    connections: int = 64
    in_flight: int = 40
    seconds: float = 30.0
    warmup: float = 5.0
    pairs: int = 640_000
    drain_seconds: float = 30.0


@dataclass(frozen=True)
class Result:
    """One run. Times in milliseconds; CPU in seconds per 1000 transactions, None where it can't be read."""

    alpha: float
    connections: int
    in_flight: int
    transactions: int
    seconds: float
    tx_per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_seconds_per_1000_tx: float | None
    server_user_seconds_per_1000_tx: float | None
    server_system_seconds_per_1000_tx: float | None
    server_resident_mib: float | None
    client_cpu_seconds_per_1000_tx: float
    failed_calls: int
    accounts_wrong: int
    sum_unchanged: bool

    @property
    def is_consistent(self) -> bool:
        return self.sum_unchanged and not self.accounts_wrong and not self.failed_calls

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"consistent": self.is_consistent}


class Latencies:
    """A histogram with buckets 1 % wide, filled only while the window is open."""

    def __init__(self) -> None:
        self.is_open = False
        self.count = 0
        self._buckets: Counter[int] = Counter()

    def add(self, count: int, seconds: float) -> None:
        if self.is_open:
            self.count += count
            self._buckets[int(math.log(max(seconds, 1e-6)) * 100)] += count

    def percentile(self, share: float) -> float:
        """Milliseconds below which `share` of the calls were answered; 0 if there were none."""
        wanted, seen = share * self.count, 0
        for bucket, count in sorted(self._buckets.items()):
            seen += count
            if seen >= wanted:
                return math.exp((bucket + 0.5) / 100) * 1000
        return 0.0


def run(database: Database, alpha: float, options: Options) -> Result:
    """One run over a freshly seeded table. Raises RefusedError, ConnectionError, ReplyError, TimeoutError."""
    database.seed(options.accounts, options.balance)
    drawn = pairs(options.accounts, alpha, options.pairs)
    share = len(drawn) // options.connections
    chosen = [drawn[n * share : (n + 1) * share] for n in range(options.connections)]
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(_measure(database, alpha, options, chosen))


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's loop where there is one: asyncio's own costs the client about twice as much."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _measure(
    database: Database, alpha: float, options: Options, chosen: list[list[tuple[int, int]]]
) -> Result:
    latencies = Latencies()
    callers = await _connect(database, chosen, latencies)
    roots = listeners(database.port) if is_measurable() else []
    for caller in callers:
        caller.start(options.in_flight)
    await asyncio.sleep(options.warmup)
    before, client_before, began = usage(roots) if roots else None, time.process_time(), time.perf_counter()
    latencies.is_open = True
    await _unless_broken(callers, options.seconds)
    latencies.is_open = False
    seconds, client_cpu = time.perf_counter() - began, time.process_time() - client_before
    after = usage(roots) if roots else None
    for caller in callers:
        caller.stop()
    await asyncio.wait_for(asyncio.gather(*(caller.drained for caller in callers)), options.drain_seconds)
    for caller in callers:
        caller.close()
    balances = await asyncio.to_thread(database.balances)
    expected = _expected(options, chosen, callers)
    count = latencies.count
    return Result(
        alpha=alpha,
        connections=options.connections,
        in_flight=options.in_flight,
        transactions=count,
        seconds=round(seconds, 3),
        tx_per_second=round(count / seconds, 1),
        p50_ms=round(latencies.percentile(0.5), 3),
        p99_ms=round(latencies.percentile(0.99), 3),
        server_cpu_seconds_per_1000_tx=_cpu(before, after, count, "total"),
        server_user_seconds_per_1000_tx=_cpu(before, after, count, "user"),
        server_system_seconds_per_1000_tx=_cpu(before, after, count, "system"),
        server_resident_mib=round(after.resident / 2**20, 1) if after else None,
        client_cpu_seconds_per_1000_tx=round(client_cpu / max(count, 1) * 1000, 6),
        failed_calls=sum(len(caller.failures) for caller in callers),
        accounts_wrong=sum(expected[account] != balances.get(account) for account in expected),
        sum_unchanged=sum(balances.values()) == options.accounts * options.balance,
    )


async def _connect(
    database: Database, chosen: list[list[tuple[int, int]]], latencies: Latencies
) -> list[Caller]:
    loop = asyncio.get_running_loop()
    target = Target(
        database.host, database.port, database.subscribe_path, "v2.bsatn.spacetimedb", database.token
    )
    callers = []
    for own in chosen:
        frames = [
            client_frame(transfer_call(n, payer, payee, AMOUNT)) for n, (payer, payee) in enumerate(own)
        ]
        make = partial(Caller, target, b"".join(frames), len(frames[0]), latencies.add)
        _, caller = await loop.create_connection(make, database.host, database.port)
        callers.append(caller)
    await asyncio.wait_for(asyncio.gather(*(caller.greeted for caller in callers)), 60)
    return callers


async def _unless_broken(callers: list[Caller], seconds: float) -> None:
    """Wait; raise at once what breaks a connection meanwhile."""
    broken, _ = await asyncio.wait(
        [caller.drained for caller in callers], timeout=seconds, return_when=asyncio.FIRST_EXCEPTION
    )
    for future in broken:
        future.result()


def _expected(options: Options, chosen: list[list[tuple[int, int]]], callers: list[Caller]) -> dict[int, int]:
    """The balances that the answered calls must have led to."""
    balances = dict.fromkeys(range(options.accounts), options.balance)
    for own, caller in zip(chosen, callers, strict=True):
        failed = {index for index, _ in caller.failures}
        for index in range(caller.done):
            if index not in failed:
                payer, payee = own[index % len(own)]
                balances[payer] -= AMOUNT
                balances[payee] += AMOUNT
    return balances


def _cpu(before: Usage | None, after: Usage | None, count: int, part: str) -> float | None:
    if before is None or after is None or not count:
        return None
    spent: float = getattr(after, part) - getattr(before, part)
    return round(spent / count * 1000, 6)
