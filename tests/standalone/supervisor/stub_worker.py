"""A worker with no database at all: what it does stands in its program, word by word.

`refuse` says that it cannot open, `crash` dies while opening, `deaf` never answers a ping, `stubborn` does
not stop; `once` dies while opening unless this is its second life. Otherwise it is ready at once.
"""

from __future__ import annotations

import json
import os
import socket
import time

from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.channel import Inbox

rehearsed_in = 0


def rehearse() -> None:
    """As in the real worker: what the template does for all."""
    global rehearsed_in
    rehearsed_in = os.getpid()


def run(channel: socket.socket, boot: WorkerBoot) -> int:
    words = boot.program_path.read_text().split()
    boot.replica_dir.mkdir(parents=True, exist_ok=True)
    lives = boot.replica_dir / "lives"
    lives.write_text(
        (lives.read_text() if lives.exists() else "") + f"{boot.create} {os.getpid()} {rehearsed_in}\n"
    )
    if "refuse" in words:
        _say(channel, {"op": "failed", "status": 400, "error": "this program is refused"})
        return 3
    if "crash" in words or ("once" in words and lives.read_text().count("\n") == 1):
        os._exit(7)
    _say(channel, {"op": "ready"})
    return _serve(channel, words)


def _serve(channel: socket.socket, words: list[str]) -> int:
    inbox = Inbox()
    while data := channel.recv(65536):
        for message, _ in inbox.take_in(data, []):
            if message["op"] == "ping" and "deaf" not in words:
                _say(channel, {"op": "pong", "n": message["n"]})
            if message["op"] == "die":
                os._exit(message["status"])
            if message["op"] == "stop" and "stubborn" not in words:
                return 0
    if "stubborn" in words:
        time.sleep(30)
    return 0


def _say(channel: socket.socket, message: dict[str, object]) -> None:
    channel.sendall(json.dumps(message).encode() + b"\n")
