"""The release repository with its mirrors, as the commands use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spacetimedb_update.errors import NetworkError
from spacetimedb_update.ports.files import Files
from spacetimedb_update.ports.net import NetError, NotFound
from spacetimedb_update.releases.catalogue import Catalogue
from spacetimedb_update.releases.fetcher import Fetcher, Wanted
from spacetimedb_update.releases.layout import METADATA, TARGETS, url
from spacetimedb_update.releases.refusals import MetadataRefused
from spacetimedb_update.releases.store import MetadataStore
from spacetimedb_update.releases.trusted import AcceptStale, Trusted, never, refresh


@dataclass(frozen=True, slots=True)
class Mirror:
    """One base URL as a source of metadata."""

    base: str
    fetcher: Fetcher

    def metadata(self, name: str, limit: int) -> bytes | None:
        try:
            return self.fetcher.small(url(self.base, METADATA, name), limit)
        except NotFound:
            return None


@dataclass(frozen=True, slots=True)
class Releases:
    """`mirrors` are base URLs in the order to try them; `anchor` is the root metadata trust starts from."""

    mirrors: tuple[str, ...]
    fetcher: Fetcher
    store: MetadataStore
    anchor: bytes
    accept_stale: AcceptStale = never

    def trusted(self, now: datetime) -> Trusted:
        """Verified metadata from the first mirror that has some; nothing is stored.

        Raises the first `MetadataRefused` if a mirror offered something that is not to be believed,
        `NetworkError` if none could be reached.
        """
        refused: list[MetadataRefused] = []
        failures: list[str] = []
        for base in self.mirrors:
            try:
                return refresh(self.anchor, self.store, Mirror(base, self.fetcher), now, self.accept_stale)
            except MetadataRefused as error:
                refused.append(error)
            except NetError as error:
                failures.append(str(error))
        if refused:
            raise refused[0]
        raise NetworkError(
            f"the release repository cannot be reached ({'; '.join(failures)}): check the network, or install "
            "from a file with `spacetime version bundle install`"
        )

    def catalogue(self, now: datetime) -> Catalogue:
        """The releases there are; what was verified is stored, so that it never goes back."""
        trusted = self.trusted(now)
        self.keep(trusted)
        return Catalogue(trusted)

    def keep(self, trusted: Trusted) -> None:
        for name, data in trusted.roots.items():
            self.store.keep_root(int(name.partition(".")[0]), data)
        self.store.keep(trusted.documents)

    def download(
        self, wanted: Wanted, destination: Path, files: Files, progress: Callable[[int], None]
    ) -> None:
        """Get a signed file from the mirrors, whole and with the right hash (`Fetcher.to_file`)."""
        urls = [url(base, TARGETS, *wanted.name.split("/")) for base in self.mirrors]
        self.fetcher.to_file(urls, wanted, destination, files, progress)
