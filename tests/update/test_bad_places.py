"""Roots that cannot be worked on: a sentence that names the place and what to do."""

from __future__ import annotations

import errno
import os

import pytest

from spacetimedb_update.errors import disk_error
from spacetimedb_update.ports.files import RealFiles

from .world import QuickFiles


@pytest.mark.parametrize(
    "command", [("install", "2.10.0"), ("upgrade",), ("use", "2.10.0"), ("list",), ("gc", "-y")]
)
def test_a_root_that_is_a_file(tool, command):
    tool.root.write_text("I am a file")
    outcome = tool(*command)
    assert outcome.exit == 1
    assert "a file stands where a folder should be" in outcome.err
    assert "--root-dir" in outcome.err
    assert tool.root.read_text() == "I am a file"


def test_a_bin_that_is_a_file(tool):
    tool.root.mkdir()
    tool.bin.write_text("")
    outcome = tool("install", "2.10.0")
    assert outcome.exit == 1
    assert "{root}/bin" in outcome.err


def test_links_that_lead_in_a_circle(tool):
    tool.root.mkdir()
    tool.bin.symlink_to("bin")
    outcome = tool("install", "2.10.0")
    assert outcome.exit == 1
    assert "the links there lead in a circle" in outcome.err or "something else stands there" in outcome.err


def test_a_version_that_is_a_link_to_itself(installed):
    tool = installed("2.9.0")
    (tool.bin / "2.10.0").symlink_to("2.10.0")
    outcome = tool("use", "2.10.0")
    assert outcome.exit == 1
    assert "has no spacetimedb-cli" in outcome.err
    assert tool("list").out == "2.10.0\n2.9.0 (current)\n"
    assert tool("uninstall", "2.10.0", "-y").exit == 0


def test_a_read_only_root(installed):
    tool = installed("2.9.0")

    class ReadOnly(QuickFiles):
        def open_new(self, path, executable=False):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

        def make_directory(self, path):
            if not path.exists():
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    tool.files = ReadOnly()
    outcome = tool("install", "2.10.0")
    assert outcome.exit == 1
    assert (
        "the file system is read-only: make it writable, or choose another place with --root-dir"
        in outcome.err
    )
    tool.files = QuickFiles()
    assert tool("list").out == "2.9.0 (current)\n"


def test_too_little_space_is_known_before_anything_is_written(installed):
    tool = installed("2.9.0")

    class Small(QuickFiles):
        def free_bytes(self, path):
            return 1000

    tool.files = Small()
    outcome = tool("install", "2.10.0")
    assert outcome.exit == 1
    assert "spacetime version gc" in outcome.err
    assert tool.leftovers() == []


@pytest.mark.parametrize("command", [("gc", "-y"), ("uninstall", "2.9.0", "-y")])
def test_a_full_disk_does_not_keep_anybody_from_making_room(installed, command):
    class Full(QuickFiles):
        def open_new(self, path, executable=False):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tool = installed("2.9.0", "2.10.0", "2.9.0", "2.10.0")
    if command[0] == "gc":  # else 2.9.0 would be kept to go back to
        (tool.root / "update" / "history.json").unlink()
        (tool.root / "spacetime").symlink_to("bin/2.10.0/spacetimedb-update")
    tool.files = Full()
    outcome = tool(*command)
    assert outcome.exit == 0, outcome.err
    assert not (tool.bin / "2.9.0").exists()
    tool.files = QuickFiles()
    assert tool("install", "2.9.0").exit == 0
    assert tool.leftovers() == []


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.ELOOP, errno.EXDEV, errno.EHOSTDOWN]
)
def test_every_error_of_the_system_is_a_sentence_with_a_place_and_an_advice(number):
    text = str(disk_error(OSError(number, os.strerror(number), "/x/y")))
    assert text.startswith("cannot work on /x/y: ")
    assert ": " in text.removeprefix("cannot work on /x/y: ")


def test_every_file_of_a_version_is_on_the_disk_before_it_has_its_name(tool):
    """No power failure leaves a version whose files are empty."""
    done: list[tuple[str, str]] = []

    class Watching(RealFiles):
        def sync(self, file):
            done.append(
                (
                    "sync",
                    file.name
                    if isinstance(file.name, str)
                    else os.readlink(f"/proc/self/fd/{file.fileno()}"),
                )
            )
            super().sync(file)

        def sync_directory(self, path):
            done.append(("sync", str(path)))
            super().sync_directory(path)

        def rename(self, source, destination):
            done.append(("rename", str(destination)))
            super().rename(source, destination)

    tool.files = Watching()
    assert tool("install", "2.10.0", "--use").exit == 0
    placed = done.index(("rename", str(tool.bin / "2.10.0")))
    synced = {path for kind, path in done[:placed] if kind == "sync"}
    staged = str(tool.root / "update" / "staging" / "2.10.0")
    for path in (tool.bin / "2.10.0").rglob("*"):
        if not path.is_symlink() and ".release" not in path.parts:
            assert path.as_posix().replace(str(tool.bin / "2.10.0"), staged) in synced, path
    selected = done.index(("rename", str(tool.bin / "current")))
    assert ("sync", str(tool.bin)) in done[placed:selected]
    assert ("sync", str(tool.bin)) in done[selected:]
