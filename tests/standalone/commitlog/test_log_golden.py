"""Golden bytes of what we write ourselves: commits, segment headers, offset indexes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import LogError, open_log
from spacetimedb_standalone.commitlog.format import (
    CRC32C,
    VERSION,
    SegmentHeader,
    crc32c,
    decode_segment_header,
    encode_commit,
)
from spacetimedb_standalone.commitlog.opening import Driver
from spacetimedb_standalone.commitlog.runs import read_runs
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import MemoryFiles

DIRECTORY = Path("/clog")
FIRST = DIRECTORY / "00000000000000000000.stdb.log"
INDEX = DIRECTORY / "00000000000000000000.stdb.ofs"


def test_the_checksum_is_castagnoli_s() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_a_commit_without_inputs() -> None:
    record = bytes.fromhex("20 01 01 10 00 00 01 07 00 00 00 00 00")
    assert encode_commit(0, 0, 1, record) == bytes(16) + bytes.fromhex(
        "01 00  0d 00 00 00  20 01 01 10 00 00 01 07 00 00 00 00 00  eb f8 f4 9f"
    )


def test_a_commit_of_a_reducer_call() -> None:
    record = bytes.fromhex(
        "a0 40 00 00 00 03 61 64 64"
        + bytes(range(0x20)).hex()
        + bytes(range(0xA0, 0xB0)).hex()
        + "00 40 1e 18 24 0a 06 00  07 00 00 00  01 01 10 00 00 01 07 00 00 00  00 00"
    )
    commit = encode_commit(5, 0, 1, record)
    assert len(commit) == 107
    assert commit.startswith(bytes.fromhex("05 00 00 00 00 00 00 00" + "00" * 8 + "01 00 51 00 00 00 a0"))
    assert commit.endswith(bytes.fromhex("a6 75 56 99"))


def test_a_segment_begins_with_its_header() -> None:
    header = bytes.fromhex("28 64 73 29 5e 32 01 00 00 00")
    assert SegmentHeader(VERSION, CRC32C).encode() == header
    assert decode_segment_header(header) == SegmentHeader(1, 0)


def test_the_index_points_at_the_first_commit_after_every_interval() -> None:
    files = MemoryFiles()
    settings = CommitLogSettings(max_segment_size=4096, offset_index_interval_bytes=256)
    log = open_log(files, DIRECTORY, settings).start(Driver.INLINE)
    for offset in range(9):  # each is 100 bytes
        log.submit(encode_commit(offset, 0, 1, bytes(74)), offset)
    log.close()
    data = files.read(INDEX)
    assert len(data) == 16 * 16, "room for one entry an interval"
    entries = [entry for entry in struct.iter_unpack("<QQ", data) if entry != (0, 0)]
    assert entries == [(3, 310), (6, 610)], "offset 0 is never indexed"


def test_commits_out_of_turn_are_a_mistake_of_the_caller() -> None:
    log = open_log(MemoryFiles(), DIRECTORY, CommitLogSettings()).start(Driver.INLINE)
    with pytest.raises(LogError, match="commit 1 was appended where 0 is due"):
        log.submit(encode_commit(1, 0, 1, b"x"), 1)


def test_runs_are_whole_commits_however_long_they_are() -> None:
    files = MemoryFiles()
    settings = CommitLogSettings(max_segment_size=5 << 20)
    log = open_log(files, DIRECTORY, settings).start(Driver.INLINE)
    sizes = [10, 3 << 20, 0, 1, (1 << 20) - 26, 2 << 20, 400_000, 400_000, 400_000, 7]
    commits = [encode_commit(offset, 0, 1, bytes([offset]) * size) for offset, size in enumerate(sizes)]
    for offset, commit in enumerate(commits):
        log.submit(commit, offset)
    log.close()
    files.open(DIRECTORY / max(files.names(DIRECTORY))).append(b"\0" * 5)
    runs = list(read_runs(files, DIRECTORY))
    assert b"".join(runs) == b"".join(commits)
    ends = {sum(map(len, commits[: number + 1])) for number in range(len(commits))}
    at = 0
    for run in runs:
        at += len(run)
        assert at in ends
