"""Where everything starts: the four places that hold all files of SpacetimeDB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from spacetimedb_paths.cli import BinDir, BinFile, ConfigDir, RootDir
from spacetimedb_paths.platform import Platform
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_paths.update import UpdateDir


class NoHomeError(RuntimeError):
    """The user's own folder, below which the defaults lie, is not known."""


@dataclass(frozen=True, slots=True)
class SpacetimePaths:
    """The places of one installation.

    ==================  ====================================  ==================  ==============
    place               Unix (macOS too)                      Windows             under a root R
    ==================  ====================================  ==================  ==============
    `cli_config_dir`    ``$XDG_CONFIG_HOME/spacetime``        ``L\\config``         ``R/config``
    `cli_bin_file`      ``$XDG_BIN_HOME/spacetime``           ``L\\spacetime.exe``  ``R/spacetime``
    `cli_bin_dir`       ``$XDG_DATA_HOME/spacetime/bin``      ``L\\bin``            ``R/bin``
    `data_dir`          ``$XDG_DATA_HOME/spacetime/data``     ``L\\data``           ``R/data``
    ==================  ====================================  ==================  ==============

    L is ``%LocalAppData%\\SpacetimeDB``. XDG variables fall back to ``~/.config``,
    ``~/.local/bin`` and ``~/.local/share``, also when they hold a path that is not absolute.
    """

    cli_config_dir: ConfigDir
    cli_bin_file: BinFile
    cli_bin_dir: BinDir
    data_dir: ServerDataDir

    @classmethod
    def from_root_dir(
        cls, root: RootDir | PurePath | str, platform: Platform | None = None
    ) -> SpacetimePaths:
        """Everything below one directory."""
        base = RootDir((platform or Platform.current()).path(str(root)))
        return cls(
            ConfigDir(base.pure / "config"),
            BinFile(base.executable("spacetime")),
            BinDir(base.pure / "bin"),
            ServerDataDir(base.pure / "data"),
        )

    @classmethod
    def from_platform(cls, platform: Platform | None = None) -> SpacetimePaths:
        """The defaults of the system. Raises `NoHomeError` where they cannot be told."""
        platform = platform or Platform.current()
        if platform.is_windows:
            if platform.local_app_data is None:
                raise NoHomeError("Could not find LocalAppData")
            return cls.from_root_dir(platform.path(platform.local_app_data) / "SpacetimeDB", platform)
        data = _xdg(platform, "XDG_DATA_HOME", ".local/share") / "spacetime"
        return cls(
            ConfigDir(_xdg(platform, "XDG_CONFIG_HOME", ".config") / "spacetime"),
            BinFile(_xdg(platform, "XDG_BIN_HOME", ".local/bin") / "spacetime"),
            BinDir(data / "bin"),
            ServerDataDir(data / "data"),
        )

    @property
    def update_dir(self) -> UpdateDir:
        """The version manager's records: beside `cli_bin_dir`, so that a rename moves a version there."""
        return UpdateDir(self.cli_bin_dir.pure.parent / "update")

    def to_root_dir(self) -> RootDir | None:
        """The directory that holds all four places, if one does."""
        parents = {
            self.cli_config_dir.pure.parent,
            self.cli_bin_file.pure.parent,
            self.cli_bin_dir.pure.parent,
            self.data_dir.pure.parent,
        }
        return RootDir(parents.pop()) if len(parents) == 1 else None


def _xdg(platform: Platform, variable: str, fallback: str) -> PurePath:
    value = platform.path(platform.env.get(variable, ""))
    if value.is_absolute():
        return value
    if platform.home is None:
        raise NoHomeError(f"Could not find the home directory: set HOME, {variable} or --root-dir")
    return platform.path(platform.home) / fallback
