"""Metadata that must not be believed, one attack each, against a repository in memory.

Each time: a sentence that says what is wrong, nothing installed, and the old version as it was. The
attacker owns the web server; keys only where the test says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_update.publish import KeyRing, Policy
from spacetimedb_update.releases.tuf_roles import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from .world import BASE, MIRROR, NOW, MemoryNet, Publisher, Tool, release_archive

ARCHIVE = "2.10.0/spacetime-x86_64-unknown-linux-gnu.tar.gz"


class Attack:
    """A victim that has 2.9.0 from the honest repository and knows its metadata, and a server to turn bad."""

    def __init__(self, tool: Tool, publisher: Publisher) -> None:
        self.tool, self.publisher = tool, publisher
        self.net: MemoryNet = tool.net
        outcome = tool("install", "2.9.0", "--use")
        assert outcome.exit == 0, outcome.err
        self.honest = dict(self.net.files)
        self.known = self._stored()

    def _stored(self) -> dict[str, bytes]:
        folder = self.tool.root / "update" / "metadata"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def serve(self, name: str, data: bytes) -> None:
        self.net.files[f"{BASE}/{name}"] = data

    def document(self, name: str) -> Metadata[Any]:
        return Metadata.from_bytes(self.net.files[f"{BASE}/metadata/{name}"])

    def put(self, name: str, signed: Any, *signers: Any) -> None:
        metadata: Metadata[Any] = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        self.serve(f"metadata/{name}", metadata.to_bytes())

    def keys(self, role: str, ring: KeyRing | None = None) -> list[Any]:
        return (ring or self.publisher.keys).for_role(role)

    def fails(self, *sentence: str, arguments: tuple[str, ...] = ("upgrade",)) -> None:
        """The victim upgrades, and is told; nothing has changed."""
        outcome = self.tool(*arguments)
        assert outcome.exit == 1
        for part in sentence:
            assert part in outcome.err
        assert outcome.err.startswith("Error: ")
        assert self.tool.current() == "2.9.0"
        assert self.tool.has_whole("2.9.0")
        assert not (self.tool.bin / "2.10.0").exists()
        assert self.tool.leftovers() == []

    def nothing_was_learned(self) -> None:
        assert self._stored() == self.known


@pytest.fixture
def attack(tool: Tool, publisher: Publisher) -> Attack:
    return Attack(tool, publisher)


@pytest.fixture
def strangers(tmp_path: Path) -> KeyRing:
    """Keys that nobody trusts."""
    return KeyRing.create(tmp_path / "strangers", Policy.default())


# --- expired and frozen ---


def test_an_expired_timestamp(attack):
    attack.tool.clock.advance(days=8)
    attack.fails(
        "the timestamp metadata of the release repository expired 1 day ago (on 2026-03-08", "your clock"
    )
    attack.nothing_was_learned()


def test_a_frozen_repository_is_found_out_when_its_timestamp_ends(attack):
    """The server keeps showing last week's state, although a new one was published."""
    frozen = dict(attack.net.files)
    attack.tool.clock.advance(days=6)
    assert attack.tool("list", "--all").exit == 0
    attack.tool.clock.advance(days=2)
    assert attack.net.files == frozen
    attack.fails("newer releases may be withheld")


@pytest.mark.parametrize(("role", "days"), [("snapshot", 91), ("targets", 366), ("root", 366)])
def test_everything_else_expires_too(attack, role, days):
    later = NOW + timedelta(days=days)
    attack.tool.clock.advance(days=days)
    if role != "root":
        _sign_root_for(attack, later)
    if role == "targets":
        _sign_snapshot_for(attack, later)
    _sign_timestamp_for(attack, later)
    attack.fails(f"the {role} metadata of the release repository expired 1 day ago")


def _sign_root_for(attack: Attack, now: datetime) -> None:
    root = attack.document("1.root.json").signed
    root.version, root.expires = 2, now + timedelta(days=30)
    attack.put("2.root.json", root, *attack.keys("root"))


