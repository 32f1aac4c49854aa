"""Getting files by URL: `http`, `https`, `file`.

`Net` is one request; trying again, resuming and changing mirrors is the business of
`spacetimedb_update.releases.fetcher`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from spacetimedb_update.version import VERSION

if TYPE_CHECKING:
    import httpx

USER_AGENT = f"SpacetimeDB CLI/{VERSION}"
CHUNK_BYTES = 1 << 16


class NetError(Exception):
    """The request failed. `may_pass`: trying again might help."""

    def __init__(self, text: str, may_pass: bool = True) -> None:
        super().__init__(text)
        self.may_pass = may_pass


class NotFound(NetError):
    """There is no such file."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} does not exist", may_pass=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A file from byte `start` on: what was asked for, or 0 where the peer only knows whole files."""

    start: int
    chunks: Iterator[bytes]


class Net(Protocol):
    def get(self, url: str, start: int = 0) -> AbstractContextManager[Answer]:
        """Ask for a file from byte `start` on. Raises `NetError`, also while the chunks are read."""
        ...


class RealNet:
    """The network and the file system of this machine. `timeout` in seconds, for each wait."""

    def __init__(self, timeout: float = 20.0) -> None:
        self._timeout = timeout
        self._client: httpx.Client | None = None

    def prepare(self) -> None:
        """Load what requests need, so that the first one takes no longer than the network does."""
        self._connections()

    def get(self, url: str, start: int = 0) -> AbstractContextManager[Answer]:
        scheme = urlsplit(url).scheme
        if scheme == "file":
            return _read_file(url, start)
        if scheme in ("http", "https"):
            return self._request(url, start)
        raise NetError(f"{url} is no URL that files can be got from: use http, https or file", may_pass=False)

    @contextmanager
    def _request(self, url: str, start: int) -> Iterator[Answer]:
        import httpx

        headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if start:
            headers["Range"] = f"bytes={start}-"
        try:
            with self._connections().stream("GET", url, headers=headers) as response:
                _check_status(url, response.status_code)
                begins = start if response.status_code == 206 else 0
                yield Answer(begins, _chunks(url, response))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NetError(f"{url} cannot be reached: {error or type(error).__name__}") from None

    def _connections(self) -> httpx.Client:
        if self._client is None:
            import httpx

            self._client = httpx.Client(timeout=self._timeout, follow_redirects=True)
        return self._client


def _check_status(url: str, status: int) -> None:
    if status in (404, 410):
        raise NotFound(url)
    if status not in (200, 206):
        passing = status in (408, 416, 425, 429) or status >= 500
        raise NetError(f"{url} was answered with status {status}", may_pass=passing)


def _chunks(url: str, response: httpx.Response) -> Iterator[bytes]:
    import httpx

    try:
        yield from response.iter_raw(CHUNK_BYTES)
    except httpx.HTTPError as error:
        raise NetError(f"{url} broke off: {error or type(error).__name__}") from None


@contextmanager
def _read_file(url: str, start: int) -> Iterator[Answer]:
    path = path_of(url)
    try:
        with path.open("rb") as file:
            file.seek(start)
            yield Answer(start, iter(lambda: file.read(CHUNK_BYTES), b""))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotFound(url) from None
    except OSError as error:
        raise NetError(f"{path} cannot be read: {error.strerror}", may_pass=False) from None


def path_of(url: str) -> Path:
    """The path that a `file` URL means."""
    parts = urlsplit(url)
    host = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
    return Path(unquote(host) + url2pathname(parts.path))
