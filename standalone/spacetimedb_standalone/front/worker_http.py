"""The front's half of the private HTTP between it and the workers.

A worker answers with what the client is to get: status, body, and those headers that are meant for clients.
All requests carry who is asking; the worker trusts that, because only the front can reach its socket.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import aiohttp

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.front.caller import Caller
from spacetimedb_standalone.front.http import Response
from spacetimedb_standalone.supervisor.process import WorkerProcess

_PASSED_ON: Final = ("content-type", "cache-control")
_OLDEST_IDLE: Final = 30.0
"""Seconds after which an idle connection is not used again; the worker keeps them longer than that."""


class WorkerUnreachable(Exception):
    """The worker is just ending, and the request may be sent again: it has not reached it, or changes nothing."""

    def __init__(self, worker: WorkerProcess):
        super().__init__(f"process {worker.pid} does not answer")
        self.worker = worker


class WorkerBroke(Exception):
    """The worker ended with a request that may have changed something: whether it did is not known."""

    def __init__(self, reason: str):
        super().__init__(f"the database's process ended while it served this request: {reason}")


class WorkerHttp:
    """One client session per life of a worker."""

    def __init__(self) -> None:
        self._sessions: dict[WorkerProcess, aiohttp.ClientSession] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def request(
        self,
        worker: WorkerProcess,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        """The worker's answer, read to its end. `path` is percent-encoded.

        Raises `WorkerUnreachable` or `WorkerBroke`.
        """
        async with await self._send(worker, method, path, query, headers, body) as answer:
            try:
                return Response(answer.status, _for_client(answer), await answer.read())
            except (aiohttp.ClientError, OSError) as error:
                raise _broken(worker, method, error) from error

    async def stream(
        self, worker: WorkerProcess, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Response:
        """The worker's answer to a GET, passed on while it comes. Raises `WorkerUnreachable`."""
        answer = await self._send(worker, "GET", path, query, headers, b"")
        return Response(answer.status, _for_client(answer), _chunks(answer))

    async def json(self, worker: WorkerProcess, path: str, timeout: float) -> Any:
        """A GET for the front itself. Raises `TimeoutError` or an error of the HTTP client."""
        async with asyncio.timeout(timeout), self._session(worker).get(f"http://worker{path}") as answer:
            answer.raise_for_status()
            return await answer.json()

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def _send(
        self,
        worker: WorkerProcess,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes,
    ) -> aiohttp.ClientResponse:
        from yarl import URL

        url = URL(f"http://worker{path}", encoded=True).with_query(query)
        try:
            return await self._session(worker).request(method, url, headers=headers, data=body)
        except aiohttp.ClientConnectorError as error:
            raise WorkerUnreachable(worker) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(worker, method, error) from error

    def _session(self, worker: WorkerProcess) -> aiohttp.ClientSession:
        session = self._sessions.get(worker)
        if session is None:
            connector = aiohttp.UnixConnector(
                path=str(worker.http_path), limit=0, keepalive_timeout=_OLDEST_IDLE
            )
            session = self._sessions[worker] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            worker.ended.add_done_callback(lambda _: self._forget(worker))
        return session

    def _forget(self, worker: WorkerProcess) -> None:
        session = self._sessions.pop(worker, None)
        if session is not None:
            closing = asyncio.get_running_loop().create_task(session.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


def caller_headers(caller: Caller, owner: Identity) -> dict[str, str]:
    """Who asks, for a worker; the connection id is fresh and never zero."""
    return {
        "x-stdb-identity": caller.identity.hex(),
        "x-stdb-connection-id": new_connection_id(),
        "x-stdb-owner": "1" if caller.identity == owner else "0",
        "x-stdb-claims": caller.claims_segment(),
    }


def new_connection_id() -> str:
    return f"{secrets.randbelow((1 << 128) - 1) + 1:032x}"


def _for_client(answer: aiohttp.ClientResponse) -> list[tuple[str, str]]:
    named = [(name.lower(), value) for name, value in answer.headers.items()]
    return [(name, value) for name, value in named if name in _PASSED_ON or name.startswith("spacetime-")]


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in answer.content.iter_any():
            yield chunk
    except aiohttp.ClientError as error:
        raise ConnectionResetError(f"the worker ended in the middle of an answer: {error}") from error
    finally:
        answer.close()


def _broken(worker: WorkerProcess, method: str, error: Exception) -> Exception:
    """What is said of a request whose answer did not come."""
    return WorkerUnreachable(worker) if method == "GET" else WorkerBroke(str(error) or type(error).__name__)
