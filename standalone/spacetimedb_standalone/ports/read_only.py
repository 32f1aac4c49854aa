"""The files of the host behind the port `Files`, for looking only.

Files are opened without leave to write, so that they can be on a medium that allows none, and nothing that goes
wrong can change them. Whatever would change something raises `PermissionError`.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

from spacetimedb_standalone.ports.crash_points import CrashPoint
from spacetimedb_standalone.ports.disk_files import BINARY, DiskFile, DiskFiles


class ReadOnlyFiles(DiskFiles):
    """See the head of this file."""

    def open(self, path: Path, *, create: bool = False) -> DiskFile:
        if create:
            _refuse(path)
        return DiskFile(os.open(path, os.O_RDONLY | BINARY))

    def make_directory(self, path: Path) -> None:
        _refuse(path)

    def rename(self, source: Path, target: Path) -> None:
        _refuse(source)

    def remove(self, path: Path) -> None:
        _refuse(path)

    def sync_directory(self, path: Path) -> None:
        """Nothing was changed."""

    def lock(self, path: Path) -> NoReturn:
        _refuse(path)

    def reached(self, point: CrashPoint) -> None:
        """Nothing happens on a real disk."""


def _refuse(path: Path) -> NoReturn:
    raise PermissionError(errno.EACCES, "it was opened for looking only", str(path))
