"""One HTTP/1.1 connection of a client: bytes in, requests out to the application, responses back.

h11 parses and frames; this class moves the bytes and keeps the order. Rules that clients rely on:

* An answer may come before the request's body has been read. The rest of the body is then read and dropped,
so that a
  client that is still sending sees the answer and not a broken pipe.
* A request runs to its end even if its client hangs up, except while a stream is written to it.
* A route can take the socket away (`Request.take_socket`): the descriptor is duplicated, reading stops at
the byte
  behind the request's head, and the connection is let go without being shut down.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final, cast

import h11

from spacetimedb_standalone.front.framing import encode_body, encode_head, read_head
from spacetimedb_standalone.front.http import HANDED_OVER, Body, Request, Response, text

Application = Callable[[Request], Awaitable[Response]]

HEAD_LIMIT: Final = 1 << 16
IDLE_TIMEOUT: Final = 75.0
"""Seconds that a connection may wait for (the rest of) a request's head."""
_DISCARD_LIMIT: Final = 1 << 28

_log = logging.getLogger(__name__)


class HttpConnection(asyncio.Protocol):
    """`connections` is the set of open connections, in which this one is while it lives."""

    def __init__(self, application: Application, connections: set[HttpConnection]):
        self._application = application
        self._connections = connections
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        self._transport: asyncio.Transport
        self._body: Body | None = None
        self._task: asyncio.Task[None] | None = None
        self._streaming = False
        self._draining = False
        self._discarded = 0
        self._body_refused = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._idle: asyncio.TimerHandle | None = None

    # -- called by the event loop -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        self._http.receive_data(b"")
        self._advance()
        return self._task is not None  # a client may close its sending half and still want its answer

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self._stop_waiting()
        self._writable.set()
        if self._body is not None:
            self._body.abort()
        if self._streaming and self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # -- called by the listener -------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def drain(self) -> None:
        """The server is stopping: finish what is being served, then close. A stream may be endless: it ends
        now.
        """
        self._draining = True
        if self._task is None:
            self._transport.close()
        elif self._streaming:
            self.abort()

    def abort(self) -> None:
        """Drop the connection with whatever is under way."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    # -- reading ----------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Act on everything that has come in so far."""
        while not self._transport.is_closing():
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._answer_nonsense(error)
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                self._regulate(paused=event is h11.PAUSED)
                return
            if isinstance(event, h11.ConnectionClosed):
                self._on_closed()
                return
            self._on_event(event)

    def _on_closed(self) -> None:
        """The client will send nothing more; one that waits for an answer still gets it."""
        if self._task is None:
            self._transport.close()

    def _on_event(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._serve(event)
        elif isinstance(event, h11.Data) and self._body is not None:
            self._feed(self._body, bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and self._body is not None:
            self._body.finish()
            self._next_request_if_done()

    def _feed(self, body: Body, chunk: bytes) -> None:
        body.feed(chunk)
        if self._task is None:
            self._discarded += len(chunk)
            if self._discarded > _DISCARD_LIMIT:
                self._transport.close()

    def _regulate(self, paused: bool) -> None:
        """Stop reading while a request waits for its turn or a body for its reader."""
        if paused or (self._body is not None and self._body.is_full):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _body_wanted(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._transport.write(self._http.send(go_on) or b"")
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _answer_nonsense(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE) and self._task is None:
            answer = text(f"malformed request: {error}", error.error_status_hint)
            self._transport.write(self._encoded(answer, closing=True))
        self._transport.close()

    # -- serving ----------------------------------------------------------------------------------

    def _serve(self, head: h11.Request) -> None:
        self._stop_waiting()
        self._body = Body(self._body_wanted)
        self._discarded = 0
        request = read_head(head, self._body, self._take_socket)
        self._task = asyncio.get_running_loop().create_task(self._respond(request))

    async def _respond(self, request: Request) -> None:
        try:
            response = await self._application(request)
            if response is not HANDED_OVER:
                await self._write(response, head_only=request.method == "HEAD")
        except (ConnectionError, h11.LocalProtocolError) as error:
            _log.debug("an answer was not sent to its end: %s", error)
            self._transport.abort()
        finally:
            self._task = None
            self._streaming = False
        if not self._transport.is_closing():
            request.body.discard()
            self._next_request_if_done()
            self._advance()

    def _next_request_if_done(self) -> None:
        """Go on to the next request once this one is answered and its body is through."""
        if self._task is not None or self._transport.is_closing():
            return
        if self._http.their_state is h11.SEND_BODY and not self._body_refused:
            self._wait_for_request()  # the rest of the body comes first
            return
        if not self._draining and (self._http.our_state, self._http.their_state) == (h11.DONE, h11.DONE):
            self._http.start_next_cycle()
            self._body = None
            self._wait_for_request()
        else:
            self._transport.close()

    async def _write(self, response: Response, head_only: bool) -> None:
        if self._transport.is_closing():
            return
        if isinstance(response.body, bytes):
            self._transport.write(self._encoded(response, self._draining, head_only))
            await self._writable.wait()
        else:
            self._transport.write(self._encoded_head(response, self._draining))
            await self._write_stream(response.body, head_only)

    async def _write_stream(self, stream: AsyncGenerator[bytes, None], head_only: bool) -> None:
        self._streaming = True
        async with contextlib.aclosing(stream):
            async for chunk in stream:
                if self._transport.is_closing():
                    raise ConnectionResetError("the client is gone")
                if head_only:
                    break
                if chunk:
                    self._transport.write(self._http.send(h11.Data(data=chunk)) or b"")
                    await self._writable.wait()
        self._transport.write(self._http.send(h11.EndOfMessage()) or b"")

    def _encoded_head(self, response: Response, closing: bool) -> bytes:
        self._body_refused = self._http.they_are_waiting_for_100_continue  # it will never be asked for
        return encode_head(self._http, response, closing or self._body_refused)

    def _encoded(self, response: Response, closing: bool, head_only: bool = False) -> bytes:
        return self._encoded_head(response, closing) + encode_body(self._http, response, head_only)

    # -- the end of a connection ------------------------------------------------------------------

    def _take_socket(self) -> tuple[int, bytes]:
        self._transport.pause_reading()
        early, _ = self._http.trailing_data
        descriptor = os.dup(self._transport.get_extra_info("socket").fileno())
        self._transport.abort()
        return descriptor, early

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_TIMEOUT, self._transport.close)

    def _stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
