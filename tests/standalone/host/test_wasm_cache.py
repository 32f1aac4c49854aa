"""Compiled code on disk is used only when it is whole, and losing it costs nothing but time."""

import os
from pathlib import Path

from spacetimedb_standalone.host.wasm.cache import KEEP, CompiledCache


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    cache = CompiledCache(tmp_path / "new" / "folder", "engine 1")
    assert cache.load(b"program") is None
    cache.save(b"program", b"code")
    assert cache.load(b"program") == b"code"
    assert cache.load(b"other program") is None
    assert [path.suffix for path in (tmp_path / "new" / "folder").iterdir()] == [".cwasm"], (
        "no drafts are left"
    )


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    cache = CompiledCache(tmp_path, "engine 1")
    cache.save(b"program", b"code")
    assert cache.path(b"program").stat().st_mode & 0o777 == 0o600


def test_another_engine_does_not_see_it(tmp_path: Path) -> None:
    CompiledCache(tmp_path, "engine 1").save(b"program", b"code")
    assert CompiledCache(tmp_path, "engine 2").load(b"program") is None


def test_a_damaged_file_is_none_at_all(tmp_path: Path) -> None:
    cache = CompiledCache(tmp_path, "engine 1")
    cache.save(b"program", b"code" * 100)
    path = cache.path(b"program")
    whole = path.read_bytes()
    for damaged in (b"", whole[:20], whole[:-1], whole[:-1] + b"!", b"?" + whole[1:], whole + b"x"):
        path.write_bytes(damaged)
        assert cache.load(b"program") is None
    cache.save(b"program", b"code")
    assert cache.load(b"program") == b"code"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = CompiledCache(tmp_path / "file" / "folder", "engine 1")
    cache.save(b"program", b"code")
    assert cache.load(b"program") is None


def test_the_oldest_entries_go(tmp_path: Path) -> None:
    cache = CompiledCache(tmp_path, "engine 1")
    for n in range(KEEP):
        cache.save(b"%d" % n, b"code")
        os.utime(cache.path(b"%d" % n), (n, n))
    cache.save(b"new", b"code")
    assert cache.load(b"0") is None
    assert cache.load(b"1") == cache.load(b"new") == b"code"