def _sign_snapshot_for(attack: Attack, now: datetime) -> None:
    version = attack.document("timestamp.json").signed.snapshot_meta.version
    snapshot = attack.document(f"{version}.snapshot.json").signed
    snapshot.version, snapshot.expires = version + 1, now + timedelta(days=30)
    attack.put(f"{version + 1}.snapshot.json", snapshot, *attack.keys("snapshot"))
    timestamp = attack.document("timestamp.json").signed
    timestamp.snapshot_meta = MetaFile(version + 1)
    attack.put("timestamp.json", timestamp, *attack.keys("timestamp"))


def _sign_timestamp_for(attack: Attack, now: datetime) -> None:
    timestamp = attack.document("timestamp.json").signed
    timestamp.version, timestamp.expires = timestamp.version + 1, now + timedelta(days=1)
    attack.put("timestamp.json", timestamp, *attack.keys("timestamp"))


# --- rolled back ---


def test_a_timestamp_from_last_year(attack, publisher):
    timestamp = attack.document("timestamp.json").signed
    timestamp.version -= 1
    attack.put("timestamp.json", timestamp, *attack.keys("timestamp"))
    attack.fails("offers older metadata than this machine has seen", "versions never go back")
    attack.nothing_was_learned()


def test_a_new_timestamp_for_an_old_snapshot(attack):
    """The attacker has stolen the timestamp key, the one that is on-line."""
    timestamp = attack.document("timestamp.json").signed
    timestamp.version += 1
    timestamp.snapshot_meta = MetaFile(timestamp.snapshot_meta.version - 1)
    attack.put("timestamp.json", timestamp, *attack.keys("timestamp"))
    attack.fails("versions never go back")


def test_a_new_snapshot_for_old_targets(attack):
    """The attacker has stolen the keys of timestamp and snapshot."""
    _republish(attack, lambda targets: MetaFile(targets.version - 1))
    attack.fails("versions never go back")


def test_a_snapshot_that_forgets_the_targets(attack):
    _republish(attack, lambda targets: None)
    attack.fails("does not fit together")


def _republish(attack: Attack, meta_of: Callable[[Targets], MetaFile | None]) -> None:
    timestamp: Timestamp = attack.document("timestamp.json").signed
    snapshot: Snapshot = attack.document(f"{timestamp.snapshot_meta.version}.snapshot.json").signed
    targets: Targets = attack.document(f"{snapshot.meta['targets.json'].version}.targets.json").signed
    meta = meta_of(targets)
    snapshot.version += 1
    snapshot.meta = {"targets.json": meta} if meta is not None else {}
    attack.put(f"{snapshot.version}.snapshot.json", snapshot, *attack.keys("snapshot"))
    timestamp.version += 1
    timestamp.snapshot_meta = MetaFile(snapshot.version)
    attack.put("timestamp.json", timestamp, *attack.keys("timestamp"))


# --- mixed ---


@pytest.fixture
def two_states(tool: Tool, tmp_path: Path) -> tuple[Attack, dict[str, bytes], dict[str, bytes]]:
    """A repository of its own, and what it served before and after a release."""
    publisher = Publisher.create(tmp_path / "two")
    publisher.release("2.9.0")
    old = publisher.files()
    tool.net.files.clear()
    tool.net.serve(BASE, old)
    tool.anchor = publisher.anchor
    attack = Attack(tool, publisher)
    publisher.release("2.10.0")
    new = publisher.files()
    tool.net.serve(BASE, new)
    return attack, old, new


def test_a_snapshot_mixed_in_from_another_release(two_states):
    attack, old, new = two_states
    numbers = sorted(name for name in new if name.endswith(".snapshot.json"))
    attack.serve(numbers[-1], old[numbers[-2]])
    attack.fails("does not fit together")
    attack.nothing_was_learned()


