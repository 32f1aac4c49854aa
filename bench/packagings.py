"""Ways to make a program that starts without Python being installed, measured side by side.

    python -m bench.packagings dist/2.10.0/spacetime-x86_64-unknown-linux-gnu.tar.gz

One program each: it prints a line, or imports typer. The ways: PyInstaller's folder and single file (if it is
installed), the interpreter tree of a release with its launcher, the same with the standard library in a zip file or
as compiled files alone, and `cython --embed`. The proxy is measured as the release runs it and compiled from the
same source by `cython --embed`; the command line that it becomes is `/bin/true`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from bench.processes import measure, print_table
from bench.startup import install

TRIVIAL = "def main():\n    print('spacetime 2.10.0')\n\nif __name__ == '__main__':\n    main()\n"
TYPER = TRIVIAL.replace("    print", "    import typer\n    print", 1)
PROXY = "from spacetimedb_update.proxy.main import main\nmain()\n"


class Variants:
    """Builds programs below `work` and remembers their commands by name."""

    def __init__(self, work: Path, release: Path) -> None:
        self.work = work
        self.release = release
        self.commands: dict[str, list[str]] = {}

    def bare(self) -> None:
        base = getattr(sys, "_base_executable", sys.executable)
        self.commands["bare interpreter (-I -S)"] = [base, "-I", "-S", "-c", "pass"]
        self.commands["bare interpreter (-I)"] = [base, "-I", "-c", "pass"]

    def trees(self) -> None:
        """The interpreter of the release, with its standard library in several forms."""
        self._tree("interpreter tree", self.release / "runtime")
        for name, change in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
            runtime = self._copied(f"zip {name}")
            zipped(runtime, change)
            self._tree(f"interpreter tree, library zipped ({name})", runtime)
        runtime = self._copied("compiled")
        for path in _library(runtime).rglob("__pycache__/*.pyc"):
            path.rename(path.parents[1] / f"{path.name.partition('.')[0]}.pyc")
        for path in _library(runtime).rglob("*.py"):
            path.unlink()
        self._tree("interpreter tree, compiled files alone", runtime)

    def _tree(self, name: str, runtime: Path) -> None:
        python = str(runtime / "python")
        self.commands[f"{name}: a line"] = [python, "-c", "print('spacetime 2.10.0')"]
        self.commands[f"{name}: typer"] = [python, "-c", "import typer; print('spacetime 2.10.0')"]

    def _copied(self, name: str) -> Path:
        runtime = self.work / name / "runtime"
        shutil.copytree(self.release / "runtime", runtime)
        return runtime

    def frozen(self) -> None:
        """PyInstaller: the folder kind with both programs, the file kind with the first."""
        for name, text, kind in (
            ("a line", TRIVIAL, "onedir"),
            ("typer", TYPER, "onedir"),
            ("a line", TRIVIAL, "onefile"),
        ):
            folder = self.work / f"frozen {kind} {name}"
            folder.mkdir()
            (folder / "program.py").write_text(text)
            options = [f"--{kind}", "--noconfirm", "--log-level=ERROR", "--name=program"]
            _call([sys.executable, "-m", "PyInstaller", *options, "program.py"], folder)
            program = folder / "dist" / "program"
            self.commands[f"PyInstaller {kind}: {name}"] = [
                str(program / "program" if program.is_dir() else program)
            ]

    def embedded(self) -> None:
        """`cython --embed`: the program is C, the interpreter and its library are those of the tree."""
        self.commands["cython --embed: a line"] = [self._embed("line", TRIVIAL)]

    def proxies(self, updates: Path) -> None:
        """The proxy, where the command line that it becomes is a program that does nothing."""
        root = self.work / "proxied"
        (root / "bin" / "nothing").mkdir(parents=True)
        (root / "bin" / "current").symlink_to("nothing")
        (root / "bin" / "nothing" / "spacetimedb-cli").symlink_to("/bin/true")
        self.commands["/bin/true"] = ["/bin/true"]
        for name, program in (
            ("launcher and compiled modules", str(self.release.parents[1] / "spacetime")),
            ("cython --embed of the same source", self._embed("spacetime", joined_proxy(updates))),
        ):
            self.commands[f"proxy, then /bin/true: {name}"] = [program, f"--root-dir={root}", "-V"]

    def _embed(self, name: str, text: str) -> str:
        """A program in `runtime/bin`, where the interpreter finds its library without being told."""
        runtime = self.release / "runtime"
        source, program = self.work / f"{name}.py", runtime / "bin" / name
        program.parent.mkdir(exist_ok=True)
        source.write_text(text)
        _call([sys.executable, "-m", "cython", "--embed", "-3", source.name], self.work)
        library = next((runtime / "lib").glob("libpython3.*"))
        flags = ["-O2", f"-I{sysconfig.get_path('include')}", "-Wl,-rpath,$ORIGIN/../lib"]
        _call(["cc", *flags, f"{name}.c", str(library), "-o", str(program)], self.work)
        return str(program)


def zipped(runtime: Path, compression: int) -> None:
    """Move the library's compiled modules into the zip file that the launcher looks into for its library."""
    library = _library(runtime)
    archive = library.with_name("library.zip")
    with zipfile.ZipFile(archive, "w", compression) as packed:
        for path in sorted(library.rglob("__pycache__/*.pyc")):
            if "site-packages" not in path.parts:
                name = path.parents[1].relative_to(library) / f"{path.name.partition('.')[0]}.pyc"
                packed.write(path, name.as_posix())
    packages, compiled = library / "site-packages", library / "lib-dynload"
    kept = runtime / "kept"
    kept.mkdir()
    for folder in (packages, compiled):
        folder.rename(kept / folder.name)
    shutil.rmtree(library)
    _launcher_for_zip(runtime, library.name)


