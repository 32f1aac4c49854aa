"""Writing a release repository: keys, policies, releases that never change, renewal."""

from __future__ import annotations

import json
import stat
from datetime import timedelta

import pytest

from spacetimedb_update.archive.members import BadArchive
from spacetimedb_update.errors import UserError
from spacetimedb_update.publish import KeyRing, Policy, ReleasedArchive, ReleaseRepository
from spacetimedb_update.releases.tuf_roles import Metadata

from .world import BASE, LINUX, NOW, MemoryNet, Publisher, Tool, release_archive, tar_gz

SHORT = Policy.from_toml("[root]\nkeys = 1\nthreshold = 1\n[timestamp]\ndays = 0.5\n")


@pytest.fixture
def publisher(tmp_path):
    return Publisher.create(tmp_path)


def signed(publisher, name):
    return Metadata.from_bytes((publisher.folder / "repository" / "metadata" / name).read_bytes()).signed


def test_the_layout_that_clients_and_installers_read(publisher):
    publisher.release("2.10.0", glibc="2.35")
    files = publisher.files()
    archive = f"spacetime-{LINUX}.tar.gz"
    assert sorted(files) == [
        "latest-version",
        "metadata/1.root.json",
        "metadata/1.snapshot.json",
        "metadata/1.targets.json",
        "metadata/2.snapshot.json",
        "metadata/2.targets.json",
        "metadata/timestamp.json",
        "targets/2.10.0/SHA256SUMS",
        f"targets/2.10.0/{archive}",
        f"targets/2.10.0/{archive}.files.json",
    ]
    assert files["latest-version"] == b"2.10.0\n"
    target = signed(publisher, "2.targets.json").targets[f"2.10.0/{archive}"]
    line = files["targets/2.10.0/SHA256SUMS"].decode().splitlines()[0]
    assert line == f"{target.hashes['sha256']}  {archive}"
    assert target.custom["target"] == LINUX
    assert target.custom["glibc"] == "2.35"


def test_the_list_of_files_comes_from_the_archive(publisher):
    publisher.release("2.10.0")
    name = f"targets/2.10.0/spacetime-{LINUX}.tar.gz.files.json"
    listed = json.loads(publisher.files()[name])
    assert (listed["format"], listed["version"], listed["target"]) == (1, "2.10.0", LINUX)
    assert listed["files"]["spacetimedb-cli"]["executable"] is True
    assert listed["files"]["runtime/lib/link"] == {"link": "numbers.bin"}


def test_latest_is_the_newest_that_is_no_pre_release(publisher):
    for version in ("2.10.0", "2.9.0", "2.11.0-rc.1"):
        publisher.release(version)
    assert publisher.files()["latest-version"] == b"2.10.0\n"
    assert str(publisher.repository.versions()[0]) == "2.11.0-rc.1"


def test_targets_can_be_added_one_by_one(publisher):
    publisher.release("2.10.0")
    publisher.release("2.10.0", target="aarch64-apple-darwin")
    sums = publisher.files()["targets/2.10.0/SHA256SUMS"].decode()
    assert sums.count(".tar.gz\n") == 2


def test_a_release_never_changes(publisher):
    publisher.release("2.10.0")
    publisher.release("2.10.0")  # the same again is fine
    with pytest.raises(UserError, match="a release never changes"):
        publisher.release("2.10.0", release_archive("2.10.1"))


def test_what_no_client_would_unpack_is_not_published(publisher):
    with pytest.raises(BadArchive):
        publisher.release("2.10.0", tar_gz({"../evil": b""}))
    assert "latest-version" not in publisher.files()


def test_a_name_that_is_no_archive(publisher, tmp_path):
    (tmp_path / "x.rar").write_bytes(b"")
    with pytest.raises(UserError, match=r"must end in \.tar\.gz or \.zip"):
        publisher.repository.add("2.10.0", [ReleasedArchive(tmp_path / "x.rar", LINUX)], publisher.keys, NOW)


def test_expiry_follows_the_policy(tmp_path):
    made = Publisher.create(tmp_path, SHORT)
    assert signed(made, "timestamp.json").expires == NOW + timedelta(hours=12)
    assert signed(made, "1.root.json").expires == NOW + timedelta(days=365)
    assert signed(made, "1.root.json").roles["root"].threshold == 1


def test_renewing_signs_the_timestamp_and_what_is_about_to_end(publisher):
    publisher.repository.renew(publisher.keys, NOW + timedelta(days=1))
    assert signed(publisher, "timestamp.json").version == 2
    assert signed(publisher, "timestamp.json").expires == NOW + timedelta(days=8)
    assert not (publisher.folder / "repository/metadata/2.snapshot.json").exists()
    publisher.repository.renew(publisher.keys, NOW + timedelta(days=80))
    assert signed(publisher, "2.snapshot.json").expires == NOW + timedelta(days=170)
    publisher.repository.renew(publisher.keys, NOW + timedelta(days=300))
    assert signed(publisher, "2.targets.json").expires == NOW + timedelta(days=665)