def test_targets_mixed_in_from_another_release(two_states):
    attack, old, new = two_states
    numbers = sorted(name for name in new if name.endswith(".targets.json"))
    attack.serve(numbers[-1], old[numbers[-2]])
    attack.fails("does not fit together")
    attack.nothing_was_learned()


def test_a_mirror_that_has_only_half_of_an_update_does_not_lock_out_the_others(two_states):
    attack, _old, new = two_states
    for name in [name for name in new if name.startswith("targets/2.10.0/") or "targets.json" in name]:
        if name not in _old:
            del attack.net.files[f"{BASE}/{name}"]
    attack.fails("targets metadata is missing")
    attack.net.serve(MIRROR, new)
    attack.tool.environment["SPACETIME_DOWNLOAD_ROOT"] = MIRROR
    assert attack.tool("upgrade").exit == 0
    assert attack.tool.current() == "2.10.0"


# --- signatures ---


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_signed_by_unknown_keys(attack, strangers, role):
    _forge(attack, role, *strangers.for_role(role))
    attack.fails("is not signed by enough trusted keys")
    attack.nothing_was_learned()


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_not_signed_at_all(attack, role):
    _forge(attack, role)
    attack.fails("is not signed by enough trusted keys")


def test_signed_by_the_key_of_another_role(attack):
    _forge(attack, "targets", *attack.keys("timestamp"), *attack.keys("snapshot"))
    attack.fails("is not signed by enough trusted keys")


def _forge(attack: Attack, role: str, *signers: Any) -> None:
    """Replace a role's newest metadata by one more version of it, consistent but for its signatures."""
    timestamp = attack.document("timestamp.json").signed
    timestamp.version += 1
    if role == "timestamp":
        return attack.put("timestamp.json", timestamp, *signers)
    snapshot = attack.document(f"{timestamp.snapshot_meta.version}.snapshot.json").signed
    snapshot.version += 1
    if role == "targets":
        targets = attack.document(f"{snapshot.meta['targets.json'].version}.targets.json").signed
        targets.version += 1
        attack.put(f"{targets.version}.targets.json", targets, *signers)
        snapshot.meta = {"targets.json": MetaFile(targets.version)}
        signers = tuple(attack.keys("snapshot"))
    attack.put(f"{snapshot.version}.snapshot.json", snapshot, *signers)
    timestamp.snapshot_meta = MetaFile(snapshot.version)
    return attack.put("timestamp.json", timestamp, *attack.keys("timestamp"))


def test_a_root_signed_by_too_few_keys(attack):
    """Two of three must sign: the attacker has stolen one."""
    root = attack.document("1.root.json").signed
    root.version = 2
    attack.put("2.root.json", root, attack.keys("root")[0])
    attack.fails("is not signed by enough trusted keys")
    attack.nothing_was_learned()


def test_one_key_cannot_sign_twice(attack):
    root = attack.document("1.root.json").signed
    root.version = 2
    attack.put("2.root.json", root, attack.keys("root")[0], attack.keys("root")[0])
    attack.fails("is not signed by enough trusted keys")


def test_a_root_that_makes_strangers_trusted(attack, strangers):
    root = attack.document("1.root.json").signed
    root.version = 2
    for signer in strangers.for_role("root"):
        root.add_key(signer.public_key, "root")
    attack.put("2.root.json", root, *strangers.for_role("root"))
    attack.fails("is not signed by enough trusted keys")


def test_a_root_with_a_leap_in_its_number(attack):
    root = attack.document("1.root.json").signed
    root.version = 3
    attack.put("2.root.json", root, *attack.keys("root"))
    attack.fails("does not fit together")


