"""A release put into a repository: signed, and known to the installer scripts by its hash."""

import hashlib
import io
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.releasing.commands import BuildError
from scripts.releasing.publish import BASE, RELEASES, Publisher, make_keys, release_table

SCRIPTS = Path(__file__).parents[3] / "scripts"
NOW = datetime(2026, 3, 4, tzinfo=UTC)
TARGET = "x86_64-unknown-linux-gnu"
URL = "https://releases.example.com/st"


def archive(folder: Path, text: str = "a program") -> Path:
    path = folder / f"spacetime-{TARGET}.tar.gz"
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name in ("spacetimedb-update", "spacetimedb-cli", "spacetimedb-standalone"):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def publisher(tmp_path):
    make_keys(tmp_path / "keys", None)
    return Publisher.open(tmp_path / "repository", tmp_path / "keys", None, SCRIPTS, URL)


def test_a_release_and_its_installers(publisher, tmp_path):
    root = publisher.root_metadata(NOW)
    made = archive(tmp_path / "dist")
    installers = publisher.publish("2.10.0", made, TARGET, "2.35", NOW)
    assert publisher.root_metadata(NOW) == root
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    assert [path.name for path in installers] == ["install.sh", "install.ps1"]
    for path in installers:
        text = path.read_text()
        assert f"\n2.10.0 {TARGET} {digest} 2.35\n" in text
        assert f"'{URL}'" in text
        assert RELEASES not in text
        assert BASE not in text
    assert (tmp_path / "repository/targets/2.10.0" / made.name).read_bytes() == made.read_bytes()


def test_a_second_release_comes_first_in_the_table(publisher, tmp_path):
    publisher.root_metadata(NOW)
    publisher.publish("2.9.0", archive(tmp_path / "a"), TARGET, "2.35", NOW)
    script = publisher.publish("2.10.0", archive(tmp_path / "b", "newer"), TARGET, None, NOW)[0].read_text()
    assert script.index("2.10.0 x86_64") < script.index("2.9.0 x86_64")
    assert f"2.10.0 {TARGET}" in script


def test_a_release_never_changes(publisher, tmp_path):
    publisher.root_metadata(NOW)
    publisher.publish("2.10.0", archive(tmp_path / "a"), TARGET, None, NOW)
    with pytest.raises(BuildError, match="was released with other content"):
        publisher.publish("2.10.0", archive(tmp_path / "b", "other"), TARGET, None, NOW)


def test_signatures_are_renewed_without_building(publisher, tmp_path):
    publisher.root_metadata(NOW)
    before = (tmp_path / "repository/metadata/timestamp.json").read_bytes()
    publisher.renew(NOW + timedelta(days=5))
    assert (tmp_path / "repository/metadata/timestamp.json").read_bytes() != before


def test_keys_are_never_replaced(publisher, tmp_path):
    with pytest.raises(BuildError, match="holds keys already"):
        make_keys(tmp_path / "keys", None)


def test_a_policy_for_a_throw_away_repository(tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("[root]\nkeys = 1\nthreshold = 1\n[targets]\nkeys = 1\n")
    make_keys(tmp_path / "keys", policy)
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        "root-1.pem",
        "snapshot-1.pem",
        "targets-1.pem",
        "timestamp-1.pem",
    ]


@pytest.mark.parametrize("url", ["https://a.example/'; rm -rf /", "https://a.example/ü", "https://a b"])
def test_an_address_that_would_break_the_scripts(tmp_path, url):
    with pytest.raises(BuildError, match="write it percent-encoded"):
        Publisher.open(tmp_path / "repository", tmp_path / "keys", None, SCRIPTS, url)


def test_no_keys(tmp_path):
    (tmp_path / "keys").mkdir()
    with pytest.raises(BuildError, match="holds no keys"):
        Publisher.open(tmp_path / "repository", tmp_path / "keys", None, SCRIPTS, URL)


def test_versions_are_ordered_as_versions():
    entry = {"hashes": {"sha256": "00"}}
    names = ("2.9.0", "2.10.0", "2.10.0-rc.1", "2.10.0-rc.10")
    table = release_table(
        {f"{name}/spacetime-{TARGET}.tar.gz": entry for name in names} | {"2.9.0/x.json": entry}
    )
    assert [line.split()[0] for line in table.splitlines()] == [
        "2.10.0",
        "2.10.0-rc.10",
        "2.10.0-rc.1",
        "2.9.0",
    ]