def test_the_root_is_renewed_before_it_ends(publisher):
    publisher.repository.renew(publisher.keys, NOW + timedelta(days=200))
    assert not (publisher.folder / "repository/metadata/2.root.json").exists()
    late = NOW + timedelta(days=300)
    assert publisher.repository.renew(publisher.keys, late) is None
    assert signed(publisher, "2.root.json").expires == late + timedelta(days=365)
    first, second = signed(publisher, "1.root.json"), signed(publisher, "2.root.json")
    assert (first.keys, first.roles) == (second.keys, second.roles)


def test_whoever_knows_the_first_root_follows_to_a_renewed_one(publisher, tmp_path):
    late = NOW + timedelta(days=370)
    publisher.repository.renew(publisher.keys, late - timedelta(days=6))
    tool = Tool(tmp_path / "root", MemoryNet(), publisher.anchor)
    tool.net.serve(BASE, publisher.files())
    tool.clock.advance(days=370)
    assert tool("list", "--all").exit == 0


def test_without_the_keys_of_the_root_the_rest_is_renewed_and_it_is_said(publisher):
    offline = KeyRing({role: keys for role, keys in publisher.keys.signers.items() if role != "root"})
    assert publisher.repository.renew(offline, NOW + timedelta(days=1)) is None
    said = publisher.repository.renew(offline, NOW + timedelta(days=300))
    assert f"the root metadata expires on {NOW + timedelta(days=365):%Y-%m-%d}" in said
    assert "put 2 of its keys (root-1.pem …) into the key folder" in said
    assert signed(publisher, "timestamp.json").version == 3


def test_nothing_is_renewed_where_nothing_is(publisher, tmp_path):
    with pytest.raises(UserError, match="there is no release repository in"):
        ReleaseRepository(tmp_path / "none", Policy.default()).renew(publisher.keys, NOW)


def test_rotation_is_signed_by_the_old_keys_and_the_new(publisher, tmp_path):
    fresh = KeyRing.create(tmp_path / "fresh", Policy.default())
    publisher.repository.rotate(publisher.keys, fresh, NOW)
    document = Metadata.from_bytes((publisher.folder / "repository/metadata/2.root.json").read_bytes())
    known = {signer.public_key.keyid for ring in (publisher.keys, fresh) for signer in ring.for_role("root")}
    assert set(document.signatures) == known
    assert publisher.repository.root_metadata() == document.to_bytes() or document.signed.version == 2


def test_a_repository_is_made_once(publisher):
    with pytest.raises(UserError, match="holds a repository already"):
        publisher.repository.create(publisher.keys, NOW)


# --- keys and policies ---


def test_keys_are_private_and_ed25519(tmp_path):
    ring = KeyRing.create(tmp_path / "keys", Policy.default())
    assert len(ring.for_role("root")) == 3
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert {signer.public_key.scheme for signer in ring.for_role("targets")} == {"ed25519"}


def test_keys_survive_being_loaded(tmp_path):
    made = KeyRing.create(tmp_path / "keys", Policy.default())
    loaded = KeyRing.load(tmp_path / "keys")
    for role in ("root", "targets", "snapshot", "timestamp"):
        assert [key.public_key.keyid for key in made.for_role(role)] == [
            key.public_key.keyid for key in loaded.for_role(role)
        ]


def test_keys_are_never_overwritten(tmp_path):
    KeyRing.create(tmp_path / "keys", Policy.default())
    with pytest.raises(UserError, match="holds keys already"):
        KeyRing.create(tmp_path / "keys", Policy.default())


def test_missing_and_wrong_keys(tmp_path):
    with pytest.raises(UserError, match="holds no keys"):
        KeyRing.load(tmp_path)
    (tmp_path / "root-1.pem").write_text("hello")
    with pytest.raises(UserError, match="is no private key"):
        KeyRing.load(tmp_path)
    ring = KeyRing({"root": []})
    with pytest.raises(UserError, match=r"put timestamp-1\.pem into the key folder"):
        ring.for_role("timestamp")


@pytest.mark.parametrize(
    "text",
    [
        "[root]\nkeys = 1\nthreshold = 2",
        "[root]\ndays = 0",
        "[mirror]\nkeys = 1",
        "root = 1",
        "[root",
        '[root]\nkeys = "x"',
        "[root]\nkeys = [1]",
        "[timestamp]\ndays = inf",
        "[timestamp]\ndays = nan",
    ],
)
def test_policies_that_cannot_be_met(text):
    with pytest.raises(UserError):
        Policy.from_toml(text)


def test_one_version_everywhere():
    """The version manager and the command line are released together."""
    import tomllib
    from pathlib import Path

    from spacetimedb_cli.version import VERSION as CLI_VERSION
    from spacetimedb_update.version import VERSION

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert VERSION == CLI_VERSION == project["version"]


def test_a_repository_object_reads_what_another_wrote(publisher):
    publisher.release("2.10.0")
    again = ReleaseRepository(publisher.folder / "repository", Policy.default())
    assert [str(version) for version in again.versions()][:1] == ["2.10.0"]
