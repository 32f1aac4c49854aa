"""A worker for tests of the front: no database, but everything the front asks of one.

It refuses programs that begin with `broken` and directories with a file `dead`, answers every route with
what it was asked, and greets a WebSocket by writing the reply it was given and then, unframed, the JSON of
the hand-over message.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from typing import Any

from aiohttp import web

from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.channel import Channel


def run(channel: socket.socket, boot: WorkerBoot) -> int:
    return asyncio.run(_Fake(boot).serve(channel))


class _Fake:
    def __init__(self, boot: WorkerBoot) -> None:
        self._boot = boot
        self._program = boot.program_path.read_bytes()
        self._stopped = asyncio.Event()
        self._clients: list[socket.socket] = []

    async def serve(self, sock: socket.socket) -> int:
        self._channel = Channel(sock, self._on_message, self._stopped.set)
        self._channel.start(asyncio.get_running_loop())
        if self._program.startswith(b"broken"):
            self._channel.send({"op": "failed", "status": 500, "error": self._program.decode()})
            return 3
        if (self._boot.replica_dir / "dead").exists():
            self._channel.send({"op": "failed", "status": 500, "error": "it is dead"})
            return 3
        self._boot.replica_dir.mkdir(parents=True, exist_ok=self._boot.create is False)
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        await web.UnixSite(runner, str(self._boot.http_path)).start()
        self._channel.send({"op": "ready"})
        await self._stopped.wait()
        await runner.cleanup()
        self._channel.close()
        return 0

    def _on_message(self, message: dict[str, Any], fds: list[int]) -> None:
        match message["op"]:
            case "ping":
                self._channel.send({"op": "pong", "n": message["n"]})
            case "stop":
                self._stopped.set()
            case "socket":
                client = socket.socket(fileno=fds[0])
                client.setblocking(True)
                client.sendall(base64.b64decode(message.pop("reply")))
                client.sendall(json.dumps({**message, "pid": os.getpid()}).encode() + b"\n")
                self._clients.append(client)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path == "/stats":
            sample = {"suffix": "", "labels": {"db": self._boot.database_identity.hex()}, "value": 1}
            family = {"name": "spacetime_fake", "type": "gauge", "help": "A fake.", "samples": [sample]}
            return web.json_response({"families": [family]})
        if request.path == "/update":
            return self._update(body)
        if request.path == "/route":
            return _route(body)
        if request.path == "/logs":
            return await _logs(request)
        if request.path == "/call/die":
            os._exit(9)
        private = {name: value for name, value in request.headers.items() if name.startswith("x-stdb-")}
        asked = {"method": request.method, "path": request.path_qs, "body": body.decode(), "pid": os.getpid()}
        return web.json_response(asked | private, headers={"spacetime-energy-used": "7", "x-secret": "no"})

    def _update(self, program: bytes) -> web.Response:
        if program.startswith(b"broken"):
            return web.Response(status=400, text="Database update rejected: " + program.decode())
        changed, self._program = program != self._program, program
        return web.json_response({"updated": changed})


def _route(frame: bytes) -> web.Response:
    length = int.from_bytes(frame[:4], "little")
    about, body = json.loads(frame[4 : 4 + length]), frame[4 + length :]
    if about["path"] == "/nowhere":
        text = "Database has not registered a handler for this route"
        return web.Response(status=404, text=text, headers={"x-stdb-plain": "1"})
    said = json.dumps({"status": 299, "headers": [["x-twice", "one"], ["x-twice", "two"]]}).encode()
    content = json.dumps({**about, "body": body.decode()}).encode()
    return web.Response(body=len(said).to_bytes(4, "little") + said + content)


async def _logs(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"content-type": "application/x-ndjson", "cache-control": "no-cache"})
    await stream.prepare(request)
    await stream.write(b'{"level":"Info"}\n')
    if request.query.get("follow") == "true":
        await asyncio.sleep(3600)
    return stream
