"""What a release's programs import beside the standard library: our packages, compiled, and what they need.

Everything goes through wheels in one folder: libraries as they are published, in the versions of
`scripts/requirements.lock`, and our own packages, built here from the exported source with the engine compiled.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

from scripts.releasing.commands import BuildError, Run
from scripts.releasing.source import Source

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)$", re.MULTILINE)
WHEEL = re.compile(r"^(?P<name>[^-]+)-(?P<version>[^-]+)-.*\.whl$")
LEFT_OUT = ("*.c", "*.h", "*.hpp", "*.cpp", "*.pyx", "*.pxd", "*.pyi", "*.a", "*.lib", "*.pyc")
LEFT_OUT_FOLDERS = ("tests", "test", "SelfTest", "__pycache__", "bin", "Scripts")
RECORDS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""Written by the installer: they speak of its run, or of files that were left out."""


def read_lock(path: Path) -> dict[str, str]:
    """The version of each distribution by its normalized name."""
    return {normalized(name): version for name, version in PIN.findall(path.read_text(encoding="utf-8"))}


def normalized(name: str) -> str:
    """The form in which two spellings of a distribution's name are equal."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fetch_wheels(source: Source, wheels: Path, run: Run) -> None:
    """Fetch every library that the project needs, directly or not. Raises `BuildError` for an unlocked one."""
    project = tomllib.loads((source.path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = source.path / "scripts" / "requirements.lock"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--only-binary=:all:", "--constraint", lock, "--dest", wheels, *project["dependencies"]])
    check_locked(wheels, read_lock(lock))


def check_locked(wheels: Path, lock: dict[str, str]) -> None:
    """Raise `BuildError` unless each wheel has the version that the lock file names."""
    for path in sorted(wheels.glob("*.whl")):
        found = WHEEL.match(path.name)
        name, version = (normalized(found["name"]), found["version"]) if found else (path.name, "")
        if lock.get(name) != version:
            raise BuildError(
                f"{path.name} is not what scripts/requirements.lock names ({name}=={lock.get(name)}): "
                f"bring the lock file up to date"
            )


def build_own_wheel(source: Source, wheels: Path, run: Run) -> None:
    """Compile and pack our packages. The compiled engine is a condition, not a wish."""
    environment = {
        "STDB_COMPILED": "1",
        "SOURCE_DATE_EPOCH": str(source.epoch),
        "PYTHONHASHSEED": "0",
        "CFLAGS": f"-g0 {shlex.quote(f'-ffile-prefix-map={source.path}=.')}"
        if sys.platform != "win32"
        else "",
    }
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--no-build-isolation", "--wheel-dir", wheels, "."], cwd=source.path, more_env=environment)


def install(wheels: Path, into: Path, run: Run) -> None:
    """Unpack the wheels into `into` and take away what no program reads."""
    found = sorted(wheels.glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--no-compile", "--no-index", "--no-warn-script-location", "--target", into, *found])
    trim(into)


def trim(packages: Path) -> None:
    """Remove tests, sources of compiled modules, and the installer's own records."""
    for name in LEFT_OUT_FOLDERS:
        for folder in sorted(packages.rglob(name)):
            if folder.is_dir():
                shutil.rmtree(folder)
    for pattern in (*LEFT_OUT, *(f"*.dist-info/{name}" for name in RECORDS)):
        for path in sorted(packages.rglob(pattern)):
            path.unlink()


def listed(wheels: Path, lock_name: str) -> str:
    """A line a wheel, with its SHA-256: what a release was made of. Our own is left out: it is the source."""
    own = normalized(lock_name)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(wheels.glob("*.whl"))
        if normalized(path.name.partition("-")[0]) != own
    ]
    return "\n".join(lines) + "\n"
