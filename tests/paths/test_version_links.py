"""The link `current` and links to versions that live elsewhere."""

import sys
from pathlib import Path

import pytest

from spacetimedb_paths.cli import BinDir
from spacetimedb_paths.links import LinkError, UnixLinks, WindowsCalls, WindowsLinks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")


class Calls:
    """Windows' calls, kept as a list; junctions are refused if the file system has none."""

    def __init__(self, junctions: bool = True):
        self.junctions = junctions
        self.made: list[tuple[str, str]] = []

    def create_junction(self, target: str, link: str) -> None:
        if not self.junctions:
            raise OSError("not an NTFS volume")
        self.made.append(("junction", target))
        Path(link).symlink_to(target)

    def symlink_dir(self, target: str, link: Path) -> None:
        self.made.append(("symlink", target))
        link.symlink_to(target)

    def links(self) -> WindowsLinks:
        return WindowsLinks(WindowsCalls(self.create_junction, self.symlink_dir))


@pytest.fixture
def bin_dir(tmp_path):
    directory = BinDir(tmp_path / "bin")
    directory.create()
    return directory


def test_no_version_is_current_at_first(bin_dir):
    assert bin_dir.current_version() is None


def test_setting_a_version_that_need_not_exist(bin_dir):
    bin_dir.set_current_version("9.9.9")
    assert bin_dir.current_version() == "9.9.9"
    assert str(bin_dir.current_version_dir().path.readlink()) == "9.9.9"  # relative to the directory


def test_setting_another_one_replaces_the_link(bin_dir):
    bin_dir.set_current_version("1.0.0", UnixLinks())
    bin_dir.set_current_version("2.0.0", UnixLinks())
    assert bin_dir.current_version(UnixLinks()) == "2.0.0"


def test_an_old_absolute_link_is_given_as_it_is(bin_dir):
    bin_dir.current_version_dir().path.symlink_to("/elsewhere/bin/1.2.3")
    assert bin_dir.current_version() == "/elsewhere/bin/1.2.3"


def test_a_link_that_is_not_utf8(bin_dir):
    bin_dir.current_version_dir().path.symlink_to(b"\xff".decode("utf-8", "surrogateescape"))
    with pytest.raises(LinkError, match=r"^not utf8$"):
        bin_dir.current_version()


def test_installed_versions(bin_dir):
    for version in ("2.10.0", "1.0.0", "dev"):
        bin_dir.version_dir(version).create()
    bin_dir.set_current_version("1.0.0")
    assert sorted(bin_dir.installed_versions()) == ["1.0.0", "2.10.0", "dev"]


def test_a_custom_version_is_a_link_that_may_be_replaced(bin_dir, tmp_path):
    dev = bin_dir.version_dir("dev")
    dev.create_custom(tmp_path / "first")
    dev.create_custom(tmp_path / "second")
    assert dev.path.readlink() == tmp_path / "second"


def test_a_custom_version_never_replaces_a_directory(bin_dir, tmp_path):
    version = bin_dir.version_dir("2.10.0")
    version.create()
    with pytest.raises(LinkError, match=r"^version already exists$"):
        version.create_custom(tmp_path)


def test_windows_makes_a_junction_with_an_absolute_path(bin_dir):
    calls = Calls()
    bin_dir.set_current_version("1.0.0", calls.links())
    bin_dir.set_current_version("2.0.0", calls.links())
    assert calls.made == [("junction", str(bin_dir.path / v)) for v in ("1.0.0", "2.0.0")]
    assert bin_dir.current_version(calls.links()) == str(bin_dir.path / "2.0.0")


def test_windows_falls_back_to_a_relative_symlink(bin_dir):
    calls = Calls(junctions=False)
    bin_dir.set_current_version("1.0.0", calls.links())
    assert calls.made == [("symlink", "1.0.0")]


def test_windows_removes_a_junction_like_a_directory(bin_dir):
    bin_dir.current_version_dir().create()  # to the calls of Windows a junction looks like this
    calls = Calls()
    bin_dir.set_current_version("2.0.0", calls.links())
    assert calls.made == [("junction", str(bin_dir.path / "2.0.0"))]


def test_windows_hides_the_prefix_of_extended_paths(bin_dir):
    bin_dir.current_version_dir().path.symlink_to(r"\\?\C:\bin\2.0.0")
    assert bin_dir.current_version(WindowsLinks()) == r"C:\bin\2.0.0"


def test_where_there_are_no_junctions_the_call_says_so(bin_dir):
    with pytest.raises(LinkError, match="only Windows has junctions"):
        WindowsCalls().create_junction("target", "link")