def test_keys_can_be_changed_by_those_who_hold_them(attack, tmp_path):
    """No attack: the maintainers rotate all keys, and the victim follows."""
    publisher = Publisher.create(tmp_path / "own")
    publisher.release("2.9.0")
    attack.tool.anchor = publisher.anchor
    (attack.tool.root.parent / "program" / "root.json").write_bytes(publisher.anchor)
    fresh = KeyRing.create(tmp_path / "fresh", Policy.default())
    publisher.repository.rotate(publisher.keys, fresh, NOW)
    publisher.keys = fresh
    publisher.release("2.10.0")
    attack.net.serve(BASE, publisher.files())
    assert attack.tool("upgrade").exit == 0
    assert (attack.tool.root / "update" / "metadata" / "2.root.json").exists()
    assert attack.tool("verify", "2.10.0").exit == 0


def test_metadata_signed_by_keys_that_were_revoked(attack, tmp_path):
    fresh = KeyRing.create(tmp_path / "fresh", Policy.default())
    root = attack.document("1.root.json").signed
    for role in ("timestamp", "snapshot", "targets"):
        for signer in attack.keys(role):
            root.revoke_key(signer.public_key.keyid, role)
        for signer in fresh.for_role(role):
            root.add_key(signer.public_key, role)
    root.version = 2
    attack.put("2.root.json", root, *attack.keys("root"))
    attack.fails("is not signed by enough trusted keys")


# --- what the metadata points to ---


def test_another_archive_under_the_right_name(attack):
    attack.serve(f"targets/{ARCHIVE}", release_archive("6.6.6"))
    attack.fails("is damaged or was tampered with", "nothing was installed")


def test_an_archive_that_never_ends(attack):
    attack.serve(f"targets/{ARCHIVE}", attack.honest[f"{BASE}/targets/{ARCHIVE}"] + bytes(1 << 20))
    attack.fails("is larger than it should be")


def test_another_list_of_files(attack):
    name = f"targets/{ARCHIVE}.files.json"
    attack.serve(name, attack.honest[f"{BASE}/{name}"].replace(b'"executable": true', b'"executable":false'))
    attack.fails("is damaged or was tampered with")


@pytest.mark.parametrize("name", ["timestamp.json", "2.root.json"])
def test_metadata_that_never_ends(attack, name):
    attack.serve(f"metadata/{name}", b"[" * (1 << 20))
    attack.fails("is larger than the")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"null", b"\xff\xfe", b'{"signatures": [], "signed": {}}', b"[" * 9000]
)
@pytest.mark.parametrize("name", ["timestamp.json", "2.root.json"])
def test_metadata_that_is_none(attack, name, data):
    attack.serve(f"metadata/{name}", data)
    attack.fails("release repository's metadata")


def test_a_repository_without_metadata(attack):
    del attack.net.files[f"{BASE}/metadata/timestamp.json"]
    attack.fails("there is no release repository at")


def test_a_list_of_files_signed_for_another_version(attack):
    """Somebody with the targets key published the wrong list: the archive does not fit it."""
    timestamp = attack.document("timestamp.json").signed
    snapshot = attack.document(f"{timestamp.snapshot_meta.version}.snapshot.json").signed
    targets = attack.document(f"{snapshot.meta['targets.json'].version}.targets.json").signed
    other = attack.honest[f"{BASE}/targets/2.9.0/{ARCHIVE.partition('/')[2]}.files.json"]
    name = f"{ARCHIVE}.files.json"
    targets.targets[name] = TargetFile.from_data(name, other, ["sha256"])
    attack.serve(f"targets/{name}", other)
    targets.version += 1
    attack.put(f"{targets.version}.targets.json", targets, *attack.keys("targets"))
    _republish(attack, lambda old: MetaFile(old.version + 1))
    attack.fails("the list of files is for 2.9.0")


def test_a_stolen_anchor_is_no_use_for_another_repository(attack, tmp_path):
    """The victim is sent to somebody else's repository, complete and well signed by its own keys."""
    other = Publisher.create(tmp_path / "other")
    other.release("2.10.0")
    attack.net.files.clear()
    attack.net.serve(BASE, other.files())
    attack.fails("is not signed by enough trusted keys")
    attack.nothing_was_learned()
