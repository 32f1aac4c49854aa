"""Two real releases behind a real web server, and a machine that has nothing but a shell.

`scripts/test-release` builds the releases and runs these tests; run by themselves they are skipped. It names, in
STDB_RELEASES, a folder with::

    first/     the release repository when it held one release
    second/    the same repository after the second release

Where it may, it runs the tests in a network namespace of their own, and every command of a release runs where the
interpreters of this machine, and this checkout, are hidden by empty folders.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .machine import Machine, Mirror

VARIABLE = "STDB_RELEASES"
CHECKOUT = Path(__file__).parents[2]


def is_cut_off() -> bool:
    """Is there no network but the loopback interface?"""
    return [name for _, name in socket.if_nameindex()] == ["lo"]


def can_hide() -> bool:
    """May commands be given a view of the disk of their own?"""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("unshare") is not None


def pytest_report_header() -> list[str]:
    if VARIABLE not in os.environ:
        return []
    network = "only the loopback interface" if is_cut_off() else "NOT cut off: the machine's own network"
    disk = "interpreters are hidden" if can_hide() else "NOT hidden: only PATH leads to no interpreter"
    return [f"network: {network}", f"disk: {disk}"]


def hidden_folders() -> list[str]:
    """Where this machine's interpreters and this checkout are."""
    base = sys.base_prefix if sys.base_prefix not in ("/usr", "/usr/local") else sysconfig.get_path("stdlib")
    others = (path for folder in ("/usr/lib", "/usr/local/lib") for path in Path(folder).glob("python3*"))
    found = [base, sys.prefix, str(CHECKOUT), *map(str, others)]
    outermost = [path for path in found if not any(path.startswith(f"{other}/") for other in found)]
    return [path for path in dict.fromkeys(outermost) if Path(path).is_dir()]


@pytest.fixture(scope="session")
def releases() -> Path:
    folder = os.environ.get(VARIABLE)
    if folder is None:
        pytest.skip("there are no releases to test: run scripts/test-release")
    return Path(folder)


@contextmanager
def serving(folder: Path) -> Iterator[Mirror]:
    with Mirror(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def bare_machine(folder: Path, url: str) -> Machine:
    """A home and a root of its own, without anything installed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    wasm = folder.with_name("chat.wasm")
    shutil.copyfile(CHECKOUT / "templates/chat-rust/chat.wasm", wasm)
    return Machine(folder, url, wasm, hidden_folders() if can_hide() else [])


@pytest.fixture
def mirror(releases):
    with serving(releases / "first") as server:
        yield server


@pytest.fixture
def new_machine(tmp_path, mirror):
    """Makes machines without anything installed."""
    made: list[Machine] = []

    def make(name: str = "a machine") -> Machine:
        made.append(bare_machine(tmp_path / name, mirror.url))
        return made[-1]

    yield make
    for machine in made:
        machine.stop_server()


@pytest.fixture(scope="session")
def installed_root(releases, tmp_path_factory):
    """A root with the first release: installing takes a while, and a root can be copied."""
    with serving(releases / "first") as server:
        machine = bare_machine(tmp_path_factory.mktemp("installed") / "once", server.url)
        machine.install()
    return machine.root


@pytest.fixture
def machine(new_machine, installed_root):
    """A machine with the first release."""
    made = new_machine()
    shutil.copytree(installed_root, made.root, symlinks=True)
    return made
