"""A release carried in one file: the same checks, without a network."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from spacetimedb_update.publish import KeyRing, Policy

from .world import BASE, NOW, MemoryNet, Publisher, Tool


@pytest.fixture
def bundle(tool: Tool, tmp_path: Path) -> Path:
    """A bundle of 2.10.0, made on a machine with a network."""
    path = tmp_path / "carried over" / "Bündel 2.10.0.tar"
    path.parent.mkdir()
    outcome = tool("bundle", "export", str(path), "2.10.0")
    assert outcome.exit == 0, outcome.err
    return path


@pytest.fixture
def island(publisher: Publisher, tmp_path: Path) -> Tool:
    """A machine without a network, its root in a folder with blanks and other letters."""
    root = tmp_path / "une île" / "Wurzel mit Leerzeichen 名"
    root.parent.mkdir()
    return Tool(root, MemoryNet(), publisher.anchor)


def test_a_bundle_is_installed_without_a_network(island, bundle):
    outcome = island("bundle", "install", str(bundle), "--use")
    assert (outcome.exit, outcome.err) == (0, "Installing v2.10.0: done!\n")
    assert island.has_whole("2.10.0")
    assert island.current() == "2.10.0"
    assert island.net.requests == []
    assert island("verify").out == "2.10.0: ok\n"
    assert island.leftovers() == []


def test_a_bundle_is_a_repository_when_it_is_unpacked(island, bundle, tmp_path):
    with tarfile.open(bundle) as archive:
        archive.extractall(tmp_path / "mirror")
    names = {path.name for path in (tmp_path / "mirror").rglob("*") if path.is_file()}
    assert {"timestamp.json", "1.root.json", "spacetime-x86_64-unknown-linux-gnu.tar.gz"} <= names


def test_the_latest_release_is_exported_unless_one_is_named(tool, tmp_path):
    outcome = tool("bundle", "export", str(tmp_path / "b.tar"))
    assert "v2.10.0 for x86_64-unknown-linux-gnu is in " in outcome.err


def test_a_bundle_for_another_machine_can_be_exported_but_not_installed(tool, island, tmp_path):
    publisher = Publisher.create(tmp_path / "both")
    publisher.release("2.10.0", target="aarch64-apple-darwin")
    tool.anchor = island.anchor = publisher.anchor
    tool.net.files.clear()
    tool.net.serve(BASE, publisher.files())
    path = tmp_path / "mac.tar"
    assert tool("bundle", "export", str(path), "2.10.0", "--target", "aarch64-apple-darwin").exit == 0
    outcome = island("bundle", "install", str(path))
    assert outcome.exit == 1
    assert "no prebuilt binaries available" in outcome.err


def test_an_expired_timestamp_is_shown_and_asked_about(island, bundle):
    island.clock.advance(days=40)
    outcome = island("bundle", "install", str(bundle), stdin="y\n")
    assert outcome.exit == 0
    assert "The bundle's timestamp expired 33 days ago (on 2026-03-08 12:00 UTC)" in outcome.err
    assert "Install from it all the same? [y/N]" in outcome.err
    assert island.has_whole("2.10.0")


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_without_a_yes_it_is_refused(island, bundle, answer):
    island.clock.advance(days=40)
    outcome = island("bundle", "install", str(bundle), stdin=answer)
    assert outcome.exit == 1
    assert "the timestamp metadata of the release repository expired 33 days ago" in outcome.err
    assert not island.bin.exists()


def test_where_nobody_can_answer_the_option_is_told(island, bundle):
    island.clock.advance(days=40)
    outcome = island("bundle", "install", str(bundle), stdin="")
    assert outcome.exit == 1
    assert "expired 33 days ago" in outcome.err
    assert "--allow-expired goes on without asking" in outcome.err
    assert not island.bin.exists()


def test_where_a_bundle_cannot_be_written_nothing_is_downloaded(tool, tmp_path):
    asked = len(tool.net.requests)
    outcome = tool("bundle", "export", str(tmp_path))
    assert f"{tmp_path} is a folder: name the file to write" in outcome.err
    outcome = tool("bundle", "export", str(tmp_path / "none" / "bundle.tar"))
    assert f"there is no folder {tmp_path / 'none'} to write bundle.tar into: make it first" in outcome.err
    assert len(tool.net.requests) == asked


def test_a_bundle_for_a_machine_that_has_no_release(tool, tmp_path):
    outcome = tool("bundle", "export", str(tmp_path / "b.tar"), "2.10.0", "--target", "pdp-11")
    assert "artifact named spacetime-pdp-11.tar.gz not found in version 2.10.0" in outcome.err
    assert "2.10.0 was released as spacetime-x86_64-unknown-linux-gnu.tar.gz" in outcome.err


def test_allow_expired_does_not_ask_but_still_shows(island, bundle):
    island.clock.advance(days=40)
    outcome = island("bundle", "install", str(bundle), "--allow-expired")
    assert outcome.exit == 0
    assert "expired 33 days ago" in outcome.err
    assert "[y/N]" not in outcome.err


@pytest.mark.parametrize(("days", "role"), [(100, "snapshot"), (370, "root")])
def test_nothing_but_the_timestamp_may_be_expired(island, bundle, days, role):
    island.clock.advance(days=days)
    outcome = island("bundle", "install", str(bundle), "--allow-expired")
    assert outcome.exit == 1
    assert f"the {role} metadata of the release repository expired" in outcome.err


def test_the_network_has_no_such_exception(tool):
    """Only a bundle's timestamp may be accepted late."""
    tool.clock.advance(days=40)
    assert tool("install", "2.10.0", stdin="y\n").exit == 1


