"""The interpreter of a release: the one that builds it, copied, without what none of our programs imports.

Layout of the runtime folder on Unix; Windows has its standard library in `Lib`, compiled modules in `DLLs`::

    python                        an interpreter (built by `launchers`)
    lib/libpython3.11.so.1.0      where this Python has a shared library
    lib/python3.11/               the standard library
    lib/python3.11/lib-dynload/   its compiled modules
    lib/python3.11/site-packages/ everything else
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.releasing.commands import BuildError
from scripts.releasing.target import Target

LEFT_OUT_FOLDERS = frozenset(
    {
        *("__pycache__", "site-packages", "dist-packages", "lib-dynload"),
        *("test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "pydoc_data"),
    }
)
LEFT_OUT_FILES = ("sitecustomize.py", "EXTERNALLY-MANAGED", "turtle.py", "*.pyc", "*.exe", "*.bat")
LEFT_OUT_MODULES = frozenset(
    {
        # graphics and sound
        *("_tkinter", "ossaudiodev", "_curses", "_curses_panel"),
        # line editing: its library may only be passed on under the GPL; the SQL shell does without
        "readline",
        # network information service, passwords
        *("nis", "_crypt", "spwd"),
        # databases of the system
        *("_dbm", "_gdbm"),
        # tests of the interpreter itself
        *("_ctypes_test", "_testbuffer", "_testcapi", "_testclinic", "_testimportmultiple"),
        *("_testinternalcapi", "_testmultiphase", "_xxtestfuzz", "xxlimited", "xxlimited_35"),
        *("_xxsubinterpreters", "_testsinglephase"),
    }
)
NEUTRAL_PREFIX = "/install"
"""Stands for the place where the interpreter was built, in the files that remember it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are within a runtime folder, as slashed relative paths."""

    stdlib: str
    dynload: str
    packages: str
    libraries: str = "lib"

    @classmethod
    def of(cls, target: Target, version: tuple[int, int]) -> Layout:
        if target.is_windows:
            return cls("Lib", "DLLs", "Lib/site-packages", ".")
        stdlib = f"lib/python{version[0]}.{version[1]}"
        return cls(stdlib, f"{stdlib}/lib-dynload", f"{stdlib}/site-packages")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What there is to know about the interpreter that is copied.

    `shared_library` is None where the interpreter is a single executable; then `static_library` is linked.
    """

    prefix: Path
    stdlib: Path
    dynload: Path
    include: Path
    shared_library: Path | None
    static_library: Path | None
    link_flags: tuple[str, ...]

    @classmethod
    def running(cls, variables: Mapping[str, str | int | None] | None = None) -> Interpreter:
        """The one this process runs on. Raises `BuildError` if programs cannot be linked with it."""
        known = sysconfig.get_config_vars() if variables is None else variables
        folder = Path(str(known.get("LIBDIR") or ""))
        shared = folder / str(known.get("INSTSONAME") or known.get("LDLIBRARY") or "")
        if known.get("PYTHONFRAMEWORK"):
            shared = Path(str(known.get("PYTHONFRAMEWORKPREFIX"))) / str(known.get("LDLIBRARY"))
        static = Path(str(known.get("LIBPL") or "")) / str(known.get("LIBRARY") or "")
        has_shared = bool(known.get("Py_ENABLE_SHARED") or known.get("PYTHONFRAMEWORK")) and shared.is_file()
        base = Path(sys.base_prefix)
        if sys.platform == "win32":
            shared, has_shared = base / f"python{sys.version_info[0]}{sys.version_info[1]}.dll", True
        if not has_shared and not static.is_file():
            raise BuildError(
                f"the Python in {base} has no library to link with: install its development files"
            )
        return cls(
            base,
            Path(sysconfig.get_path("stdlib")),
            Path(str(known.get("DESTSHARED") or base / "DLLs")),
            Path(sysconfig.get_path("include", vars={"installed_base": str(base)})),
            shared if has_shared else None,
            None if has_shared else static,
            tuple(f"{known.get('LIBS') or ''} {known.get('SYSLIBS') or ''}".split()),
        )


def copy_interpreter(interpreter: Interpreter, layout: Layout, target: Target, runtime: Path) -> None:
    """Fill the folder `runtime`. Nothing of the machine's own packages comes along."""
    shutil.copytree(interpreter.stdlib, runtime / layout.stdlib, ignore=_left_out)
    _copy_modules(interpreter.dynload, runtime / layout.dynload)
    if interpreter.shared_library is not None:
        libraries = runtime / layout.libraries
        libraries.mkdir(exist_ok=True)
        shutil.copy(interpreter.shared_library, libraries)
        if target.is_windows:  # what comes beside it belongs to it
            for library in interpreter.prefix.glob("vcruntime*.dll"):
                shutil.copy(library, libraries)
    forget_place(runtime / layout.stdlib, interpreter.prefix)


def forget_place(stdlib: Path, prefix: Path) -> None:
    """Take the place where the interpreter was built out of the settings it remembers from then."""
    for path in stdlib.glob("_sysconfigdata*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(str(prefix), NEUTRAL_PREFIX), encoding="utf-8")


def _left_out(folder: str, names: list[str]) -> set[str]:
    config = {name for name in names if name.startswith("config-")}
    return config | (LEFT_OUT_FOLDERS & set(names)) | shutil.ignore_patterns(*LEFT_OUT_FILES)(folder, names)


def _copy_modules(source: Path, into: Path) -> None:
    into.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name.partition(".")[0] not in LEFT_OUT_MODULES and path.suffix != ".exe":
            shutil.copy(path, into)
