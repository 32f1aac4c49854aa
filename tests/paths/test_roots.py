"""Where the four places of an installation lie, on each system."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest

from spacetimedb_paths import Platform, SpacetimePaths
from spacetimedb_paths.roots import NoHomeError

LINUX = Platform("linux", {}, PurePosixPath("/home/ann"))
WINDOWS = Platform("windows", {}, local_app_data=PureWindowsPath(r"C:\Users\ann\AppData\Local"))


def places(paths: SpacetimePaths) -> list[str]:
    return [str(p) for p in (paths.cli_config_dir, paths.cli_bin_file, paths.cli_bin_dir, paths.data_dir)]


@pytest.mark.parametrize("system", ["linux", "macos"])
def test_unix_defaults(system):
    assert places(SpacetimePaths.from_platform(Platform(system, {}, PurePosixPath("/home/ann")))) == [
        "/home/ann/.config/spacetime",
        "/home/ann/.local/bin/spacetime",
        "/home/ann/.local/share/spacetime/bin",
        "/home/ann/.local/share/spacetime/data",
    ]


def test_xdg_variables_win():
    env = {"XDG_CONFIG_HOME": "/c", "XDG_BIN_HOME": "/b", "XDG_DATA_HOME": "/d"}
    assert places(SpacetimePaths.from_platform(Platform("linux", env))) == [
        "/c/spacetime",
        "/b/spacetime",
        "/d/spacetime/bin",
        "/d/spacetime/data",
    ]


@pytest.mark.parametrize("value", ["", "relative/path", "~/x"])
def test_an_xdg_path_that_is_not_absolute_is_ignored(value):
    platform = Platform("linux", {"XDG_CONFIG_HOME": value}, PurePosixPath("/home/ann"))
    assert str(SpacetimePaths.from_platform(platform).cli_config_dir) == "/home/ann/.config/spacetime"


def test_without_a_home_the_error_says_what_to_set():
    with pytest.raises(NoHomeError, match="set HOME, XDG_DATA_HOME or --root-dir"):
        SpacetimePaths.from_platform(Platform("linux", {}))


def test_windows_defaults_share_one_root():
    paths = SpacetimePaths.from_platform(WINDOWS)
    root = r"C:\Users\ann\AppData\Local\SpacetimeDB"
    assert places(paths) == [rf"{root}\config", rf"{root}\spacetime.exe", rf"{root}\bin", rf"{root}\data"]
    assert str(paths.to_root_dir()) == root


def test_windows_ignores_xdg():
    platform = Platform("windows", {"XDG_DATA_HOME": "/d"}, local_app_data=WINDOWS.local_app_data)
    assert SpacetimePaths.from_platform(platform) == SpacetimePaths.from_platform(WINDOWS)


def test_windows_without_its_known_folder():
    with pytest.raises(NoHomeError, match=r"^Could not find LocalAppData$"):
        SpacetimePaths.from_platform(Platform("windows"))


def test_root_dir():
    assert places(SpacetimePaths.from_root_dir("/r", LINUX)) == [
        "/r/config",
        "/r/spacetime",
        "/r/bin",
        "/r/data",
    ]
    assert places(SpacetimePaths.from_root_dir(r"D:\r", WINDOWS))[1] == r"D:\r\spacetime.exe"


def test_a_root_dir_is_taken_as_it_is():
    assert str(SpacetimePaths.from_root_dir("../here", LINUX).data_dir) == "../here/data"


def test_to_root_dir_gives_back_the_root():
    assert str(SpacetimePaths.from_root_dir("/r", LINUX).to_root_dir()) == "/r"


def test_unix_defaults_have_no_single_root():
    assert SpacetimePaths.from_platform(LINUX).to_root_dir() is None


def test_the_current_machine_has_defaults():
    assert SpacetimePaths.from_platform(Platform.current()).data_dir.pure.is_absolute()