def _launcher_for_zip(runtime: Path, library: str) -> None:
    source = Path(__file__).parents[1] / "scripts" / "releasing" / "launcher.c"
    places = {
        "TO_RUNTIME": "",
        "STDLIB": "lib/library.zip",
        "DYNLOAD": "kept/lib-dynload",
        "PACKAGES": "kept/site-packages",
    }
    flags = [f'-D{name}=L"{place}"' for name, place in places.items()]
    shared = next((runtime / "lib").glob("libpython3.*"))
    include = f"-I{sysconfig.get_path('include')}"
    search = "-Wl,--disable-new-dtags,-rpath,$ORIGIN/lib"
    _call(["cc", "-O2", include, *flags, str(source), str(shared), search, "-o", "python"], runtime)


def joined_proxy(updates: Path) -> str:
    """All modules of the proxy as one source file, which is what `cython --embed` compiles.

    A module's names become attributes of a stand-in, so that the imports between them go on working.
    """
    parts = ["import sys, types"]
    names = sorted((updates / "spacetimedb_update" / "proxy").glob("*.py"))
    order = [updates / "spacetimedb_update" / "version.py", *names]
    order.sort(key=lambda path: ORDER.index(path.stem))
    parts.append("for name in ('spacetimedb_update', 'spacetimedb_update.proxy'):")
    parts.append("    sys.modules[name] = types.ModuleType(name)")
    for path in order:
        inside = "spacetimedb_update" if path.stem == "version" else "spacetimedb_update.proxy"
        if path.stem == "__init__":
            continue
        body = "\n".join(f"    {line}" for line in path.read_text().splitlines())
        parts += [
            f"def _{path.stem}():",
            body,
            f"    module = types.ModuleType('{inside}.{path.stem}')",
            "    module.__dict__.update(locals())",
            f"    sys.modules['{inside}.{path.stem}'] = module",
            f"    sys.modules['{inside}'].{path.stem} = module",
            f"_{path.stem}()",
        ]
    return "\n".join([*parts, PROXY])


ORDER = (
    *("__init__", "version", "failure", "names", "semver", "flat_json", "arguments", "applet"),
    *("handover", "system", "places", "pins", "selection", "notice", "main"),
)
"""The modules of the proxy, each after those it imports."""


def _library(runtime: Path) -> Path:
    return next((runtime / "lib").glob("python3.*"))


def _call(argv: Sequence[str], folder: Path) -> None:
    done = subprocess.run(list(argv), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"`{' '.join(argv)}` failed:\n{done.stdout}{done.stderr}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.packagings", description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path, help="what scripts/release made")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument(
        "--ahead", action="store_true", help="run ahead of all other processes (Linux, as root)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="packagings-") as work:
        variants = Variants(Path(work), install(chosen.archive.absolute(), Path(work) / "root"))
        variants.bare()
        variants.trees()
        variants.embedded()
        variants.proxies(Path(__file__).parents[1] / "update")
        if shutil.which("pyinstaller", path=str(Path(sys.executable).parent)):
            variants.frozen()
        if chosen.ahead:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        timings = measure(variants.commands, chosen.rounds, {"PATH": os.defpath, "HOME": work})
    if chosen.json:
        print(json.dumps([timing.as_json() for timing in timings]))
    else:
        print_table(timings)


if __name__ == "__main__":
    main()
