"""The HTTP side of a measurement: publish the module, seed accounts, read balances."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx

MODULE = Path(__file__).parent / "transfer-module" / "transfer.wasm"


class RefusedError(Exception):
    """The server refused a request of the measurement."""


@dataclass(frozen=True)
class Database:
    """A database by name on a server by URL, as one user."""

    url: str
    name: str
    token: str | None

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "127.0.0.1"

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def subscribe_path(self) -> str:
        return f"/v1/database/{quote(self.name)}/subscribe?compression=None&confirmed=true"

    def publish(self, program: bytes) -> None:
        """Publish over whatever is there, with its rows deleted."""
        self._send("PUT", "?clear=true&host_type=Wasm", program, "application/wasm")

    def seed(self, accounts: int, balance: int) -> None:
        self._send("POST", "/call/seed", f"[{accounts}, {balance}]".encode(), "application/json")

    def balances(self) -> dict[int, int]:
        answer = self._send("POST", "/sql", b"SELECT * FROM accounts", "text/plain").json()
        return {row[0]: row[1] for row in answer[0]["rows"]}

    def count(self) -> int:
        """How many accounts there are."""
        answer = self._send("POST", "/sql", b"SELECT COUNT(*) AS n FROM accounts", "text/plain").json()
        return int(answer[0]["rows"][0][0])

    def _send(self, method: str, path: str, body: bytes, kind: str) -> httpx.Response:
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        url = f"{self.url.rstrip('/')}/v1/database/{quote(self.name)}{path}"
        try:
            answer = httpx.request(method, url, content=body, headers=headers, timeout=300)
        except httpx.HTTPError as error:
            raise RefusedError(f"{self.url} did not answer ({error}); is the server running?") from error
        if answer.status_code != 200:
            raise RefusedError(f"{method} {path or '/'}: {answer.status_code} {answer.text[:300]}")
        return answer


def new_token(url: str) -> str:
    """A token for a new identity, issued by the server."""
    try:
        answer = httpx.post(f"{url.rstrip('/')}/v1/identity", timeout=30)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise RefusedError(f"{url} did not answer ({error}); is the server running?") from error
    token = answer.json()["token"]
    assert isinstance(token, str)
    return token
