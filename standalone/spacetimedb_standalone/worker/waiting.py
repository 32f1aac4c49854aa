"""Between the loop and threads that wait: results of callbacks for coroutines, durability for threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from spacetimedb_standalone.commitlog import LogError
from spacetimedb_standalone.commitlog.durability import Durability

T = TypeVar("T")

DURABLE_WITHIN = 5.0
"""Seconds that a procedure waits for the disk before the world may hear of what it did."""


async def outcome_of(start: Callable[[Callable[[T], None]], None]) -> T:
    """What `start` hands to its callback, on this loop. Cancelling it drops the result, not the work."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def done(result: T) -> None:
        if not future.done():
            future.set_result(result)

    start(done)
    return await future


class DurableWait:
    """For threads other than the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, log: Durability) -> None:
        self._loop, self._log = loop, log

    def __call__(self, offset: int) -> bool:
        """Wait until this transaction is on disk; False: it took too long, or the disk refuses."""
        if offset <= self._log.durable_offset:
            return True
        waiting = asyncio.run_coroutine_threadsafe(self._log.wait(offset), self._loop)
        try:
            waiting.result(DURABLE_WITHIN)
        except (TimeoutError, LogError):
            waiting.cancel()
            return False
        return True
