"""The platforms that releases are made for, by the names that archives carry."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import Literal

from scripts.releasing.commands import BuildError

System = Literal["linux", "macos", "windows"]

TRIPLES: dict[tuple[System, str], str] = {
    ("linux", "x86_64"): "x86_64-unknown-linux-gnu",
    ("linux", "aarch64"): "aarch64-unknown-linux-gnu",
    ("macos", "arm64"): "aarch64-apple-darwin",
    ("macos", "x86_64"): "x86_64-apple-darwin",
    ("windows", "amd64"): "x86_64-pc-windows-msvc",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A platform: its operating system and the triple in the names of its archives."""

    system: System
    triple: str

    @classmethod
    def of(cls, system: System, machine: str) -> Target:
        """The target of a machine as Python names it. Raises `BuildError` where none is published."""
        triple = TRIPLES.get((system, machine.lower()))
        if triple is None:
            raise BuildError(f"no release is made for {system} on {machine}: build on one of {known()}")
        return cls(system, triple)

    @classmethod
    def here(cls) -> Target:
        """The platform this process runs on, whose C library must be glibc on Linux."""
        system: System = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")  # type: ignore[assignment]
        if system == "linux" and platform.libc_ver()[0] != "glibc":
            raise BuildError(
                "releases for Linux are built with glibc, and this Python uses another C library"
            )
        return cls.of(system, platform.machine())

    @property
    def is_windows(self) -> bool:
        return self.system == "windows"

    @property
    def archive_name(self) -> str:
        return f"spacetime-{self.triple}.{'zip' if self.is_windows else 'tar.gz'}"

    def program(self, name: str) -> str:
        """The file name of a program."""
        return f"{name}.exe" if self.is_windows else name


def known() -> str:
    return ", ".join(TRIPLES.values())
