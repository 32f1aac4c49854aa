"""Trouble on demand: a process that dies at a named place or at a numbered file operation, and file
operations that fail."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from .world import QuickFiles

KILLED = 86
LOOKING = frozenset(
    {"kind", "names", "size", "is_executable", "modified", "may_write", "obstacle", "free_bytes", "link_text"}
)
OPERATIONS = frozenset(
    {
        *(
            "names",
            "open_read",
            "size",
            "free_bytes",
            "link_text",
            "make_directory",
            "open_new",
            "open_append",
            "sync",
        ),
        *("sync_directory", "rename", "exchange", "make_link", "make_junction", "copy", "remove_file"),
        *("remove_directory",),
    }
)
"""Operations that a disk can refuse. What only asks whether something is there is left out: it has no
way to fail but the ones that the others have as well."""

NEEDS_SPACE = frozenset({"make_directory", "open_new", "open_append", "write", "sync", "make_link", "copy"})


class TroubledFiles(QuickFiles):
    """Counts file operations and calls `trouble(number, name, path)` before each: to kill, or to raise."""

    def __init__(self, trouble: Callable[[int, str, str], None] = lambda number, name, path: None) -> None:
        self.count = 0
        self._trouble = trouble

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if name not in OPERATIONS:
            return method

        def operation(*arguments: Any, **more: Any) -> Any:
            path = str(arguments[0]) if isinstance(arguments[0], Path) else ""
            self.meet(name, path)
            result = method(*arguments, **more)
            return _TroubledFile(result, self, path) if name.startswith("open_") else result

        return operation

    def meet(self, name: str, path: str) -> None:
        self.count += 1
        self._trouble(self.count, name, path)


class _TroubledFile:
    """An open file whose reads and writes count as operations."""

    def __init__(self, file: BinaryIO, files: TroubledFiles, path: str) -> None:
        self._file, self._files, self._path = file, files, path

    def read(self, *arguments: int) -> bytes:
        self._files.meet("read", self._path)
        return self._file.read(*arguments)

    def write(self, data: bytes) -> int:
        self._files.meet("write", "")  # the system does not say which file it was
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _TroubledFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def fail_once(at: int, number: int) -> Callable[[int, str, str], None]:
    """One operation fails with an error number; those before and after work."""

    def trouble(count: int, name: str, path: str) -> None:
        if count == at:
            raise OSError(number, os.strerror(number), *([path] if path else []))

    return trouble


def full_disk_from(at: int) -> Callable[[int, str, str], None]:
    """From one operation on, nothing that needs space works; looking, renaming and removing still do."""

    def trouble(count: int, name: str, path: str) -> None:
        if count >= at and name in NEEDS_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *([path] if path else []))

    return trouble


def die_at_operation(at: int) -> Callable[[int, str, str], None]:
    def trouble(count: int, name: str, path: str) -> None:
        if count == at:
            os._exit(KILLED)

    return trouble


class Recorder:
    """Crash points in the order they are reached."""

    def __init__(self) -> None:
        self.reached_points: list[str] = []

    def reached(self, point: str) -> None:
        self.reached_points.append(point)


class Killer:
    """Ends the process, without any clean-up, when a point is reached for the nth time."""

    def __init__(self, point: str, occurrence: int) -> None:
        self._point, self._left = point, occurrence

    def reached(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os._exit(KILLED)


def in_a_process(work: Callable[[], int]) -> int:
    """Run `work` in a process of its own, and return how that ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
