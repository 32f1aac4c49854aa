"""Shared libraries of a runtime folder on macOS: the same job as `natives`, with that system's tools.

What lies in `/usr/lib` and `/System` is the system's own and stays there. Everything else is copied into `lib/`;
each file refers to it by a path seen from itself (`@loader_path`), and is signed anew, since a changed file does
not run there otherwise. The signature is the ad-hoc kind, which has no owner.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from scripts.releasing.commands import BuildError, Run

REFERENCE = re.compile(r"^\s+(\S+) \(compatibility version", re.MULTILINE)
OF_THE_SYSTEM = ("/usr/lib/", "/System/")
MAGICS = frozenset({b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"})


def mach_files(folder: Path) -> list[Path]:
    """Every executable or library below `folder`, sorted."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and _magic(path) in MAGICS]


def references(path: Path, run: Run) -> list[str]:
    """The libraries that a file loads, as it names them; its own name is not among them."""
    lines = run(["otool", "-L", path])
    return [name for name in REFERENCE.findall(lines) if Path(name).name != path.name]


def complete(runtime: Path, libraries: Path, run: Run) -> list[Path]:
    """Copy in what the files of `runtime` load and the system does not bring; the places it came from."""
    taken: dict[str, Path] = {}
    todo = mach_files(runtime)
    while todo:
        for name in references(todo.pop(), run):
            if name.startswith((*OF_THE_SYSTEM, "@")) or Path(name).name in taken:
                continue
            if not Path(name).is_file():
                raise BuildError(f"a library is missing on this machine: install what brings {name}")
            copy = libraries / Path(name).name
            if not copy.exists():
                libraries.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(name, copy)
            taken[copy.name] = Path(name)
            todo.append(copy)
    return [place for _, place in sorted(taken.items())]


def relocate(files: Iterable[Path], libraries: Path, run: Run) -> None:
    """Make each file refer to the copies in `libraries`, seen from itself, and sign it."""
    for path in files:
        path.chmod(0o755)
        folder = os.path.relpath(libraries, path.parent)
        changes = [
            word
            for name in references(path, run)
            if not name.startswith((*OF_THE_SYSTEM, "@")) and (libraries / Path(name).name).exists()
            for word in ("-change", name, f"@loader_path/{folder}/{Path(name).name}")
        ]
        if changes:
            run(["install_name_tool", *changes, path])
        run(["codesign", "--force", "--sign", "-", path])


def strip(files: Iterable[Path], run: Run) -> None:
    """Take out what only a debugger reads."""
    for path in files:
        path.chmod(0o755)
        run(["strip", "-x", "-S", path])


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)
