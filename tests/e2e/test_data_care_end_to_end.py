"""The care of a data directory beside a real server: checked and copied while it runs, repaired when it has stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running_server import Api, RunningServer

pytestmark = pytest.mark.slow


def care(command: str, server: RunningServer, *arguments: str) -> tuple[int, str]:
    """(exit status, what was printed)"""
    done = subprocess.run(
        [sys.executable, "-m", "spacetimedb_standalone", command, "--data-dir", server.data_dir, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def examined(server: RunningServer) -> dict[str, Any]:
    status, printed = care("doctor", server, "--json", "--replay")
    document: dict[str, Any] = json.loads(printed)
    assert status == (0 if document["sound"] else 3)
    return document


def say(owner: Api, *messages: str) -> None:
    for message in messages:
        assert owner.call("chat", "say", json.dumps([1, message])).status_code == 200


def messages(api: Api) -> list[object]:
    return sorted(text for (text,) in api.rows("chat", "SELECT text FROM message"))


def test_a_copy_of_a_running_database_serves_its_past(
    server: RunningServer, owner: Api, chat: bytes, tmp_path: Path
) -> None:
    owner.publish("chat", chat)
    say(owner, "one", "two")
    then = examined(server)
    assert then["server"] == str(server.process.pid if server.process else None)
    say(owner, "three")
    last = then["checked"]["commits"] - 1
    into = tmp_path / "copy"
    status, printed = care("replay", server, "--database", "chat", f"--to-offset={last}", f"--into={into}")
    assert status == 0, printed
    assert messages(owner) == ["one", "three", "two"], "the source goes on"
    copy = RunningServer(into, server.key_dir)
    copy.start()
    try:
        past = Api(copy.url, owner.person)
        assert messages(past) == ["one", "two"]
        say(past, "another three")
        assert messages(past) == ["another three", "one", "two"]
    finally:
        copy.end()


def test_a_damaged_database_is_found_and_repaired(server: RunningServer, owner: Api, chat: bytes) -> None:
    owner.publish("chat", chat)
    say(owner, "one", "two", "three", "four")
    assert care("repair", server, "--database", "chat", "-y")[0] == 1, "not while the server runs"
    server.kill()
    assert examined(server)["sound"]
    (log,) = (server.data_dir / "replicas").glob("*/clog/*.log")
    data = bytearray(log.read_bytes())
    data[data.index(b"three")] ^= 1
    log.write_bytes(data)
    (finding,) = examined(server)["findings"][:1]
    assert finding["file"] == str(log) and finding["position"] < data.index(b"hree")
    server.start()
    refused = owner.sql("chat", "SELECT text FROM message")
    assert refused.status_code == 500 and "damaged at transaction offset" in refused.text
    server.stop()
    status, printed = care("repair", server, "--database", "chat", "-y")
    assert status == 0, printed
    server.start()
    assert messages(owner) == ["one", "two"]
    say(owner, "five")
    assert messages(owner) == ["five", "one", "two"]
