"""Control state as the front uses it: questions answered at once, changes made on a thread of their own.

A change waits for the disk, and the front must go on serving meanwhile. There is one writing thread, so
changes happen one after another in the order in which they were asked for.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from spacetimedb_standalone.control.reader import ControlReader
from spacetimedb_standalone.control.schema import open_control_db
from spacetimedb_standalone.control.writer import ControlWriter

Result = TypeVar("Result")


class ControlState:
    """`read` belongs to the event loop's thread; `change` runs a function with the writer elsewhere."""

    def __init__(self, reading: sqlite3.Connection, writing: sqlite3.Connection):
        self.read = ControlReader(reading)
        self._connections = (reading, writing)
        self._writer = ControlWriter(writing)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="control-state")

    @classmethod
    def open(cls, directory: Path) -> ControlState:
        """Raises `ControlStateError`."""
        return cls(open_control_db(directory), open_control_db(directory))

    async def change(self, action: Callable[[ControlWriter], Result]) -> Result:
        """What `action` returns once its change is on disk; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, action, self._writer)

    async def off_loop(self, action: Callable[[], Result]) -> Result:
        """Run work that waits for the same disk (storing a program) on the writing thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)

    def close(self) -> None:
        """Wait for the change under way, then close."""
        self._thread.shutdown(wait=True)
        for connection in self._connections:
            connection.close()
