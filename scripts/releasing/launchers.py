"""The programs of a release: `launcher.c` compiled once for each."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from scripts.releasing.commands import Run
from scripts.releasing.runtime import Interpreter, Layout
from scripts.releasing.target import Target

PROGRAMS = {
    "spacetimedb-update": "spacetimedb_update.proxy.main",
    "spacetimedb-cli": "spacetimedb_cli.__main__",
    "spacetimedb-standalone": "spacetimedb_standalone.__main__",
}
"""Each program and the module whose `main()` it runs."""

SOURCE = Path(__file__).with_name("launcher.c")


def compile_all(folder: Path, interpreter: Interpreter, layout: Layout, target: Target, run: Run) -> None:
    """Put the programs into `folder`, and an interpreter into `folder/runtime`."""
    for name, module in PROGRAMS.items():
        defines = [
            *_defines(layout),
            _wide("MODULE", module),
            _wide("TO_RUNTIME", _slashed(target, "/runtime")),
        ]
        _compile(
            folder / target.program(name), defines, f"runtime/{layout.libraries}", interpreter, target, run
        )
    defines = [*_defines(layout), _wide("TO_RUNTIME", "")]
    _compile(
        folder / "runtime" / target.program("python"), defines, layout.libraries, interpreter, target, run
    )


def _defines(layout: Layout) -> list[str]:
    return [
        _wide("STDLIB", layout.stdlib),
        _wide("DYNLOAD", layout.dynload),
        _wide("PACKAGES", layout.packages),
        _wide("CERTIFICATES", f"{layout.packages}/certifi/cacert.pem"),
    ]


def _wide(name: str, text: str) -> str:
    escaped = text.replace("\\", "\\\\")
    return f'-D{name}=L"{escaped}"'


def _slashed(target: Target, path: str) -> str:
    return path.replace("/", "\\") if target.is_windows else path


def _compile(
    program: Path, defines: list[str], libraries: str, interpreter: Interpreter, target: Target, run: Run
) -> None:
    if target.is_windows:
        run(_with_msvc(program, defines, interpreter), cwd=program.parent)
        program.with_suffix(".obj").unlink(missing_ok=True)
        return
    compiler = (os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")).split()
    flags = ["-O2", "-g0", "-Wall", "-Wextra", f"-I{interpreter.include}"]
    linked = _linked_on_macos if target.system == "macos" else _linked_on_linux
    run([*compiler, *flags, *defines, SOURCE, "-o", program, *linked(libraries, interpreter)])


def _linked_on_linux(libraries: str, interpreter: Interpreter) -> list[str | Path]:
    search = f"-Wl,--disable-new-dtags,-rpath,$ORIGIN/{libraries}"
    if interpreter.shared_library is not None:
        return [interpreter.shared_library, search]
    assert interpreter.static_library is not None
    return [interpreter.static_library, *interpreter.link_flags, "-lm", "-Wl,-export-dynamic", search]


def _linked_on_macos(libraries: str, interpreter: Interpreter) -> list[str | Path]:
    search = f"-Wl,-rpath,@loader_path/{libraries}"
    if interpreter.shared_library is not None:
        return [interpreter.shared_library, search]
    assert interpreter.static_library is not None
    return [interpreter.static_library, *interpreter.link_flags, "-Wl,-export_dynamic", search]


def _with_msvc(program: Path, defines: list[str], interpreter: Interpreter) -> list[str | Path]:
    """The library of the interpreter is loaded late: the program says first where it lies."""
    assert interpreter.shared_library is not None
    version = f"{sys.version_info[0]}{sys.version_info[1]}"
    imports = interpreter.prefix / "libs" / f"python{version}.lib"
    compiled: list[str | Path] = [
        "cl",
        "/nologo",
        "/O2",
        f"/I{interpreter.include}",
        *(f"/{word[1:]}" for word in defines),
    ]
    linked: list[str | Path] = [
        imports,
        "delayimp.lib",
        f"/DELAYLOAD:{interpreter.shared_library.name}",
        "/Brepro",
    ]
    return [*compiled, SOURCE, f"/Fe{program}", "/link", *linked]
