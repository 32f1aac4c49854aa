"""Clients that move money and count what was confirmed, until their connection breaks."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from tests.e2e.running_server import Api
from tests.e2e.v2_client import RESULT, V2Client

CLIENTS, IN_FLIGHT, BALANCE = 8, 20, 1_000_000_000


@dataclass(frozen=True)
class Moved:
    """One client's transfers: at least so many happened, at most so many."""

    confirmed: int
    sent: int


async def move_money(client: V2Client, payer: int) -> Moved:
    """One by one from an account to the next, with several under way, until the connection breaks."""
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
        return Moved(confirmed, sent)


def publish_bank(owner: Api, transfer: bytes) -> None:
    """Two accounts for each client."""
    assert owner.publish("bank", transfer).status_code == 200
    assert owner.call("bank", "seed", f"[{2 * CLIENTS}, {BALANCE}]").status_code == 200


async def start_moving(url: str, owner: Api) -> list[asyncio.Task[Moved]]:
    clients = [await V2Client.open(url, "bank", owner.person) for _ in range(CLIENTS)]
    return [asyncio.create_task(move_money(client, 2 * n)) for n, client in enumerate(clients)]


async def balances(owner: Api) -> dict[int, int]:
    """By account, as they are on the disk."""
    rows = await asyncio.to_thread(owner.rows, "bank", "SELECT * FROM accounts")
    return {int(str(row[0])): int(str(row[1])) for row in rows}


def check(before: dict[int, int], after: dict[int, int], moved: list[Moved]) -> int:
    """Every confirmed transfer happened, whole, and no other; how many did."""
    in_all = 0
    for n, client in enumerate(moved):
        happened = before[2 * n] - after[2 * n]
        assert client.confirmed <= happened <= client.sent, (n, client, happened)
        assert after[2 * n + 1] - before[2 * n + 1] == happened, (
            "a transfer is in the log whole or not at all"
        )
        in_all += happened
    return in_all
