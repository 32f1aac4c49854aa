"""Shared libraries of a runtime folder on Linux: complete, stripped, and found wherever the folder lies.

Every compiled file may load other libraries by name. Those that every Linux with glibc has are left to the
system; all others are copied into `lib/`, and each file is told to look there, seen from itself
(`$ORIGIN/../..`). The tag for that is the older one (RPATH), which a user's LD_LIBRARY_PATH does not override.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from scripts.releasing.commands import BuildError, Run

OF_THE_SYSTEM = re.compile(
    r"(linux-vdso|ld-linux[^.]*|libc|libm|libdl|libpthread|librt|libutil|libresolv|libgcc_s|libstdc\+\+)\.so(\.\d+)*"
)
LOADED = re.compile(r"^\s*(\S+) => (\S+|not found)(?: \(0x[0-9a-f]+\))?$", re.MULTILINE)
GLIBC = re.compile(r"\bGLIBC_(\d+)\.(\d+)(?:\.\d+)?\b")
SEARCH = re.compile(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]")
MAGIC = b"\x7fELF"


def elf_files(folder: Path) -> list[Path]:
    """Every executable or library below `folder`, sorted."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and _starts_with(path, MAGIC)]


def complete(runtime: Path, libraries: Path, run: Run) -> list[Path]:
    """Copy in what the files of `runtime` load and every system may lack; the places it came from.

    Raises `BuildError` for a library that this machine does not have either.
    """
    taken: dict[str, Path] = {}
    libraries.mkdir(parents=True, exist_ok=True)
    for path in elf_files(runtime):
        told = run(["ldd", path], more_env={"LD_LIBRARY_PATH": str(libraries)})
        for name, place in LOADED.findall(told):
            if OF_THE_SYSTEM.fullmatch(name) or Path(place).is_relative_to(runtime):
                continue
            if place == "not found":
                raise BuildError(f"{path.name} needs {name}, which this machine does not have: install it")
            taken.setdefault(name, Path(place))
    for name, place in sorted(taken.items()):
        shutil.copyfile(place, libraries / name)
    return [place for _, place in sorted(taken.items())]


def strip(files: Iterable[Path], run: Run) -> None:
    """Take out what only a debugger reads."""
    for path in files:
        path.chmod(0o755)
        run(["strip", "--strip-unneeded", path])


def relocate(files: Iterable[Path], libraries: Path, patchelf: Path, run: Run) -> None:
    """Make each file look for libraries in `libraries`, and nowhere that only this machine has.

    Search paths that are already seen from the file itself (a package's own libraries) stay.
    """
    for path in files:
        relative = os.path.relpath(libraries, path.parent)
        wanted = ["$ORIGIN" if relative == "." else f"$ORIGIN/{relative}"]
        if found := SEARCH.search(run(["readelf", "--dynamic", "--wide", path])):
            wanted += [place for place in found[1].split(":") if place.startswith("$ORIGIN")]
        search = ":".join(dict.fromkeys(wanted))
        run([patchelf, "--force-rpath", "--set-rpath", search, path])


def needed_glibc(files: Iterable[Path], run: Run) -> str:
    """The oldest glibc that every one of `files` runs with, such as `2.35`."""
    needed = (2, 17)
    for path in files:
        for major, minor in GLIBC.findall(run(["readelf", "--version-info", "--wide", path])):
            needed = max(needed, (int(major), int(minor)))
    return f"{needed[0]}.{needed[1]}"


def copy_licences(libraries: Iterable[Path], into: Path, run: Run) -> list[str]:
    """Copy the licences of system libraries as Debian keeps them; the names of libraries without one."""
    without = []
    into.mkdir(parents=True, exist_ok=True)
    for library in libraries:
        owner = _owner(library, run)
        text = Path("/usr/share/doc") / owner / "copyright"
        if owner and text.is_file():
            shutil.copyfile(text, into / f"{owner}.txt")
        else:
            without.append(library.name)
    return without


def _owner(library: Path, run: Run) -> str:
    """The package that installed a library; empty if none is known.

    The package's records may hold either of two names of its folder: `/lib` leads to `/usr/lib`.
    """
    real = str(library.resolve())
    for place in (real, real.removeprefix("/usr")):
        try:
            return run(["dpkg-query", "--search", place]).partition(":")[0]
        except BuildError:
            continue
    return ""


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
