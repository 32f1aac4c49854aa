"""Which data directories a server may open, by the version in `metadata.toml`."""

from pathlib import Path, PurePath

import pytest

from spacetimedb_paths.metadata import MetadataFile
from spacetimedb_paths.server import MetadataTomlPath
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.stamp import Version, check_compatible, stamp_data_dir

RUNNING = Version.parse("2.10.0")


def stamp(tmp_path: Path) -> MetadataTomlPath:
    return MetadataTomlPath(PurePath(tmp_path / "metadata.toml"))


def test_a_new_directory_gets_the_running_version(tmp_path: Path) -> None:
    stamp_data_dir(stamp(tmp_path), RUNNING)
    assert MetadataFile.read(stamp(tmp_path)) == MetadataFile("2.10.0", "standalone")


@pytest.mark.parametrize(
    ("on_disk", "after"),
    [("2.10.0", "2.10.0"), ("2.8.3", "2.10.0"), ("1.12.0", "2.10.0"), ("2.10.7", "2.10.7")],
)
def test_an_older_directory_is_opened_and_its_stamp_never_goes_down(
    tmp_path: Path, on_disk: str, after: str
) -> None:
    MetadataFile(on_disk, "standalone").write(stamp(tmp_path))
    stamp_data_dir(stamp(tmp_path), RUNNING)
    found = MetadataFile.read(stamp(tmp_path))
    assert found is not None
    assert found.version == after


@pytest.mark.parametrize(
    ("on_disk", "relation"),
    [
        ("2.11.0", "a newer, incompatible"),
        ("3.0.0", "a newer, incompatible"),
        ("0.9.0", "an older, incompatible"),
    ],
)
def test_a_directory_of_another_kind_of_version_is_refused(on_disk: str, relation: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_compatible(Version.parse(on_disk), RUNNING)
    assert str(caught.value).startswith(f"metadata.toml indicates that you are running {relation} database. ")
    assert "Your running version is Version { major: 2, minor: 10, patch: 0 }" in str(caught.value)


def test_a_pre_release_opens_only_its_own_directories() -> None:
    check_compatible(Version.parse("2.10.0-rc1"), Version.parse("2.10.0-rc1"))
    with pytest.raises(ConfigError, match="an older, incompatible"):
        check_compatible(Version.parse("2.8.0"), Version.parse("2.10.0-rc1"))


def test_another_edition_is_refused(tmp_path: Path) -> None:
    MetadataFile("2.10.0", "cloud").write(stamp(tmp_path))
    with pytest.raises(ConfigError, match=r'different edition of SpacetimeDB \(running "standalone"'):
        stamp_data_dir(stamp(tmp_path), RUNNING)


def test_a_version_that_is_none_is_refused_with_its_file(tmp_path: Path) -> None:
    MetadataFile("latest", "standalone").write(stamp(tmp_path))
    with pytest.raises(ConfigError, match=r"invalid version in .*metadata.toml"):
        stamp_data_dir(stamp(tmp_path), RUNNING)


def test_pre_releases_come_before_the_release_and_numbers_before_words() -> None:
    order = ["2.0.0-2", "2.0.0-10", "2.0.0-rc.1", "2.0.0-rc.2", "2.0.0", "2.0.1"]
    shuffled = [order[at] for at in (3, 5, 0, 2, 4, 1)]
    assert sorted(shuffled, key=lambda text: Version.parse(text).order()) == order
