"""Reading, making and replacing what a typed path names."""

import os
import stat
from pathlib import Path

import pytest

from spacetimedb_paths import atomic
from spacetimedb_paths.atomic import write_atomically
from spacetimedb_paths.typed import TypedDir, TypedFile


def test_a_directory_is_made_with_its_parents_and_listed(tmp_path):
    directory = TypedDir(tmp_path / "a" / "b")
    assert not directory.is_dir()
    directory.create()
    directory.create()
    assert directory.is_dir()
    (tmp_path / "a" / "b" / "file").touch()
    assert [entry.name for entry in directory.read_dir()] == ["file"]


def test_a_file_is_written_and_read(tmp_path):
    file = TypedFile(tmp_path / "deep" / "file")
    assert not file.exists()
    file.write("grüße")
    assert file.read() == "grüße".encode()
    assert file.read_to_string() == "grüße"
    assert file.metadata().st_size == len("grüße".encode())
    file.write(b"second")
    assert file.read() == b"second"


def test_open_file_makes_the_parent(tmp_path):
    with TypedFile(tmp_path / "x" / "y").open_file("ab") as file:
        file.write(b"appended")
    assert (tmp_path / "x" / "y").read_bytes() == b"appended"


def test_a_written_file_is_private(tmp_path):
    TypedFile(tmp_path / "secret").write(b"token")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["/", "."])
def test_a_path_without_a_directory_cannot_be_replaced(path):
    with pytest.raises(OSError, match=r"cannot replace .* without enclosing directory"):
        write_atomically(Path(path), b"")


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_file_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(atomic.os, "fsync", lambda fd: (order.append("sync"), fsync(fd))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (order.append("rename"), replace(self, to))[1])
    write_atomically(tmp_path / "file", b"data")
    assert order == ["sync", "rename", "sync"]  # the file, its name, the directory
