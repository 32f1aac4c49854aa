"""Which machine this is: the name of its releases, and why there may be none for it."""

from __future__ import annotations

import platform as interpreter_platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spacetimedb_paths import Platform

Libc = Literal["gnu", "musl", ""]

_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
_VENDORS = {"linux": "unknown-linux-gnu", "macos": "apple-darwin", "windows": "pc-windows-msvc"}
_PUBLISHED = frozenset(
    {
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
        "x86_64-pc-windows-msvc",
    }
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A platform with its processor and C library; tests make other ones."""

    platform: Platform
    architecture: str
    libc: Libc = ""
    libc_version: tuple[int, ...] = ()
    bits: int = 64

    @classmethod
    def current(cls) -> Machine:
        """The machine that this process runs on."""
        platform = Platform.current()
        name = interpreter_platform.machine().lower()
        libc, version = _libc() if platform.system == "linux" else ("", ())
        bits = 64 if sys.maxsize > 1 << 32 else 32
        return cls(platform, _ARCHITECTURES.get(name, name), libc, version, bits)

    @property
    def is_windows(self) -> bool:
        return self.platform.is_windows

    @property
    def triple(self) -> str:
        """The target that releases for this machine are named by."""
        vendor = _VENDORS[self.platform.system]
        return f"{self.architecture}-{'unknown-linux-musl' if self.libc == 'musl' else vendor}"

    @property
    def archive_name(self) -> str:
        return archive_name(self.triple)

    def unsupported(self) -> str | None:
        """Why no release runs here, as a sentence with what to do instead; None where all is well."""
        instead = "install from source with pip instead"
        if self.bits == 32:
            return f"there are no releases for 32-bit systems: {instead}"
        if self.libc == "musl":
            return f"there are no releases for musl systems such as Alpine: use a glibc system, or {instead}"
        if self.triple not in _PUBLISHED:
            return f"there are no releases for {self.triple}: {instead}"
        return None

    def too_old_for(self, glibc: str) -> str | None:
        """Why programs that need this version of glibc (as in `2.35`) do not run here; None where they do."""
        needed = _numbers(glibc)
        if self.libc != "gnu" or not self.libc_version or not needed or self.libc_version >= needed:
            return None
        return (
            f"this system has glibc {'.'.join(map(str, self.libc_version))}, the release needs {glibc} or newer: "
            "upgrade the system, or install from source with pip instead"
        )


def archive_name(triple: str) -> str:
    """The file name of a release for a target."""
    return f"spacetime-{triple}.{'zip' if 'windows' in triple else 'tar.gz'}"


def _libc() -> tuple[Libc, tuple[int, ...]]:
    name, version = interpreter_platform.libc_ver()
    if name == "glibc":
        return "gnu", _numbers(version)
    return ("musl", ()) if any(Path("/lib").glob("ld-musl-*")) else ("gnu", ())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
