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


@dataclass
class Payer:
    """A client that pays from one account to the next, one by one with several under way."""

    client: V2Client
    account: int
    confirmed: int = 0
    sent: int = 0

    async def pay(self) -> Moved:
        """Until the connection breaks."""
        try:
            for _ in range(IN_FLIGHT):
                await self._send()
            while True:
                message = await self.client.receive()
                assert message.tag == RESULT and message.outcome == 0
                self.confirmed += 1
                await self._send()
        except ConnectionClosed:
            return Moved(self.confirmed, self.sent)

    async def _send(self) -> None:
        self.sent += 1
        await self.client.send_call("transfer", struct.pack("<IIq", self.account, self.account + 1, 1))


@dataclass(frozen=True)
class Load:
    """All who pay at once."""

    payers: list[Payer]
    tasks: list[asyncio.Task[Moved]]

    @classmethod
    async def start(cls, url: str, owner: Api, **query: str) -> Load:
        clients = [await V2Client.open(url, "bank", owner.person, **query) for _ in range(CLIENTS)]
        payers = [Payer(client, 2 * n) for n, client in enumerate(clients)]
        return cls(payers, [asyncio.create_task(payer.pay()) for payer in payers])

    async def confirmed(self, count: int) -> None:
        """Wait until so many transfers are, of all together."""
        async with asyncio.timeout(120):
            while sum(payer.confirmed for payer in self.payers) < count:
                assert not any(task.done() for task in self.tasks), "a connection broke too early"
                await asyncio.sleep(0.005)

    async def moved(self) -> list[Moved]:
        """Of each client, once the connections are broken."""
        return await asyncio.gather(*self.tasks)


def publish_bank(owner: Api, transfer: bytes) -> None:
    """Two accounts for each client."""
    assert owner.publish("bank", transfer).status_code == 200
    assert owner.call("bank", "seed", f"[{2 * CLIENTS}, {BALANCE}]").status_code == 200


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
