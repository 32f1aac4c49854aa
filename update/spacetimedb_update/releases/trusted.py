"""Verifying the metadata of a release repository, from the anchor to the list of releases.

The rules are those of The Update Framework's client workflow, and the checking is the library's
(`TrustedMetadataSet`). What is here feeds it: from the store, then from a source (a mirror, a bundle),
with a clock that is passed in, and keeps what was verified. The invariants:

* the anchor, and every root signed by its predecessor, decide which keys count;
* nothing with a lower version than the store's is accepted, so versions never go back;
* nothing expired is accepted, with one exception: a bundle's timestamp, once somebody has been told its
  age and agreed. Everything else in the bundle must be valid now;
* roots are stored as they are verified, all else only once it fits together, so that a mirror caught in
  the middle of its own update does not lock us out of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tuf.api.exceptions import (
    BadVersionNumberError,
    EqualVersionNumberError,
    ExpiredMetadataError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from spacetimedb_update.releases.layout import versioned
from spacetimedb_update.releases.refusals import (
    BadlySigned,
    Expired,
    Inconsistent,
    MetadataRefused,
    NoRepository,
    RolledBack,
)
from spacetimedb_update.releases.store import MetadataStore
from spacetimedb_update.releases.tuf_roles import Metadata, MetaFile, Root, Signed, Targets

MAX_ROOT_ROTATIONS = 256
ROOT_LIMIT = 512_000
TIMESTAMP_LIMIT = 16_384
LIMITS = {"snapshot": 2_000_000, "targets": 5_000_000}

AcceptStale = Callable[[Expired], bool]
"""Asked about an expired timestamp of a bundle; False refuses it."""


class Source(Protocol):
    @property
    def base(self) -> str:
        """The address of the repository, for messages."""
        ...

    def metadata(self, name: str, limit: int) -> bytes | None:
        """A file of the repository's `metadata/` of at most `limit` bytes, None where it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class Trusted:
    """Verified metadata. `documents` holds the bytes: by role, and the chain of roots by file name."""

    root: Root
    targets: Targets
    documents: dict[str, bytes]
    roots: dict[str, bytes]
    expires: dict[str, datetime]
    versions: dict[str, int]


def never(expired: Expired) -> bool:
    return False


def load_root(anchor: bytes, store: MetadataStore) -> Root:
    """The newest root that the store can prove from the anchor. Raises `MetadataRefused` for a bad anchor."""
    return _Verification(anchor, store, None).root


def refresh(
    anchor: bytes, store: MetadataStore, source: Source, now: datetime, accept_stale: AcceptStale = never
) -> Trusted:
    """Bring the trusted metadata up to what `source` offers; nothing but roots is stored yet.

    Raises `MetadataRefused`, and what the source raises.
    """
    return _verified(anchor, store, source, now, accept_stale)


def stored(anchor: bytes, store: MetadataStore, now: datetime) -> Trusted:
    """The trusted metadata without asking anybody. Raises `MetadataRefused`, also where none is stored."""
    return _verified(anchor, store, None, now, never)


def _verified(
    anchor: bytes, store: MetadataStore, source: Source | None, now: datetime, accept_stale: AcceptStale
) -> Trusted:
    verification = _Verification(anchor, store, now)
    verification.update_roots(source)
    verification.update_timestamp(source, accept_stale)
    verification.update_snapshot(source)
    verification.update_targets(source)
    return verification.result()


