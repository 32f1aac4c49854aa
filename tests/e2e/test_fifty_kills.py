"""`kill -9` of the real server under load, again and again: nothing that was confirmed is lost, nothing is half done.

By turns all processes of the server are killed and the database's worker alone, after as many transfers as the seed
says; segments of the log are small and snapshots frequent, so that some of the kills meet those. Five kills, or as
many as `STDB_KILLS` says; fifty with `STDB_DURABILITY=long`.
"""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from tests.durability.forms import LONG, Tally
from tests.e2e.running_server import Api, RunningServer
from tests.e2e.transfers import Load, balances, check, publish_bank
from tests.examples import BASE

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("STDB_KILLS", "50" if LONG else "5"))
SMALL_PIECES = """
[commitlog]
max-segment-size = 200_000
[snapshots]
every-transactions = 2_000
"""


@pytest.mark.parametrize("seed", [BASE + 1])
async def test_nothing_confirmed_is_lost_by_any_kill(
    seed: int, tmp_path: Path, server: RunningServer, transfer: bytes, tally: Tally
) -> None:
    server.kill()
    (tmp_path / "data" / "config.toml").write_text(SMALL_PIECES)
    server.start()
    choice, owner = random.Random(seed), Api.anonymous(server.url)
    publish_bank(owner, transfer)
    before = await balances(owner)
    confirmed = happened = 0
    for number in range(KILLS):
        load = await Load.start(server.url, owner)
        await load.confirmed(choice.randrange(3000))
        if number % 2:
            (worker,) = server.workers()
            os.kill(worker, signal.SIGKILL)
        else:
            server.kill()
        moved = await load.moved()
        if number % 2 == 0:
            server.start()
        after = await balances(owner)
        happened += check(before, after, moved)
        confirmed += sum(client.confirmed for client in moved)
        assert len(owner.rows("bank", "SELECT * FROM st_client")) <= 1, (
            "those who were connected are seen off"
        )
        before = after
        who = "worker of the database" if number % 2 else "all processes"
        tally("kill -9 under load", who, "every confirmed transfer is there")
    print(f"{KILLS} kills, {confirmed} transfers confirmed, {happened} found")
    assert confirmed > 20 * KILLS, "there was no load worth the name"
    assert server.stop() == 0
