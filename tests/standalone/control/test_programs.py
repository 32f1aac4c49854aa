"""The store of published programs."""

from pathlib import Path, PurePath

import pytest

from spacetimedb_lib.hashing import keccak256
from spacetimedb_paths.server import ProgramBytesDir
from spacetimedb_standalone.control.programs import ProgramNotFound, ProgramStore


@pytest.fixture
def store(tmp_path: Path) -> ProgramStore:
    return ProgramStore(ProgramBytesDir(PurePath(tmp_path / "program-bytes")))


def test_a_program_is_kept_under_its_hash(store: ProgramStore, tmp_path: Path) -> None:
    program = store.put(b"")
    assert program.hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert store.path(program) == tmp_path / "program-bytes" / "c5" / program.hex()[2:]
    assert store.get(program) == b""


def test_storing_the_same_again_changes_nothing(store: ProgramStore) -> None:
    program = store.put(b"module")
    before = store.path(program).stat().st_ino
    assert store.put(b"module") == program
    assert store.path(program).stat().st_ino == before


def test_a_damaged_file_is_removed_and_can_be_stored_again(store: ProgramStore) -> None:
    program = store.put(b"module")
    store.path(program).write_bytes(b"modul3")
    with pytest.raises(ProgramNotFound, match=f"^program {program.hex()} not found$"):
        store.get(program)
    assert not store.path(program).exists()
    store.path(program).write_bytes(b"half")
    assert store.put(b"module") == program
    assert store.get(program) == b"module"


def test_a_program_that_was_never_here(store: ProgramStore) -> None:
    with pytest.raises(ProgramNotFound):
        store.get(keccak256(b"other"))
