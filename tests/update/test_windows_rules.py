"""What is different on Windows, tried on this system through the machine that is passed in.

Junctions are links here, and programs end in `.exe`; the order of operations is what counts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spacetimedb_paths import Platform, SpacetimePaths
from spacetimedb_paths.cli import BinDir, BinFile, ConfigDir
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_update.changes import plans
from spacetimedb_update.changes.executor import Executor, Supply
from spacetimedb_update.changes.recovery import recover
from spacetimedb_update.commands.run import Run
from spacetimedb_update.installation.site import Site
from spacetimedb_update.ports.machine import Machine, archive_name
from spacetimedb_update.selfinstall.completions import completion_files, powershell

from .test_archives import zipped
from .trouble import KILLED, Killer, in_a_process
from .world import BASE, WINDOWS, MemoryNet, Publisher, QuickFiles, Tool, release_files


class WindowsFiles(QuickFiles):
    """Junctions cannot be replaced, a running program cannot be removed."""

    def __init__(self, running: frozenset[str] = frozenset()) -> None:
        self.running = running
        self.done: list[str] = []

    def make_junction(self, link: Path, target: Path) -> None:
        self.done.append(f"junction {link.name} -> {target.name}")
        link.symlink_to(target.absolute(), target_is_directory=True)

    def make_link(self, link: Path, text: str) -> None:
        raise PermissionError(1314, "A required privilege is not held by the client", str(link))

    def rename(self, source: Path, destination: Path) -> None:
        if destination.is_symlink() or (destination.name in self.running and destination.exists()):
            raise PermissionError(13, "Access is denied", str(destination))
        super().rename(source, destination)

    def remove_file(self, path: Path) -> None:
        if path.name.partition(".exe")[0] + ".exe" in self.running:
            raise PermissionError(13, "Access is denied", str(path))
        super().remove_file(path)


@pytest.fixture(scope="module")
def windows_publisher(tmp_path_factory):
    made = Publisher.create(tmp_path_factory.mktemp("windows"))
    for version in ("2.9.0", "2.10.0"):
        made.release(version, zipped(release_files(version, windows=True)), WINDOWS)
    return made


@pytest.fixture
def windows(tmp_path, windows_publisher):
    """A `Run` of the version manager under the rules of Windows."""
    net = MemoryNet()
    net.serve(BASE, windows_publisher.files())
    machine = Machine(Platform("windows"), "x86_64")
    tool = Tool(tmp_path / "root", net, windows_publisher.anchor, files=WindowsFiles(), machine=machine)
    root = tmp_path / "root"
    paths = SpacetimePaths(
        ConfigDir(root / "config"),
        BinFile(root / "spacetime.exe"),
        BinDir(root / "bin"),
        ServerDataDir(root / "data"),
    )
    return Run(tool.host, Site(paths, windows=True))


def bring(run: Run, version: str) -> None:
    releases = run.releases()
    catalogue = releases.catalogue(run.host.clock.now())
    artifact = run.artifact(catalogue, version)
    with run.change("test"):
        plan = plans.upgrade(run.survey(), artifact, False, with_backup=False)
        Executor(run.site, run.host, Supply(releases, catalogue.trusted.documents["targets"])).run(plan)


def test_the_target_and_its_archive():
    machine = Machine(Platform("windows"), "x86_64")
    assert machine.triple == WINDOWS
    assert machine.archive_name == archive_name(WINDOWS) == "spacetime-x86_64-pc-windows-msvc.zip"
    assert machine.unsupported() is None
    assert "aarch64-pc-windows-msvc" in (Machine(Platform("windows"), "aarch64").unsupported() or "")


def test_macs_have_targets_of_their_own():
    assert Machine(Platform("macos"), "aarch64").triple == "aarch64-apple-darwin"
    assert Machine(Platform("macos"), "x86_64").archive_name == "spacetime-x86_64-apple-darwin.tar.gz"
    assert Machine(Platform("macos"), "aarch64").unsupported() is None


def test_a_release_comes_as_zip_with_exe_programs(windows):
    bring(windows, "2.10.0")
    there = windows.survey()
    assert there.current == "2.10.0"
    assert windows.site.program("2.10.0", "spacetimedb-cli").name == "spacetimedb-cli.exe"
    assert windows.host.files.done == ["junction current -> 2.10.0"]


def test_the_junction_goes_before_the_new_one_comes(windows):
    bring(windows, "2.9.0")
    bring(windows, "2.10.0")
    assert windows.survey().current == "2.10.0"
    assert windows.host.files.done[-1] == "junction current -> 2.10.0"


def test_the_command_is_a_copy_and_knows_where_from(windows):
    bring(windows, "2.9.0")
    command = windows.site.command
    assert not command.is_symlink()
    assert command.read_bytes() == windows.site.program("2.9.0", "spacetimedb-update").read_bytes()
    assert windows.survey().command == "2.9.0"


def test_a_running_command_is_renamed_and_swept_when_it_has_ended(windows):
    bring(windows, "2.9.0")
    running = replace(windows, host=replace(windows.host, files=WindowsFiles(frozenset({"spacetime.exe"}))))
    bring(running, "2.10.0")
    names = sorted(path.name for path in windows.site.command.parent.iterdir() if path.is_file())
    assert names == ["spacetime.exe", "spacetime.exe.old0"]
    assert b"2.10.0" in windows.site.command.read_bytes()
    (windows.site.command.parent / "spacetime.exe").write_bytes(b"as if 2.8.0")
    windows.site.command_origin.write_text("2.8.0")
    bring(windows, "2.10.0")
    names = sorted(path.name for path in windows.site.command.parent.iterdir() if path.is_file())
    assert names == ["spacetime.exe"]


def test_killed_between_the_junctions_the_next_run_sets_the_new_one(windows):
    bring(windows, "2.9.0")
    doomed = replace(windows, host=replace(windows.host, crash_points=Killer("link-prepared", 1)))
    assert in_a_process(lambda: bring(doomed, "2.10.0") or 0) == KILLED
    assert windows.survey().current is None
    recover(windows.site, windows.host)
    assert windows.survey().current == "2.10.0"


def test_killed_between_the_commands_the_next_run_brings_the_old_one_back(windows):
    bring(windows, "2.9.0")
    old = windows.site.command.read_bytes()
    doomed = replace(windows, host=replace(windows.host, crash_points=Killer("command-retired", 1)))
    assert in_a_process(lambda: bring(doomed, "2.10.0") or 0) == KILLED
    assert not windows.site.command.exists()
    recover(windows.site, windows.host)
    assert windows.site.command.read_bytes() == old
    bring(windows, "2.10.0")
    assert b"2.10.0" in windows.site.command.read_bytes()


def test_modes_do_not_count(windows):
    from spacetimedb_update.installation.verify import problems

    bring(windows, "2.10.0")
    windows.site.program("2.10.0", "spacetimedb-cli").chmod(0o644)
    assert problems(windows.site, windows.host.files, "2.10.0", windows.trusted_root()) == []


def test_completions_are_for_powershell(windows):
    found = completion_files(windows.site, {}, None, in_root=False)
    assert [path.name for path in found] == ["spacetime.ps1"]
    assert "Register-ArgumentCompleter -Native -CommandName spacetime" in powershell(windows.site)
