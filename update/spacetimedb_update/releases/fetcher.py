"""Getting files in spite of the network: again after a pause, on from where it broke, from a mirror."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_update.errors import NetworkError, RepositoryError
from spacetimedb_update.ports.clock import Clock
from spacetimedb_update.ports.file_trees import remove_if_there, sha256_of
from spacetimedb_update.ports.files import Files
from spacetimedb_update.ports.net import Net, NetError, NotFound

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further attempt that brought no byte."""


class WrongFile(NetError):
    """What is delivered has another size or content than it should have."""

    def __init__(self, text: str) -> None:
        super().__init__(text, may_pass=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is known by its size in bytes and its SHA-256 (hex)."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Fetcher:
    """`deadline`, if given, is the clock's monotonic time at which everything gives up."""

    net: Net
    clock: Clock
    deadline: float | None = None

    def small(self, url: str, limit: int) -> bytes:
        """A file of at most `limit` bytes. Raises `NotFound`, `NetError`, or `RepositoryError` if larger."""
        attempts = 0
        while True:
            try:
                return self._read(url, limit)
            except NotFound:
                raise
            except NetError as error:
                if not error.may_pass or not self.pause(attempts):
                    raise
                attempts += 1

    def _read(self, url: str, limit: int) -> bytes:
        parts: list[bytes] = []
        total = 0
        with self.net.get(url) as answer:
            for chunk in answer.chunks:
                total += len(chunk)
                if total > limit:
                    raise RepositoryError(
                        f"{url} is larger than the {limit} bytes it may have: use another mirror"
                    )
                self.check_deadline(url)
                parts.append(chunk)
        return b"".join(parts)

    def pause(self, attempts: int) -> bool:
        """Wait before another attempt; False if there is to be none."""
        if attempts >= len(PAUSES):
            return False
        if self.deadline is not None and self.clock.monotonic() + PAUSES[attempts] >= self.deadline:
            return False
        self.clock.sleep(PAUSES[attempts])
        return True

    def check_deadline(self, url: str) -> None:
        if self.deadline is not None and self.clock.monotonic() > self.deadline:
            raise NetError(f"{url} takes too long", may_pass=False)

    def to_file(
        self,
        urls: list[str],
        wanted: Wanted,
        destination: Path,
        files: Files,
        progress: Callable[[int], None],
    ) -> None:
        """Download into `destination`, going on behind what it holds already.

        The URLs are tried in turn; one that fails hands on what it brought. Content with the wrong hash
        is thrown away, and got once more from the beginning, since an old part may be the wrong one.
        Raises `NetworkError` when no URL delivers, `RepositoryError` when what they deliver is wrong.
        """
        download = _Download(self, wanted, destination, files, progress)
        failures: list[NetError] = []
        for url in urls:
            try:
                return download.complete(url)
            except NetError as error:
                failures.append(error)
        if all(isinstance(error, WrongFile) for error in failures):
            raise RepositoryError(
                f"{wanted.name} is damaged or was tampered with: {failures[0]}; nothing was installed, "
                "use another mirror"
            )
        raise NetworkError(
            f"{wanted.name} could not be downloaded: {'; '.join(map(str, failures))}. Run the command again: "
            "it goes on where it stopped"
        )


@dataclass(frozen=True, slots=True)
class _Download:
    fetcher: Fetcher
    wanted: Wanted
    destination: Path
    files: Files
    progress: Callable[[int], None]

    def complete(self, url: str) -> None:
        """Bring the file to its full size from one URL. Raises `NetError`; for `WrongFile` no file stays."""
        resumed = self._present() > 0
        try:
            self._read_on(url)
            self._check(url)
        except WrongFile:
            remove_if_there(self.files, self.destination)
            if not resumed:
                raise
            self.complete(url)

    def _present(self) -> int:
        if self.files.kind(self.destination) is None:
            return 0
        return self.files.size(self.destination)

    def _read_on(self, url: str) -> None:
        attempts = 0
        while (present := self._present()) < self.wanted.size:
            try:
                self._request(url, present)
            except NetError as error:
                attempts = 0 if self._present() > present else attempts
                if not error.may_pass or not self.fetcher.pause(attempts):
                    raise
                attempts += 1
            else:
                if self._present() <= present:
                    raise WrongFile(f"{url} is shorter than it should be")

    def _request(self, url: str, present: int) -> None:
        with self.fetcher.net.get(url, present) as answer:
            if answer.start != present:
                remove_if_there(self.files, self.destination)
            with self.files.open_append(self.destination) as file:
                done = answer.start
                for chunk in answer.chunks:
                    done += len(chunk)
                    if done > self.wanted.size:
                        raise WrongFile(f"{url} is larger than it should be")
                    file.write(chunk)
                    self.progress(done)
                    self.fetcher.check_deadline(url)

    def _check(self, url: str) -> None:
        if (
            self._present() != self.wanted.size
            or sha256_of(self.files, self.destination) != self.wanted.sha256
        ):
            raise WrongFile(f"{url} is not the file that was signed")
