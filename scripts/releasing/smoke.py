"""Trying a finished archive the way its users will: unpacked elsewhere, in an environment without anything.

No variable is set, PATH leads to an empty folder, and the place has blanks and other letters in its name. Every
module of ours is imported once, so that nothing was left out that something needs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from scripts.releasing.archive import extract_tar
from scripts.releasing.commands import BuildError, Run
from scripts.releasing.folder import Built

PLACE = "ein Ort für Prüfungen 名"
START_SECONDS = 60.0
IMPORT_ALL = """
import importlib, pkgutil, sys
import spacetimedb_cli, spacetimedb_engine, spacetimedb_lib, spacetimedb_paths
import spacetimedb_standalone, spacetimedb_update
ours = (spacetimedb_cli, spacetimedb_engine, spacetimedb_lib, spacetimedb_paths)
count = 0
for package in (*ours, spacetimedb_standalone, spacetimedb_update):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            count += 1
assert spacetimedb_engine.is_compiled(), "the engine is not compiled"
print(count)
"""


def try_archive(archive: Path, built: Built, work: Path, run: Run) -> list[str]:
    """Unpack below `work` and try everything; what was seen, a line each. Raises `BuildError`."""
    folder = work / PLACE / "bin" / built.source.version
    unpack(archive, folder)
    (work / PLACE / "nothing").mkdir()
    env = bare_environment(work / PLACE)
    cli = folder / built.target.program("spacetimedb-cli")
    seen = [_version(cli, built, env, run)]
    for program in ("spacetimedb-cli", "spacetimedb-update", "spacetimedb-standalone"):
        text = run([folder / built.target.program(program), "--help"], env=env)
        if "Usage" not in text and "usage" not in text:
            raise BuildError(f"`{program} --help` printed no usage: {text[:200]!r}")
    count = run([folder / "runtime" / built.target.program("python"), "-c", IMPORT_ALL], env=env).strip()
    seen.append(f"{count} modules imported, the engine is compiled")
    seen.append(_serve(cli, work / PLACE / "root", env))
    return seen


def unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        return
    extract_tar(archive, folder)


def bare_environment(place: Path) -> dict[str, str]:
    """Nothing but an empty PATH; Windows does not start programs without its own folder."""
    env = {"PATH": str(place / "nothing")}
    if root := os.environ.get("SYSTEMROOT"):
        env["SYSTEMROOT"] = root
    return env


def _version(cli: Path, built: Built, env: dict[str, str], run: Run) -> str:
    text = run([cli, "--version"], env=env)
    version, commit = built.source.version, built.source.commit
    expected = rf"spacetime Path: (.+)\nCommit: {commit}\nspacetimedb tool version {re.escape(version)};"
    found = re.match(expected, text)
    if found is None or Path(found[1]) != cli:
        raise BuildError(f"`--version` of the release is wrong: {text!r}")
    return f"version {version} of commit {commit[:12]}, in {cli.parent}"


def _serve(cli: Path, root: Path, env: dict[str, str]) -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    began = time.monotonic()
    argv = [str(cli), f"--root-dir={root}", "start", f"--listen-addr={address}", "--non-interactive"]
    server = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        while not _answers(f"http://{address}/v1/ping"):
            if server.poll() is not None or time.monotonic() - began > START_SECONDS:
                server.kill()
                said = server.communicate()[0].decode(errors="replace")
                raise BuildError(f"the server of the release does not start: {said.strip()[-2000:]}")
            time.sleep(0.02)
        took = time.monotonic() - began
        server.send_signal(signal.SIGTERM)
        if (code := server.wait(START_SECONDS)) != 0:
            raise BuildError(
                f"the server of the release ended with exit code {code} when it was told to stop"
            )
    finally:
        server.kill()
        server.communicate()
        shutil.rmtree(root, ignore_errors=True)
    return f"the server answered after {took:.2f} s and stopped when told to"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
