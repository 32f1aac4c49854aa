"""`kill -9` of a database's worker in the middle of load: nothing confirmed is lost, and others do not notice."""

from __future__ import annotations

import asyncio
import os
import signal
import struct

import pytest

from tests.e2e.running_server import Api, RunningServer, once_back
from tests.e2e.transfers import Load, balances, check, publish_bank
from tests.e2e.v2_client import V2Client

pytestmark = pytest.mark.slow


async def test_nothing_confirmed_is_lost(server: RunningServer, owner: Api, transfer: bytes) -> None:
    publish_bank(owner, transfer)
    before = await balances(owner)
    load = await Load.start(server.url, owner)
    await load.confirmed(1000)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    moved = await load.moved()
    assert check(before, await balances(owner), moved) >= 1000
    assert server.workers() != [worker], "the front started another worker"


async def test_other_databases_do_not_notice(
    server: RunningServer, owner: Api, transfer: bytes, chat: bytes
) -> None:
    owner.publish("chat", chat)
    (chat_worker,) = server.workers()
    owner.publish("bank", transfer)
    client = await V2Client.open(server.url, "chat", owner.person)
    (bank_worker,) = set(server.workers()) - {chat_worker}
    os.kill(bank_worker, signal.SIGKILL)
    result = await client.call("say", struct.pack("<II", 1, 5) + b"still")
    assert result.outcome == 0
    answer = await asyncio.to_thread(once_back, lambda: owner.call("bank", "seed", "[2, 10]"))
    assert answer.status_code == 200
    await client.close()
