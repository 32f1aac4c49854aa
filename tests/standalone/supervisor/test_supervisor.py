"""Workers: started when needed, restarted when they die, stopped when told, each on its own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.config.settings import ServerConfig
from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.launch import ForkLauncher, SpawnLauncher
from spacetimedb_standalone.supervisor.process import WorkerFailed, WorkerProcess
from spacetimedb_standalone.supervisor.slot import Backoff
from spacetimedb_standalone.supervisor.supervisor import (
    Supervisor,
    SupervisorSettings,
    resident_memory,
)

STUB = "stub_worker:run"
QUICK = SupervisorSettings(backoff=Backoff(first=0.02, most=0.1))
PATIENCE = 60.0
"""Seconds for what takes a tenth of one on a quiet machine."""

Make = Callable[..., Supervisor]


@pytest.fixture(autouse=True)
def stub_is_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Supervisor] = []

    def build(settings: SupervisorSettings = QUICK, spawn: bool = False) -> Supervisor:
        supervisor = Supervisor(SpawnLauncher(STUB) if spawn else ForkLauncher(STUB), settings)
        supervisor.start()
        made.append(supervisor)
        return supervisor

    yield build
    for supervisor in made:
        await supervisor.close(1.0)


def boot(tmp_path: Path, program: str = "", replica: int = 1, create: bool = False) -> WorkerBoot:
    path = tmp_path / f"program-{replica}"
    path.write_text(program)
    return WorkerBoot(
        replica_id=replica,
        replica_dir=tmp_path / str(replica),
        database_identity=Identity.from_claims("test", str(replica)),
        owner_identity=Identity.ZERO,
        host_type="Wasm",
        program_path=path,
        program_hash=bytes(32),
        create=create,
        in_memory=False,
        http_path=Path(),
        cache_dir=tmp_path,
        node="test",
        log_file=None,
        config=ServerConfig(),
    )


def lives(tmp_path: Path, replica: int = 1) -> list[str]:
    return (tmp_path / str(replica) / "lives").read_text().splitlines()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def die(worker: WorkerProcess, status: int = 1) -> None:
    worker.send({"op": "die", "status": status})


@pytest.mark.parametrize("spawn", [False, True], ids=["forked", "spawned"])
async def test_a_worker_is_started_once_for_all_who_ask(make: Make, tmp_path: Path, spawn: bool) -> None:
    supervisor = make(spawn=spawn)
    order = boot(tmp_path)
    workers = await asyncio.gather(*(supervisor.worker(order) for _ in range(5)))
    assert len({worker.pid for worker in workers}) == 1
    assert supervisor.running() == [workers[0]]
    await supervisor.stop(1, "shutdown", PATIENCE)
    assert workers[0].ended.result() == 0


async def test_databases_have_processes_of_their_own_that_fail_alone(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    one = await supervisor.worker(boot(tmp_path, replica=1))
    two = await supervisor.worker(boot(tmp_path, replica=2))
    assert one.pid != two.pid
    os.kill(one.pid, signal.SIGKILL)
    assert await one.ended == -signal.SIGKILL
    assert await supervisor.worker(boot(tmp_path, replica=2)) is two


async def test_a_worker_that_dies_is_started_again_without_being_asked_for(
    make: Make, tmp_path: Path
) -> None:
    supervisor = make()
    first = await supervisor.worker(boot(tmp_path))
    os.kill(first.pid, signal.SIGKILL)
    await first.ended
    await until(lambda: bool(supervisor.running()))
    second = await supervisor.worker(boot(tmp_path))
    assert second.pid != first.pid
    assert len(lives(tmp_path)) == 2


async def test_who_asks_while_it_is_restarted_waits_for_it(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    first = await supervisor.worker(boot(tmp_path))
    die(first)
    await first.ended
    assert (await supervisor.worker(boot(tmp_path))).is_ready


async def test_a_restarted_worker_does_not_create_its_database_again(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    first = await supervisor.create(boot(tmp_path, create=True))
    die(first)
    await first.ended
    await until(lambda: len(lives(tmp_path)) == 2)
    assert [life.split()[0] for life in lives(tmp_path)] == ["True", "False"]


async def test_a_refusal_is_told_as_it_was_said_and_not_repeated_by_itself(
    make: Make, tmp_path: Path
) -> None:
    supervisor = make(SupervisorSettings(backoff=Backoff(first=PATIENCE)))
    for _ in range(3):
        with pytest.raises(WorkerFailed, match=r"^this program is refused$") as caught:
            await supervisor.worker(boot(tmp_path, "refuse"))
        assert (caught.value.status, caught.value.refused) == (400, True)
    assert len(lives(tmp_path)) == 1, "within the pause everybody gets the same answer"


async def test_after_the_pause_the_next_one_who_asks_is_a_new_attempt(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    async with asyncio.timeout(PATIENCE):
        while not (tmp_path / "1").exists() or len(lives(tmp_path)) < 2:
            with pytest.raises(WorkerFailed):
                await supervisor.worker(boot(tmp_path, "refuse"))
            await asyncio.sleep(0.005)


async def test_a_crash_while_starting_is_told_with_its_status(make: Make, tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed, match=r"its process ended while starting \(exit status 7\)"):
        await make().worker(boot(tmp_path, "crash"))


async def test_a_crash_while_starting_may_pass(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    with pytest.raises(WorkerFailed):
        await supervisor.worker(boot(tmp_path, "once"))
    async with asyncio.timeout(PATIENCE):
        while not (running := supervisor.running()):
            with contextlib.suppress(WorkerFailed):  # the answer of before, until the pause is over
                await supervisor.worker(boot(tmp_path, "once"))
            await asyncio.sleep(0.005)
    assert running[0].is_ready


async def test_nothing_is_left_of_a_replica_that_could_not_be_created(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    with pytest.raises(WorkerFailed):
        await supervisor.create(boot(tmp_path, "refuse", create=True))
    assert not (tmp_path / "1").exists()
    assert (await supervisor.create(boot(tmp_path, "", create=True))).is_ready


@pytest.mark.slow
async def test_a_worker_that_does_not_react_is_killed_and_restarted(make: Make, tmp_path: Path) -> None:
    supervisor = make(SupervisorSettings(1.0, 0.2, backoff=Backoff(first=0.02)))
    deaf = await supervisor.worker(boot(tmp_path, "deaf", replica=1))
    good = await supervisor.worker(boot(tmp_path, "", replica=2))
    async with asyncio.timeout(PATIENCE):
        assert await deaf.ended == -signal.SIGKILL
    await until(lambda: len(lives(tmp_path)) == 2)
    assert good.is_ready


@pytest.mark.slow
async def test_a_worker_is_asked_often_enough_to_be_heard_in_time(make: Make, tmp_path: Path) -> None:
    """However short a silence is taken for a hang."""
    supervisor = make(SupervisorSettings(hang_timeout=0.6, ping_interval=10.0))
    worker = await supervisor.worker(boot(tmp_path))
    first = worker.last_heard
    await until(lambda: worker.last_heard > first + 0.6)
    assert worker.is_ready


async def test_a_worker_over_its_memory_is_killed(make: Make, tmp_path: Path) -> None:
    assert resident_memory(os.getpid()) > 1 << 20
    supervisor = make(SupervisorSettings(memory_limit=1 << 20, memory_interval=0.05))
    worker = await supervisor.worker(boot(tmp_path))
    async with asyncio.timeout(PATIENCE):
        assert await worker.ended == -signal.SIGKILL


@pytest.mark.slow
async def test_a_worker_that_does_not_stop_is_made_to(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    worker = await supervisor.worker(boot(tmp_path, "stubborn"))
    await supervisor.stop(1, "deleted", 0.0)
    assert worker.ended.result() == -signal.SIGKILL
    assert supervisor.running() == []


async def test_when_the_template_dies_a_new_one_takes_over(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    first = await supervisor.worker(boot(tmp_path))
    template = int(Path(f"/proc/{first.pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(template, signal.SIGKILL)
    await first.ended
    await until(lambda: len(lives(tmp_path)) == 2)
    assert (await supervisor.worker(boot(tmp_path))).is_ready


async def test_after_closing_nothing_is_started(make: Make, tmp_path: Path) -> None:
    supervisor = make()
    worker = await supervisor.worker(boot(tmp_path))
    await supervisor.close(PATIENCE)
    assert worker.ended.result() == 0
    assert not Path(worker.http_path.parent).exists()


def test_the_pause_before_a_restart_doubles_up_to_a_limit() -> None:
    backoff = Backoff()
    assert [backoff.pause(failures) for failures in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert backoff.pause(9) == backoff.pause(10_000) == 30.0
