"""Starting, stopping, and a disk that is full: what a server that runs for years goes through."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import subprocess

import pytest

from tests.e2e.running_server import PATIENCE, Api, RunningServer, free_port
from tests.e2e.transfers import BALANCE, Load, balances, check, publish_bank

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_clean_stop_keeps_what_was_answered_before_it_was_durable(
    server: RunningServer, owner: Api, transfer: bytes, number: signal.Signals
) -> None:
    """The clients did not ask for confirmed answers; the server makes durable what it has, then goes."""
    publish_bank(owner, transfer)
    before = await balances(owner)
    load = await Load.start(server.url, owner, confirmed="false")
    await load.confirmed(500)
    assert server.process is not None
    server.process.send_signal(number)
    moved = await load.moved()
    assert await asyncio.to_thread(server.process.wait, PATIENCE) == 0
    server.start()
    assert check(before, await balances(owner), moved) >= 500
    left = list((server.data_dir / "replicas").glob("*/db.lock"))
    assert left, "lock files stay, locks do not"


def test_a_second_server_on_the_same_directory_is_refused(server: RunningServer, owner: Api) -> None:
    assert server.process is not None
    second = RunningServer(server.data_dir, server.key_dir, free_port())
    refused = subprocess.run(second.argv(), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert refused.returncode != 0
    assert (
        f"cannot take lock on database; spacetime.pid already exists (owned by pid Some({server.process.pid}))"
        in refused.stdout + refused.stderr
    )
    assert owner.call("nowhere", "nothing", "[]").status_code == 404, "the first one goes on"
    pid_file = server.data_dir / "spacetime.pid"
    assert pid_file.read_text() == str(server.process.pid)
    assert server.stop() == 0
    assert not pid_file.exists()


async def test_a_full_disk_stops_the_database_and_loses_nothing_confirmed(
    server: RunningServer, owner: Api, transfer: bytes
) -> None:
    """No file of the worker may get longer: the host writes a part of the next commits, then refuses."""
    publish_bank(owner, transfer)
    before = await balances(owner)
    load = await Load.start(server.url, owner)
    await load.confirmed(100)
    (worker,) = server.workers()
    (segment,) = (server.data_dir / "replicas").glob("*/clog/*.stdb.log")
    limit = segment.stat().st_size + 30_000
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (limit, limit))
    moved = await load.moved()
    after = await balances(owner)
    assert check(before, after, moved) >= 100
    assert server.workers() != [worker], "a new process has opened the log"
    said = server.output.read_text(errors="replace")
    assert "the commit log failed, the database stops: the disk refused a write" in said
    assert "File too large" in said and "Mend the disk, then open the database again" in said
    answer = await asyncio.to_thread(owner.call, "bank", "transfer", "[0, 1, 1]")
    assert answer.status_code == 200, answer.text
    assert (await balances(owner))[1] == after[1] + 1 <= BALANCE * 2


def test_a_log_that_is_lost_is_told_and_not_replaced_by_an_empty_one(
    server: RunningServer, owner: Api, chat: bytes
) -> None:
    owner.publish("chat", chat)
    assert owner.call("chat", "say", '[1, "hello"]').status_code == 200
    server.stop()
    for file in server.data_dir.glob("replicas/*/clog/*"):
        file.unlink()
    server.start()
    for _ in range(2):
        answer = owner.sql("chat", "SELECT text FROM message")
        assert answer.status_code == 500
        assert "has lost all its transactions: restore that directory from a backup" in answer.text
    assert owner.publish("chat", chat, clear="true").status_code == 200
    assert owner.rows("chat", "SELECT text FROM message") == []


def test_what_keeps_a_database_from_opening_is_told(server: RunningServer, owner: Api, chat: bytes) -> None:
    owner.publish("chat", chat)
    server.stop()
    (place,) = server.data_dir.glob("replicas/*/module_logs")
    shutil.rmtree(place)
    place.write_text("no directory")
    server.start()
    answer = owner.sql("chat", "SELECT text FROM message")
    assert answer.status_code == 500
    assert "the module's log cannot be opened: " in answer.text and str(place) in answer.text
    place.unlink()
    assert owner.sql("chat", "SELECT text FROM message").status_code in (200, 500), "500 while it pauses"
