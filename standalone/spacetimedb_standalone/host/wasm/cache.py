"""Compiled modules on disk, so that a database starts without compiling its module again.

A file holds what wasmtime made of one program: 8 bytes of magic, the SHA-256 of the rest, the rest. Its
name says which program, which wasmtime and which settings. Compiled code is trusted when it is loaded, so
a file counts only if its digest is right; whatever is wrong with it, it is compiled anew. The directory
may be deleted at any time, hence nothing here is synced to disk.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

MAGIC = b"stdbwsm1"
SUFFIX = ".cwasm"
KEEP = 64
"""Entries kept; older ones go when a new one is written."""


class CompiledCache:
    def __init__(self, folder: Path, fingerprint: str) -> None:
        """`fingerprint` names everything but the program that compiled code depends on."""
        self._folder = folder
        self._fingerprint = fingerprint

    def path(self, program: bytes) -> Path:
        key = hashlib.sha256(self._fingerprint.encode() + b"\0" + program).hexdigest()
        return self._folder / f"{key}{SUFFIX}"

    def load(self, program: bytes) -> bytes | None:
        """The compiled form; None if there is none that is whole."""
        try:
            data = self.path(program).read_bytes()
        except OSError:
            return None
        code = data[40:]
        if data[:8] != MAGIC or data[8:40] != hashlib.sha256(code).digest():
            return None
        return code

    def save(self, program: bytes, code: bytes | bytearray) -> None:
        """Best effort: a full disk or a read-only folder only costs the time of the next start."""
        path = self.path(program)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(MAGIC + hashlib.sha256(code).digest())
                    file.write(code)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
            self._prune()

    def drop(self, program: bytes) -> None:
        with contextlib.suppress(OSError):
            self.path(program).unlink(missing_ok=True)

    def _prune(self) -> None:
        entries = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in entries[KEEP:]:
            path.unlink(missing_ok=True)
