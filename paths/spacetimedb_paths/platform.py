"""What the directory rules need to know about the machine, as a value.

The rules never ask the machine themselves, so that the rules of Windows are tested on Linux: a
`Platform` for Windows makes `PureWindowsPath`s wherever it is used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Literal

System = Literal["linux", "macos", "windows"]


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system, its environment variables, and the folders of the current user.

    `local_app_data` is the known folder of that name (local, not roaming) and only read on Windows.
    """

    system: System
    env: Mapping[str, str] = field(default_factory=dict)
    home: PurePath | None = None
    local_app_data: PurePath | None = None

    @classmethod
    def current(cls) -> Platform:
        """The machine that this process runs on."""
        if sys.platform == "win32":
            return cls("windows", os.environ, Path.home(), _known_local_app_data())
        return cls("macos" if sys.platform == "darwin" else "linux", os.environ, _home())

    @property
    def is_windows(self) -> bool:
        return self.system == "windows"

    def path(self, text: str | PurePath) -> PurePath:
        """`text` as a path in the notation of this system."""
        return PureWindowsPath(text) if self.is_windows else PurePosixPath(text)


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # neither HOME nor an entry in the user database
        return None


def _known_local_app_data() -> PurePath | None:
    """Windows' own answer, which an environment variable may not be overriding."""
    from platformdirs.windows import get_win_folder

    try:
        return PureWindowsPath(get_win_folder("CSIDL_LOCAL_APPDATA"))
    except (OSError, ValueError):
        return None
