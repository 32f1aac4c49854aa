"""The module log: the form of its lines, one file a day, tails and followers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from spacetimedb_standalone.host.interface import Frame, LogRecord
from spacetimedb_standalone.module_logs import Level, ModuleLog, Record, stored_lines
from spacetimedb_standalone.module_logs.storage import CHUNK, DAY, Ring
from spacetimedb_standalone.ports import ManualClock, MemoryFiles

DIRECTORY = Path("/replica/module_logs")
START = 1_700_000_000_000_000  # 2023-11-14


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def log(files: MemoryFiles, clock: ManualClock) -> ModuleLog:
    return ModuleLog.open(DIRECTORY, files, clock)


def messages(lines: bytes) -> list[str]:
    return [json.loads(line)["message"] for line in lines.splitlines()]


def test_a_line_has_its_keys_in_the_public_order() -> None:
    record = Record(Level.INFO, START, "hi", "my_module", "src/lib.rs", 12, "add")
    assert record.encode() == (
        b'{"level":"Info","ts":1700000000000000,"target":"my_module","filename":"src/lib.rs",'
        b'"line_number":12,"function":"add","message":"hi"}\n'
    )


def test_what_is_not_known_is_left_out_and_text_stays_text() -> None:
    record = Record(Level.DEBUG, 1, 'a "quote"\n\x1b\u7a7a')
    expected = '{"level":"Debug","ts":1,"message":"a \\"quote\\"\\n\\u001b\u7a7a"}\n'
    assert record.encode().decode() == expected


def test_a_panic_has_a_trace_even_if_it_is_empty() -> None:
    frames = (Frame("m", "f"), Frame(None, "g"), Frame("file.js:1:2", None))
    line = json.loads(Record(Level.PANIC, 1, "oh", trace=frames).encode())
    assert line["trace"] == [
        {"module_name": "m", "func_name": "f"},
        {"func_name": "g"},
        {"module_name": "file.js:1:2"},
    ]
    assert list(line)[-1] == "trace"
    assert json.loads(Record(Level.PANIC, 1, "oh").encode())["trace"] == []
    assert "trace" not in json.loads(Record(Level.ERROR, 1, "oh", trace=frames).encode())


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (0, "Error"),
        (1, "Warn"),
        (2, "Info"),
        (3, "Debug"),
        (4, "Trace"),
        (101, "Panic"),
        (77, "Debug"),
        (258, "Info"),
    ],
)
def test_levels_of_guests(log: ModuleLog, number: int, level: str) -> None:
    log.from_guest(LogRecord(number, "m"))
    assert json.loads(log.tail(None)) == {"level": level, "ts": START, "message": "m"} | (
        {"trace": []} if level == "Panic" else {}
    )


def test_the_server_s_own_lines(log: ModuleLog) -> None:
    log.system(Level.INFO, "Database initialized")
    log.reducer_error("add", "no", 7)
    own = {"target": "__spacetimedb__", "filename": "__spacetimedb__"}
    first, second = map(json.loads, log.tail(None).splitlines())
    assert first == own | {
        "level": "Info",
        "ts": START,
        "function": "__spacetimedb__",
        "message": "Database initialized",
    }
    assert second == own | {"level": "Error", "ts": 7, "function": "add", "message": "no"}


def test_each_day_has_its_file(log: ModuleLog, files: MemoryFiles, clock: ManualClock) -> None:
    log.system(Level.INFO, "today")
    log.host_record(Level.INFO, "tomorrow", "f", START + DAY)
    log.system(Level.INFO, "late")  # the day does not go back
    assert sorted(files.names(DIRECTORY)) == ["2023-11-14.log", "2023-11-15.log"]
    assert messages(files.read(DIRECTORY / "2023-11-14.log")) == ["today"]
    assert messages(files.read(DIRECTORY / "2023-11-15.log")) == ["tomorrow", "late"]
    assert messages(log.tail(None)) == ["today"]
    clock.advance(DAY)
    assert messages(log.tail(None)) == ["tomorrow", "late"]
    clock.advance(5 * DAY)
    assert messages(b"".join(stored_lines(files, DIRECTORY, clock, None))) == ["tomorrow", "late"]


def test_a_log_goes_on_after_a_restart(log: ModuleLog, files: MemoryFiles, clock: ManualClock) -> None:
    log.system(Level.INFO, "one")
    log.close()
    again = ModuleLog.open(DIRECTORY, files, clock)
    again.system(Level.INFO, "two")
    assert messages(again.tail(None)) == ["one", "two"]


@pytest.mark.parametrize("count", [0, 1, 2, 299, 300, 5000])
def test_the_tail_counts_lines_from_the_end(log: ModuleLog, count: int) -> None:
    for number in range(300):
        log.system(Level.INFO, f"{number} " + "x" * (number * 5))
    lines = messages(log.tail(count))
    assert [line.split()[0] for line in lines] == [str(number) for number in range(300)][-max(1, count) :]


def test_a_tail_may_be_longer_than_what_is_read_at_once(log: ModuleLog) -> None:
    for number in range(5):
        log.system(Level.INFO, f"{number}" + "x" * CHUNK)
    assert [line[0] for line in messages(log.tail(3))] == ["2", "3", "4"]


def test_a_torn_last_line_counts_as_a_line(log: ModuleLog, files: MemoryFiles) -> None:
    log.system(Level.INFO, "whole")
    name = DIRECTORY / "2023-11-14.log"
    files.open(name).append(b'{"level":"Info"')
    assert log.tail(1) == b'{"level":"Info"'


def test_without_a_log_there_is_no_line(clock: ManualClock) -> None:
    assert b"".join(stored_lines(MemoryFiles(), DIRECTORY, clock, 10)) == b""


def test_a_full_disk_loses_lines_and_nothing_else(log: ModuleLog, files: MemoryFiles) -> None:
    files.full_at = 0
    log.system(Level.INFO, "lost")
    files.full_at = None
    log.system(Level.INFO, "kept")
    assert messages(log.tail(None)) == ["kept"]


def test_a_line_that_the_disk_took_a_part_of_is_cut_off(log: ModuleLog, files: MemoryFiles) -> None:
    log.system(Level.INFO, "one")
    files.full_at = len(files.read(DIRECTORY / "2023-11-14.log")) + 20
    log.system(Level.INFO, "half")
    files.full_at = None
    assert not log.tail(None).endswith(b"\n"), "a part of it was written"
    log.system(Level.INFO, "two")
    assert messages(log.tail(None)) == ["one", "two"]


def test_a_line_that_a_killed_process_left_unfinished_is_cut_off(
    log: ModuleLog, files: MemoryFiles, clock: ManualClock
) -> None:
    log.system(Level.INFO, "one")
    log.close()
    files.open(DIRECTORY / "2023-11-14.log").append(b'{"level":"Info","ts":16')
    again = ModuleLog.open(DIRECTORY, files, clock)
    again.system(Level.INFO, "two")
    assert messages(again.tail(None)) == ["one", "two"]


def test_in_memory_the_oldest_lines_make_way(clock: ManualClock) -> None:
    log = ModuleLog(Ring(limit=1000), clock)
    for number in range(100):
        log.system(Level.INFO, str(number))
    kept = messages(log.tail(None))
    assert kept == [str(number) for number in range(100)][-len(kept) :] and 3 < len(kept) < 10
    assert messages(log.tail(2)) == ["98", "99"]


async def test_a_follower_gets_some_of_the_past_and_all_that_comes(log: ModuleLog) -> None:
    for number in range(3000):
        log.system(Level.INFO, str(number))
    follower = log.follow(10_000)
    assert messages(follower.history) == [str(number) for number in range(500, 3000)]
    log.system(Level.INFO, "new")
    assert messages(await anext(follower)) == ["new"]
    waiting = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    log.system(Level.INFO, "newer")
    assert messages(await waiting) == ["newer"]
    log.close()
    with pytest.raises(StopAsyncIteration):
        await anext(follower)


async def test_followers_without_a_count_begin_now_and_slow_ones_miss_lines(log: ModuleLog) -> None:
    log.system(Level.INFO, "old")
    follower, other = log.follow(None), log.follow(0)
    assert follower.history == other.history == b""
    for number in range(100):
        log.system(Level.INFO, str(number))
    assert messages(await anext(follower)) == [str(number) for number in range(36, 100)]
    follower.close()
    log.system(Level.INFO, "after")
    with pytest.raises(StopAsyncIteration):
        await anext(follower)
    assert messages(await anext(other))[-1] == "after"
