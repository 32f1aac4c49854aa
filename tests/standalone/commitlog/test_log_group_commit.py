"""Group commit on real files: everything submitted becomes durable in order, whoever waits for the disk."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.commitlog import (
    Durability,
    LogFailed,
    LogLocked,
    NoLog,
    lock_database,
    open_log,
    read_commits,
)
from spacetimedb_standalone.commitlog.durability import MAX_PENDING
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.commitlog.kernel_log import KernelLog, KernelSync
from spacetimedb_standalone.commitlog.opening import Driver
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import DiskFiles, Files, ManualClock, MemoryFiles

SETTINGS = CommitLogSettings(max_segment_size=3000)
Open = Callable[..., Durability]


def kernel_syncs() -> bool:
    try:
        KernelSync().close()
    except OSError:
        return False
    return True


@pytest.fixture(
    params=[
        Driver.THREAD,
        Driver.INLINE,
        pytest.param(Driver.KERNEL, marks=pytest.mark.skipif(not kernel_syncs(), reason="not offered here")),
    ]
)
def open_here(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    def opener(files: Files | None = None) -> Durability:
        return open_log(files or DiskFiles(), tmp_path / "clog", SETTINGS).start(request.param)

    return opener


def commit(offset: int) -> bytes:
    return encode_commit(offset, 0, 1, b"transaction %d" % offset)


async def test_what_is_submitted_becomes_durable_in_order(open_here: Open, tmp_path: Path) -> None:
    log = open_here()
    log.attach(asyncio.get_running_loop())
    seen: list[int] = []
    log.on_durable(seen.append)
    assert log.durable_offset == -1
    for offset in range(0, 300, 3):
        log.submit(b"".join(map(commit, range(offset, offset + 3))), offset + 2)
        if offset % 30 == 0:
            await asyncio.sleep(0)
    await log.wait(299)
    assert log.durable_offset == 299 and log.pending_bytes == 0
    assert seen == sorted(seen) and seen[-1] == 299
    log.close()
    read = [c.records for c in read_commits(DiskFiles(), tmp_path / "clog")]
    assert read == [b"transaction %d" % offset for offset in range(300)]


def test_a_log_can_be_drained_without_a_loop_and_opened_again(open_here: Open) -> None:
    for life in range(3):
        log = open_here()
        assert log.durable_offset == life * 10 - 1
        for offset in range(life * 10, life * 10 + 10):
            log.submit(commit(offset), offset)
        assert log.drain(60.0)
        assert log.durable_offset == life * 10 + 9
        log.close()


async def test_waiting_for_what_is_durable_returns_at_once(open_here: Open) -> None:
    log = open_here()
    log.attach(asyncio.get_running_loop())
    log.submit(commit(0), 0)
    log.drain(60.0)
    await asyncio.wait_for(log.wait(0), 60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(log.wait(1), 0.01)
    log.close()


async def test_the_loop_goes_on_while_a_thread_waits_for_a_slow_disk(tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    class StuckFiles(DiskFiles):
        def open(self, path: Path, *, create: bool = False) -> Any:
            file = super().open(path, create=create)
            if path.suffix == ".log":
                sync = file.sync_data

                def stuck() -> None:
                    entered.set()
                    leave.wait()
                    sync()

                file.sync_data = stuck  # type: ignore[method-assign]
            return file

    leave.set()
    log = open_log(StuckFiles(), tmp_path, SETTINGS).start(Driver.THREAD)
    leave.clear()
    log.attach(asyncio.get_running_loop())
    log.submit(commit(0), 0)
    await asyncio.to_thread(entered.wait)
    log.submit(commit(1), 1)
    log.submit(commit(2), 2)
    assert log.durable_offset == -1 and log.pending_bytes > 0
    leave.set()
    await log.wait(2)
    log.close()


async def test_a_slow_disk_does_not_stop_the_loop(tmp_path: Path) -> None:
    """Each sync takes until the loop has turned many times."""
    turned = threading.Event()

    class SlowFiles(DiskFiles):
        def open(self, path: Path, *, create: bool = False) -> Any:
            file = super().open(path, create=create)
            if path.suffix == ".log":
                sync = file.sync_data

                def slowly() -> None:
                    assert turned.wait(60), "the loop stands still"
                    sync()

                file.sync_data = slowly  # type: ignore[method-assign]
            return file

    log = open_log(SlowFiles(), tmp_path, SETTINGS).start(Driver.THREAD)
    log.attach(asyncio.get_running_loop())
    for offset in range(30):
        log.submit(commit(offset), offset)
        for _ in range(20):
            await asyncio.sleep(0)
        assert log.durable_offset < offset
        turned.set()
        await log.wait(offset)
        turned.clear()
    turned.set()
    log.close()


async def test_a_thread_reports_the_disk_s_refusal(tmp_path: Path) -> None:
    files = MemoryFiles()
    log = open_log(files, tmp_path, SETTINGS).start(Driver.THREAD)
    log.attach(asyncio.get_running_loop())
    failed = asyncio.get_running_loop().create_future()
    log.on_failed(failed.set_result)
    files.sync_error = OSError(5, "Input/output error")
    log.submit(commit(0), 0)
    with pytest.raises(LogFailed, match="Input/output error"):
        await log.wait(0)
    assert isinstance(await failed, LogFailed)
    with pytest.raises(LogFailed):
        log.submit(commit(1), 1)
    with pytest.raises(LogFailed):
        await log.wait(1)
    log.close()


@pytest.mark.skipif(not kernel_syncs(), reason="not offered here")
@pytest.mark.parametrize("when", ["at once", "later"])
async def test_the_kernel_reports_the_disk_s_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    log = open_log(DiskFiles(), tmp_path, SETTINGS).start(Driver.KERNEL)
    assert isinstance(log, KernelLog)
    log.attach(asyncio.get_running_loop())
    reader, pipe = os.pipe()
    if when == "at once":  # the kernel refuses to begin: a pipe cannot be synced
        monkeypatch.setattr(log._writer, "fileno", lambda: pipe)
    else:

        def finish() -> None:
            os.eventfd_read(log._sync.eventfd)
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(log._sync, "finish", finish)
    log.submit(commit(0), 0)
    with pytest.raises(LogFailed, match="refused a sync"):
        await log.wait(0)
    assert log.durable_offset == -1
    with pytest.raises(LogFailed):
        log.submit(commit(1), 1)
    monkeypatch.undo()
    log.close()
    os.close(reader)
    os.close(pipe)


def test_automatic_choice_falls_back_to_a_thread_where_files_are_not_the_host_s() -> None:
    log = open_log(MemoryFiles(), Path("/clog"), SETTINGS).start(Driver.AUTO)
    log.submit(commit(0), 0)
    assert log.drain(60.0)
    log.close()


def test_too_much_waiting_for_the_disk_is_told(tmp_path: Path) -> None:
    files = MemoryFiles()
    log = open_log(files, tmp_path, CommitLogSettings()).start(Driver.THREAD)
    big = encode_commit(0, 0, 1, bytes(MAX_PENDING))
    log.submit(big, 0)
    assert log.over_limit
    assert log.drain(60.0)
    assert not log.over_limit
    log.close()


def test_without_a_log_everything_counts_as_durable_at_once() -> None:
    log = NoLog()
    seen: list[int] = []
    log.on_durable(seen.append)
    log.submit(b"...", 7)
    assert log.durable_offset == 7 and seen == [7] and not log.over_limit


def test_one_process_at_a_time_opens_a_database(tmp_path: Path) -> None:
    lock = lock_database(DiskFiles(), tmp_path, ManualClock())
    assert "timestamp_utc=2023-11-14T22:13:20Z" in (tmp_path / "db.lock").read_text()
    with pytest.raises(LogLocked, match=r"commitlog directory is locked: .*pid=\d+;timestamp_utc="):
        lock_database(DiskFiles(), tmp_path, ManualClock())
    lock.release()
    lock_database(DiskFiles(), tmp_path, ManualClock()).release()
    assert (tmp_path / "db.lock").exists()
