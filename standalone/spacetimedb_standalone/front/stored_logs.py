"""The log of a database whose worker does not start, read from its files: just then it is wanted most."""

from __future__ import annotations

import asyncio

from spacetimedb_paths.server import ReplicaDir


async def stored_log(replica: ReplicaDir, count: int | None) -> bytes | None:
    """The last `count` lines (None: all) of the latest file, None if there is no file. Reads on another
    thread.
    """
    return await asyncio.to_thread(_read, replica, count)


def _read(replica: ReplicaDir, count: int | None) -> bytes | None:
    # The modules of the log belong to workers; a front that needs them once should not always carry them.
    from spacetimedb_standalone.module_logs import stored_lines
    from spacetimedb_standalone.ports.clock import SystemClock
    from spacetimedb_standalone.ports.disk_files import DiskFiles

    directory = replica.module_logs().path
    if not directory.is_dir():
        return None
    return b"".join(stored_lines(DiskFiles(), directory, SystemClock(), count)) or None
