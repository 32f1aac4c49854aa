"""The main path: publish, live rows at two clients, SQL, `kill -9`, restart, the same rows."""

from __future__ import annotations

import struct

import pytest

from tests.e2e.running_server import Api, RunningServer
from tests.e2e.v2_client import APPLIED, UPDATE, V2Client, text

pytestmark = pytest.mark.slow


def say(words: str) -> bytes:
    return struct.pack("<I", 1) + text(words)


async def test_two_clients_see_each_others_rows(server: RunningServer, owner: Api, chat: bytes) -> None:
    assert owner.publish("chat", chat).status_code == 200
    ann, bea = [await V2Client.open(server.url, "chat", Api.anonymous(server.url).person) for _ in range(2)]
    for client in (ann, bea):
        assert (await client.subscribe("SELECT * FROM message")).tag == APPLIED
    result = await ann.call("say", say("hello from Ann"))
    assert result.outcome == 0
    assert b"hello from Ann" in result.body, "the caller's own rows come with its result"
    assert b"hello from Ann" in (await bea.receive_tag(UPDATE)).body
    await bea.call("say", say("hello from Bea"))
    assert b"hello from Bea" in (await ann.receive_tag(UPDATE)).body
    for client in (ann, bea):
        await client.close()


def test_rows_survive_kill_9(server: RunningServer, owner: Api, chat: bytes) -> None:
    owner.publish("chat", chat)
    for number in range(20):
        assert owner.call("chat", "say", f'[1, "message {number}"]').status_code == 200
    before = sorted(owner.rows("chat", "SELECT * FROM message"))
    assert len(before) == 20
    server.kill()
    server.start()
    assert sorted(owner.rows("chat", "SELECT * FROM message")) == before
    assert owner.call("chat", "say", '[1, "after the restart"]').status_code == 200


def test_those_who_were_connected_are_seen_off_after_a_crash(
    server: RunningServer, owner: Api, chat: bytes
) -> None:
    owner.publish("chat", chat)
    owner.call("chat", "set_nickname", '["Ann"]')
    assert owner.rows("chat", "SELECT nickname FROM member"), "a confirmed read: what it sees is on the disk"
    server.kill()
    server.start()
    (row,) = owner.rows("chat", "SELECT nickname, connections FROM member WHERE nickname = 'Ann'")
    assert row == ["Ann", 1], "this query's own connection, and no other"


def test_sigterm_is_a_clean_stop(server: RunningServer, owner: Api, chat: bytes) -> None:
    owner.publish("chat", chat)
    assert server.stop() == 0
    server.start()
    assert owner.rows("chat", "SELECT title FROM room") == [["lobby"]]