def test_versions_never_go_back(island, bundle, tmp_path, publisher):
    """The island has seen newer metadata than the bundle brings."""
    island.net.serve(BASE, _renewed(publisher, tmp_path))
    assert island("list", "--all").exit == 0
    outcome = island("bundle", "install", str(bundle))
    assert outcome.exit == 1
    assert "versions never go back, use a mirror or bundle that is up to date" in outcome.err


def _renewed(publisher: Publisher, folder: Path) -> dict[str, bytes]:
    """What the repository serves after its timestamp was signed once more."""
    import shutil

    shutil.copytree(publisher.folder, folder / "renewed")
    keys = KeyRing.load(folder / "renewed" / "keys")
    copy = Publisher(
        folder / "renewed",
        Policy.default(),
        keys,
        type(publisher.repository)(folder / "renewed" / "repository", Policy.default()),
    )
    copy.repository.renew(keys, NOW)
    return copy.files()


def test_what_a_bundle_taught_is_remembered(island, bundle):
    island("bundle", "install", str(bundle))
    stored = sorted(path.name for path in (island.root / "update" / "metadata").iterdir())
    assert stored == ["1.root.json", "snapshot.json", "targets.json", "timestamp.json"]


@pytest.mark.parametrize(
    "part", ["targets/2.10.0/spacetime-x86_64-unknown-linux-gnu.tar.gz", "metadata/timestamp.json"]
)
def test_a_bundle_that_was_tampered_with(island, bundle, tmp_path, part):
    changed = tmp_path / "changed.tar"
    changed.write_bytes(_rewritten(bundle.read_bytes(), part))
    outcome = island("bundle", "install", str(changed))
    assert outcome.exit == 1
    assert not (island.bin / "2.10.0").exists()
    assert island.leftovers() == []


def _rewritten(data: bytes, part: str) -> bytes:
    """The same tar with one byte in the middle of a member turned round."""
    changed = bytearray(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.getmember(part)
        changed[member.offset_data + member.size // 2] ^= 1
    return bytes(changed)


def test_a_bundle_cut_off_anywhere(island, bundle, tmp_path):
    whole = bundle.read_bytes()
    cut = tmp_path / "cut.tar"
    for end in range(0, len(whole) - 10240, len(whole) // 25):
        cut.write_bytes(whole[:end])
        outcome = island("bundle", "install", str(cut))
        assert outcome.exit == 1
        assert outcome.err.startswith("Error: ")
        assert not (island.bin / "2.10.0").exists()


@pytest.mark.parametrize("data", [b"", b"not a bundle", bytes(10240)])
def test_what_is_no_bundle(island, tmp_path, data):
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    assert island("bundle", "install", str(path)).exit == 1


def test_a_bundle_that_does_not_exist(island, tmp_path):
    outcome = island("bundle", "install", str(tmp_path / "nowhere.tar"))
    assert outcome.exit == 1
    assert "nowhere.tar" in outcome.err
