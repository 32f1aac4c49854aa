"""The event loop of the server's processes.

Imported with the rest before the template forks: a process that imported uvloop for itself would pay three MiB for it.
"""

from __future__ import annotations

import asyncio

try:
    import uvloop
except ImportError:  # there is none for Windows
    uvloop = None  # type: ignore[assignment]  # a module, or none


def new_event_loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop() if uvloop is None else uvloop.new_event_loop()
