"""`kill -9` in the middle of a publish: the server starts, and the name is free, or taken by the database, whole."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest

from tests.durability.forms import LONG, Tally
from tests.e2e.running_server import Api, RunningServer
from tests.examples import BASE

pytestmark = pytest.mark.slow

KILLS = 20 if LONG else 3


@pytest.mark.parametrize("seed", [BASE + 1])
async def test_a_name_is_free_or_its_database_works(
    seed: int, server: RunningServer, owner: Api, chat: bytes, tally: Tally
) -> None:
    choice = random.Random(seed)
    assert owner.publish("kept", chat).status_code == 200
    for number in range(KILLS):
        name = f"chat{number}"
        publishing = asyncio.create_task(asyncio.to_thread(owner.publish, name, chat))
        await asyncio.sleep(choice.uniform(0, 1.5))
        server.kill()
        confirmed = await confirmation(publishing)
        server.start()
        found = owner.sql(name, "SELECT title FROM room")
        if found.status_code == 200:
            assert found.json()[0]["rows"] == [["lobby"]], "what `init` inserts"
        else:
            assert not confirmed and found.status_code == 404, found.text
        again = owner.publish(name, chat)
        assert again.status_code == 200, again.text
        assert owner.rows(name, "SELECT title FROM room") == [["lobby"]]
        assert owner.rows("kept", "SELECT title FROM room") == [["lobby"]]
        result = "the name is taken, the database whole" if found.status_code == 200 else "the name is free"
        tally("kill -9 while publishing", "all processes", result)


async def confirmation(publishing: asyncio.Task[httpx.Response]) -> bool:
    """Was the publish answered before the server died?"""
    try:
        return (await publishing).status_code == 200
    except httpx.HTTPError:
        return False