class _Verification:
    """One run through the workflow; `now` is None where only roots are wanted."""

    def __init__(self, anchor: bytes, store: MetadataStore, now: datetime | None) -> None:
        self._store = store
        try:
            self._set = TrustedMetadataSet(anchor, EnvelopeType.METADATA)
        except RepositoryError as error:
            raise BadlySigned(f"the root metadata that trust starts from is damaged: {error}") from None
        self._now = now or self._set.reference_time
        self._set.reference_time = self._now
        self._roots = {versioned("root", self.root.version): anchor}
        self._documents: dict[str, bytes] = {}
        self._follow_stored_roots()

    @property
    def root(self) -> Root:
        return self._set.root

    def result(self) -> Trusted:
        signed = (self._set.root, self._set.timestamp, self._set.snapshot, self._set.targets)
        return Trusted(
            self._set.root,
            self._set.targets,
            self._documents,
            self._roots,
            {role.type: role.expires for role in signed},
            {role.type: role.version for role in signed},
        )

    def _follow_stored_roots(self) -> None:
        """A root that does not verify is as good as none: the source is asked for it then."""
        while (data := self._store.root(self.root.version + 1)) is not None:
            try:
                self._set.update_root(data)
            except RepositoryError:
                return
            self._roots[versioned("root", self.root.version)] = data

    def update_roots(self, source: Source | None) -> None:
        for _ in range(MAX_ROOT_ROTATIONS):
            number = self.root.version + 1
            data = source.metadata(versioned("root", number), ROOT_LIMIT) if source else None
            if data is None:
                break
            try:
                self._set.update_root(data)
            except RepositoryError as error:
                raise refusal(error, Inconsistent) from None
            self._roots[versioned("root", number)] = data
            self._store.keep_root(number, data)
        self._check_age(self.root)

    def update_timestamp(self, source: Source | None, accept_stale: AcceptStale) -> None:
        known = self._store.role("timestamp")
        if known is not None and (self._try(self._set.update_timestamp, known) or self._has("timestamp")):
            self._documents["timestamp"] = known
        if source is not None:
            self._newer_timestamp(source)
        if "timestamp" not in self._documents:
            raise Inconsistent("there is no timestamp.json")
        self._judge_age(accept_stale)

    def _newer_timestamp(self, source: Source) -> None:
        data = source.metadata("timestamp.json", TIMESTAMP_LIMIT)
        if data is None:
            raise NoRepository(source.base)
        try:
            self._set.update_timestamp(data)
        except EqualVersionNumberError:
            return
        except ExpiredMetadataError:
            self._documents["timestamp"] = data  # loaded all the same; judged next
        except RepositoryError as error:
            raise refusal(error, RolledBack) from None
        self._documents["timestamp"] = data

    def _judge_age(self, accept_stale: AcceptStale) -> None:
        """For an expired timestamp that is accepted, the set's clock stands still just before its end."""
        timestamp = self._set.timestamp
        if not timestamp.is_expired(self._now):
            return
        expired = Expired("timestamp", timestamp.expires, self._now)
        if not accept_stale(expired):
            raise expired
        self._set.reference_time = timestamp.expires - timedelta(seconds=1)

    def update_snapshot(self, source: Source | None) -> None:
        meta = self._set.timestamp.snapshot_meta
        self._update(
            "snapshot",
            meta,
            lambda data: self._set.update_snapshot(data, trusted=True),
            self._set.update_snapshot,
            source,
        )

    def update_targets(self, source: Source | None) -> None:
        meta = self._set.snapshot.meta.get("targets.json")
        if meta is None:
            raise Inconsistent("the snapshot names no targets")
        self._update("targets", meta, self._set.update_targets, self._set.update_targets, source)

    def _update(
        self,
        role: str,
        meta: MetaFile,
        update_from_store: Callable[[bytes], object],
        update: Callable[[bytes], object],
        source: Source | None,
    ) -> None:
        """Take a role from the store if that is the version meant, else from the source."""
        data = self._store.role(role)
        if data is None or not self._try(update_from_store, data):
            limit = meta.length or LIMITS[role]
            data = source.metadata(versioned(role, meta.version), limit) if source else None
            if data is None:
                raise Inconsistent(f"version {meta.version} of its {role} metadata is missing")
            try:
                update(data)
            except ExpiredMetadataError:
                self._check_age(Metadata.from_bytes(data).signed)
                raise
            except BadVersionNumberError as error:
                goes_back = Metadata.from_bytes(data).signed.version == meta.version
                raise refusal(error, RolledBack if goes_back else Inconsistent) from None
            except RepositoryError as error:
                raise refusal(error, Inconsistent) from None
        self._documents[role] = data
        self._check_age(self._set[role])

    def _check_age(self, signed: Signed) -> None:
        """At the real time: the set's own clock may stand still."""
        if signed.is_expired(self._now):
            raise Expired(signed.type, signed.expires, self._now)

    def _try(self, update: Callable[[bytes], object], data: bytes) -> bool:
        """Feed the set what the store has; it serves against going back even where it isn't current."""
        try:
            update(data)
        except RepositoryError:
            return False
        return True

    def _has(self, role: str) -> bool:
        return any(signed.type == role for signed in self._set)


def refusal(error: Exception, otherwise: type[MetadataRefused]) -> MetadataRefused:
    """The library's error as a sentence; `otherwise` is what a wrong version means where it was found."""
    detail = str(error) or type(error).__name__
    if isinstance(error, UnsignedMetadataError):
        return BadlySigned(detail)
    if isinstance(error, BadVersionNumberError):
        return otherwise(detail)
    return Inconsistent(detail)
