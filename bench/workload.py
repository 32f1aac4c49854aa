"""The transfer workload: which accounts pay which, drawn as the public benchmark draws them.

Pure functions; the same arguments give the same pairs on every machine. The generator is mulberry32 from
a fixed seed; `alpha` 0 is uniform, above it account i (from 0) has a weight of 1/(i+1)^alpha.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate, islice

SEED = 0x12345678
REDRAWS = 32
"""How often the payee is drawn again while it equals the payer."""

_MASK = 0xFFFFFFFF
_CALL = struct.Struct("<BIBI")
_TRANSFER = struct.Struct("<IIq")


def uniform_draws(seed: int = SEED) -> Iterator[float]:
    """mulberry32: an endless run of numbers in [0, 1)."""
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & _MASK
        mixed = ((state ^ (state >> 15)) * (state | 1)) & _MASK
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61))) & _MASK
        yield (mixed ^ (mixed >> 14)) / 4294967296


def account_picker(accounts: int, alpha: float, draws: Iterator[float]) -> Callable[[], int]:
    """A function that draws one account id of `0..accounts`."""
    if alpha <= 0:
        return lambda: int(next(draws) * accounts)
    cumulated = list(accumulate((rank + 1) ** -alpha for rank in range(accounts)))
    total = cumulated[-1]
    shares = [value / total for value in cumulated]
    shares[-1] = 1.0
    return lambda: bisect_left(shares, next(draws))


def draw_pairs(accounts: int, alpha: float) -> Iterator[tuple[int, int]]:
    """Endless pairs (payer, payee), two different ids of `0..accounts`; at least two accounts."""
    pick = account_picker(accounts, alpha, uniform_draws())
    while True:
        payer = pick()
        payee = next((other for other in (pick() for _ in range(REDRAWS)) if other != payer), None)
        yield payer, (payer + 1) % accounts if payee is None else payee


def pairs(accounts: int, alpha: float, count: int) -> list[tuple[int, int]]:
    return list(islice(draw_pairs(accounts, alpha), count))


def transfer_call(request_id: int, payer: int, payee: int, amount: int) -> bytes:
    """A `CallReducer` message of the v2 protocol for `transfer(from: u32, to: u32, amount: i64)`."""
    name = b"transfer"
    arguments = _TRANSFER.pack(payer, payee, amount)
    return b"".join(
        (_CALL.pack(3, request_id, 0, len(name)), name, struct.pack("<I", len(arguments)), arguments)
    )
