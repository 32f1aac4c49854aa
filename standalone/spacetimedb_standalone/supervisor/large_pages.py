"""Large pages of memory for processes that hold tables.

Rows are found all over their memory, and with small pages half of the time goes into looking up where a page is. glibc
asks for large ones when its tunables tell it to, and reads these only when a program begins. What the user has told it
comes last and wins; other C libraries pass over it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

_TUNABLES: Final = "GLIBC_TUNABLES"
_LARGE_PAGES: Final = "glibc.malloc.hugetlb=1"


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that is to have large pages."""
    told = environment.get(_TUNABLES, "")
    if _LARGE_PAGES in told.split(":"):
        return dict(environment)
    return {**environment, _TUNABLES: f"{_LARGE_PAGES}:{told}" if told else _LARGE_PAGES}


def begin_again(environment: Mapping[str, str], command: list[str]) -> None:
    """Replaces this program, which `command` has started, by itself with large pages. Returns if it has them already,
    or if this machine has none to ask for.
    """
    wanted = worker_environment(environment)
    if wanted == environment or not _has_glibc():
        return
    program: str | None = command[0]
    if os.sep not in command[0]:
        from shutil import which  # the rest is loaded twice: by this program, and by what takes its place

        program = which(command[0])
    if program is not None:
        sys.stdout.flush()
        os.execve(program, command, wanted)


def _has_glibc() -> bool:
    return "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", {})
