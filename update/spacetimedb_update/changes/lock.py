"""One change at a time: a second process waits, and says for whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from spacetimedb_update.errors import is_full
from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import Site
from spacetimedb_update.ports.file_trees import read_or_none, remove_if_there, replace_file

POLL_SECONDS = 0.05


@contextmanager
def locked(site: Site, host: Host, purpose: str) -> Iterator[None]:
    """Hold the installation's lock; `purpose` is what another process is told that it waits for.

    The lock belongs to the open file: however this process ends, the next one gets it.
    """
    host.files.make_directory(site.update_dir)
    lock = FileLock(site.lock)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        host.terminal.err(f"Waiting for {_owner(site, host)} to finish …")
        lock.acquire(poll_interval=POLL_SECONDS)
    try:
        _sign(site, host, f"`{purpose}` (process {host.pid})")
        host.crash_points.reached("locked")
        yield
    finally:
        lock.release()


def _sign(site: Site, host: Host, owner: str) -> None:
    """Say who holds the lock. On a full disk nobody does: nothing may keep `gc` from making room."""
    try:
        replace_file(host.files, site.lock_owner, owner.encode())
    except OSError as error:
        if not is_full(error):
            raise
        remove_if_there(host.files, site.lock_owner)


def _owner(site: Site, host: Host) -> str:
    owner = read_or_none(host.files, site.lock_owner)
    return owner.decode(errors="replace") if owner else "another process"
