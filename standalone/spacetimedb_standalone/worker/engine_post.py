"""The way onto the loop for other threads: work in the order in which it came, and what it says goes out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class EnginePost:
    """`post(work)` from any thread; `flush` follows each piece of work, `on_fault` one that raised.

    After `close`, or when the loop is gone, work is dropped: there is nobody left whom it concerns.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, flush: Callable[[], None], on_fault: Callable[[], None]
    ) -> None:
        self._loop, self._flush, self._on_fault = loop, flush, on_fault
        self._closed = False

    def __call__(self, work: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._run, work)
        except RuntimeError as error:  # the loop is closed
            log.debug("work for the engine's thread came too late: %s", error)

    def close(self) -> None:
        self._closed = True

    def _run(self, work: Callable[[], None]) -> None:
        if self._closed:
            return
        try:
            work()
            self._flush()
        except Exception:
            log.critical("work broke off; the database starts again from its log", exc_info=True)
            self._on_fault()
