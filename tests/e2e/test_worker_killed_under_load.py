"""`kill -9` of a database's worker in the middle of load: nothing confirmed is lost, and it comes back.

Each client moves money along its own pair of accounts, one call after the other is answered or not. What the
payer's balance lacks is how many transfers happened: at least those that were confirmed, at most those sent.
"""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.e2e.running_server import Api, RunningServer
from tests.e2e.v2_client import RESULT, V2Client

pytestmark = pytest.mark.slow

CLIENTS, IN_FLIGHT, BALANCE = 8, 20, 1_000_000_000


async def move_money(client: V2Client, payer: int) -> tuple[int, int]:
    """(confirmed, sent) when the connection breaks."""
    arguments = struct.pack("<IIq", payer, payer + 1, 1)
    sent = confirmed = 0
    try:
        for _ in range(IN_FLIGHT):
            await client.send_call("transfer", arguments)
            sent += 1
        while True:
            message = await client.receive()
            assert message.tag == RESULT and message.outcome == 0
            confirmed += 1
            sent += 1
            await client.send_call("transfer", arguments)
    except ConnectionClosed:
        return confirmed, sent


async def test_nothing_confirmed_is_lost(server: RunningServer, owner: Api, transfer: bytes) -> None:
    assert owner.publish("bank", transfer).status_code == 200
    assert owner.call("bank", "seed", f"[{2 * CLIENTS}, {BALANCE}]").status_code == 200
    clients = [await V2Client.open(server.url, "bank", owner.person) for _ in range(CLIENTS)]
    load = [asyncio.create_task(move_money(client, 2 * n)) for n, client in enumerate(clients)]
    await asyncio.sleep(1.0)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    counts = await asyncio.gather(*load)
    assert sum(confirmed for confirmed, _ in counts) > 100, "there was no load worth the name"

    balances = {
        row[0]: row[1] for row in await asyncio.to_thread(owner.rows, "bank", "SELECT * FROM accounts")
    }
    for n, (confirmed, sent) in enumerate(counts):
        happened = BALANCE - balances[2 * n]
        assert confirmed <= happened <= sent
        assert balances[2 * n + 1] == BALANCE + happened, "a transfer is in the log whole or not at all"
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
    began = time.monotonic()
    result = await client.call("say", struct.pack("<II", 1, 5) + b"still")
    assert result.outcome == 0 and time.monotonic() - began < 5
    assert (await called_once_back(owner)).status_code == 200
    await client.close()


async def called_once_back(owner: Api) -> httpx.Response:
    """The first answer to a call that is not the refusal of a process that is just ending."""
    for _ in range(100):
        answer = await asyncio.to_thread(owner.call, "bank", "seed", "[2, 10]")
        if answer.status_code != 503:
            break
        assert "ended while it served this request" in answer.text
        await asyncio.sleep(0.05)
    return answer
