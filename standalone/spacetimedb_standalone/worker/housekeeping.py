"""What a worker does now and then, whether anybody calls or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class Housekeeping:
    """Runs a chore every `interval` seconds until stopped. A chore that fails is logged and tried again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float, chore: Callable[[], None]) -> None:
        self._loop, self._interval, self._chore = loop, interval, chore
        self._handle: asyncio.TimerHandle | None = loop.call_later(interval, self._run)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        try:
            self._chore()
        except Exception:
            log.exception("a chore failed; it is tried again in %.0f s", self._interval)
        self._handle = self._loop.call_later(self._interval, self._run)
