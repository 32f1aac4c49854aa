"""The door for HTTP requests of modules: shut by configuration, or opened with the first request.

The client behind it (httpx, TLS, the certificates of all authorities) is several MiB and a tenth of a second to
import; most databases never send a request, so it is not loaded before there is one.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from spacetimedb_standalone.host.http_messages import HttpRequest, HttpResponse
from spacetimedb_standalone.host.interface import HttpFailed
from spacetimedb_standalone.outgoing.addresses import Refused, is_special

if TYPE_CHECKING:
    from spacetimedb_standalone.outgoing.client import HttpClient

DISABLED = "module outbound HTTP requests are disabled"


class OutgoingHttp:
    """`refused` says which addresses may not be spoken to. May be used by several threads at once."""

    def __init__(self, *, enabled: bool = True, refused: Refused = is_special) -> None:
        self._enabled, self._refused = enabled, refused

    def require_enabled(self) -> None:
        """Raises `HttpFailed` where the configuration has turned requests off."""
        if not self._enabled:
            raise HttpFailed(DISABLED)

    def send(self, request: HttpRequest, body: bytes) -> tuple[HttpResponse, bytes]:
        """The answer and its body, whatever its status. Blocks. Raises `HttpFailed`."""
        self.require_enabled()
        return self._client.send(request, body)

    @cached_property
    def _client(self) -> HttpClient:
        from spacetimedb_standalone.outgoing.client import HttpClient

        return HttpClient(self._refused)
