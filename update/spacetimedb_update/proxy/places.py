"""The places of an installation as plain strings.

The same rules as `spacetimedb_paths.roots`, which is not imported because of what it imports; a test
compares the two.
"""

import os

from spacetimedb_update.proxy.failure import Failure
from spacetimedb_update.proxy.names import CURRENT, program_name


class Places:
    """Where the proxy looks: `bin_dir` holds the versions, `config_dir` the update notice."""

    def __init__(self, bin_dir: str, config_dir: str, windows: bool) -> None:
        self.bin_dir = bin_dir
        self.config_dir = config_dir
        self.windows = windows

    def version_dir(self, name: str) -> str:
        return os.path.join(self.bin_dir, name)

    def current(self) -> str:
        """The link that selects a version where nothing else does."""
        return os.path.join(self.bin_dir, CURRENT)

    def cli(self, name: str) -> str:
        """The command line of an installed version."""
        return os.path.join(self.bin_dir, name, program_name("spacetimedb-cli", self.windows))

    def update_check_cache(self) -> str:
        return os.path.join(self.config_dir, ".update_check_cache")


def places(root: str | None, env: "dict[str, str]", windows: bool) -> Places:
    """The places below `root`, or the defaults of the system. Raises `Failure` without a home."""
    if root is not None:
        return _below(root, windows)
    if windows:
        return _below(os.path.join(_local_app_data(env), "SpacetimeDB"), windows)
    data = os.path.join(_xdg(env, "XDG_DATA_HOME", ".local/share"), "spacetime")
    config = os.path.join(_xdg(env, "XDG_CONFIG_HOME", ".config"), "spacetime")
    return Places(os.path.join(data, "bin"), config, windows)


def _below(root: str, windows: bool) -> Places:
    return Places(os.path.join(root, "bin"), os.path.join(root, "config"), windows)


def _local_app_data(env: "dict[str, str]") -> str:
    folder = env.get("LOCALAPPDATA", "")
    if not folder:
        raise Failure("Could not find LocalAppData")
    return folder


def _xdg(env: "dict[str, str]", variable: str, fallback: str) -> str:
    value = env.get(variable, "")
    if os.path.isabs(value):
        return value
    home = env.get("HOME") or os.path.expanduser("~")
    if home in ("", "~"):
        raise Failure(f"Could not find the home directory: set HOME, {variable} or --root-dir")
    return os.path.join(home, fallback)
