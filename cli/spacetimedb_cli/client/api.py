"""A connection to one server: requests go out with the user's login, failures come back as errors."""

from __future__ import annotations

import http
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from spacetimedb_cli.errors import CliError, HostError, PeerError
from spacetimedb_cli.version import VERSION

USER_AGENT = f"spacetimedb-cli/{VERSION}"
# A reducer or a migration may take as long as it likes; only reaching the server may not.
TIMEOUT = httpx.Timeout(None, connect=30)


class StatusError(CliError):
    """The status line of an answer that is no success; the cause of the error that says why."""

    def __init__(self, response: httpx.Response):
        side = "client" if response.status_code < 500 else "server"
        super().__init__(f"HTTP status {side} error ({status_text(response)}) for url ({response.url})")


class Api:
    """A server at a base URL. `token` goes into every request; None is anonymous."""

    def __init__(self, client: httpx.Client, url: str, token: str | None = None):
        self._client = client
        self.url = url
        self.token = token

    @classmethod
    def connect(cls, url: str, transport: httpx.BaseTransport | None = None) -> Api:
        """Nothing is sent yet. Raises `HostError` where `url` is none."""
        headers = {"user-agent": USER_AGENT}
        try:
            client = httpx.Client(
                transport=transport, headers=headers, timeout=TIMEOUT, follow_redirects=True
            )
            httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise HostError(f"Invalid url: {url}") from error
        return cls(client, url, None)

    def with_token(self, token: str | None) -> Api:
        """The same server for somebody else."""
        return Api(self._client, self.url, token)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        seconds: float | None = None,
    ) -> httpx.Response:
        """One exchange, whatever its status. Raises `HostError` where the server is not reached.

        `path` is percent-encoded already (`segment`); `seconds` is how long the answer may take.
        """
        with _reached(self.url + path, query):
            return self._client.request(
                method,
                self.url + path,
                params=query or None,
                content=body,
                headers=self._headers(content_type),
                timeout=TIMEOUT if seconds is None else seconds,
            )

    def fetch(self, method: str, path: str, **request: Any) -> httpx.Response:
        """As `ask`, but a status that is no success raises `PeerError` with the server's words."""
        response = self.ask(method, path, **request)
        if not response.is_success:
            raise failure(response)
        return response

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str]) -> Iterator[Iterator[bytes]]:
        """The body of a GET in pieces, as they come. Errors as of `fetch`."""
        with (
            _reached(self.url + path, query),
            self._client.stream(
                "GET", self.url + path, params=query or None, headers=self._headers(None)
            ) as response,
        ):
            if not response.is_success:
                response.read()
                raise failure(response)
            yield response.iter_bytes()

    def _headers(self, content_type: str | None) -> dict[str, str]:
        headers = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        return headers if content_type is None else {**headers, "content-type": content_type}


def segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="-_").replace(".", "%2E").replace("~", "%7E")


def status_text(response: httpx.Response) -> str:
    """Number and name of a status, such as `404 Not Found`; `530 <none>` for one without a name."""
    try:
        return f"{response.status_code} {http.HTTPStatus(response.status_code).phrase}"
    except ValueError:
        return f"{response.status_code} <none>"


def failure(response: httpx.Response, text: str | None = None) -> CliError:
    """An error for an answer that is no success, with `text` or the server's words, if it has any."""
    status = StatusError(response)
    words = text if text is not None else response.text.strip()
    if not words:
        return status
    error = PeerError(words)
    error.__cause__ = status
    return error


def json_of(response: httpx.Response) -> Any:
    """The JSON in an answer. Raises `PeerError` where there is none."""
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise PeerError(
            f"the server's answer to {response.url} is not JSON: is it a SpacetimeDB server?"
        ) from error


def field_of(response: httpx.Response, name: str) -> Any:
    """A field of the JSON object in an answer. Raises `PeerError` where it is not there."""
    answer = json_of(response)
    if not isinstance(answer, dict) or name not in answer:
        raise PeerError(f"the server's answer to {response.url} has no `{name}`: is it a SpacetimeDB server?")
    return answer[name]


@contextmanager
def _reached(url: str, query: Mapping[str, str] | None) -> Iterator[None]:
    try:
        yield
    except httpx.InvalidURL as error:
        raise HostError(f"Invalid url: {url}") from error
    except httpx.HTTPError as error:
        full = httpx.URL(url, params=query) if query else url
        reason = HostError(_reason(error))
        raise HostError(f"error sending request for url ({full})") from reason


def _reason(error: httpx.HTTPError) -> str:
    """What to make of a failure below HTTP, and what to do about it."""
    if isinstance(error, httpx.ConnectError):
        return f"{error}: is the server running? (`spacetime start` runs one, `--server` chooses another)"
    if isinstance(error, httpx.TimeoutException):
        return "it does not answer in time: check the address and your network"
    return f"{error}: the connection broke; try again" if str(error) else type(error).__name__
