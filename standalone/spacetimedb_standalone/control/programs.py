"""Published programs, kept as files named by the Keccak-256 hash of their bytes.

The program that initialised a database is here until the database's own log holds it, and again when the
database is emptied without a new one. A file whose bytes do not match its name is removed and counts as
missing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spacetimedb_lib.hashing import keccak256
from spacetimedb_paths.server import ProgramBytesDir


class ProgramNotFound(Exception):
    """The program's file is missing or damaged: the disk's fault, or a program that was never here."""

    def __init__(self, program: bytes):
        super().__init__(f"program {program.hex()} not found")


class ProgramStore:
    def __init__(self, directory: ProgramBytesDir):
        self._directory = directory

    def path(self, program: bytes) -> Path:
        """Where the program with this hash is, or would be."""
        return self._directory.program(program.hex()).path

    def put(self, data: bytes) -> bytes:
        """Store a program durably; its hash."""
        program = keccak256(data)
        file = self._directory.program(program.hex())
        if not self._holds(file.path, program):
            _make_durable_directory(file.path.parent)
            file.write(data)
        return program

    def get(self, program: bytes) -> bytes:
        """Raises `ProgramNotFound`."""
        path = self.path(program)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ProgramNotFound(program) from None
        if keccak256(data) != program:
            path.unlink(missing_ok=True)
            raise ProgramNotFound(program)
        return data

    def _holds(self, path: Path, program: bytes) -> bool:
        try:
            return keccak256(path.read_bytes()) == program
        except FileNotFoundError:
            return False


def _make_durable_directory(directory: Path) -> None:
    """Make `directory`, and make its own entry last through a crash."""
    if directory.is_dir():
        return
    directory.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        return
    for parent in (directory.parent, directory.parent.parent):
        descriptor = os.open(parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
