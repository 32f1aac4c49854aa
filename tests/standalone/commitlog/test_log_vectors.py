"""Logs written (and damaged) by the reference implementation: ours must read, refuse and continue them alike.

Every case of the index is run. Ours differs on purpose in one thing: a commit that is broken in the middle of
the last segment is refused unless `TailPolicy.CUT` is chosen, where the reference drops what follows it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.commitlog import CannotResume, LogDamage, TailPolicy, open_log, read_commits
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.commitlog.opening import Driver
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import MemoryFiles

VECTORS = Path(__file__).parent.parent / "vectors" / "commitlog"
CASES: list[dict[str, Any]] = [json.loads(line) for line in (VECTORS / "index.jsonl").open(encoding="utf-8")]
DIRECTORY = Path("/clog")
DAMAGED_INSIDE = {"bad-crc-middle", "bad-payload-middle", "bad-length-middle"}
WRITTEN_AS_VERSION_0 = "v0-as-written"


@pytest.fixture(params=CASES, ids=[case["case"] for case in CASES])
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


@pytest.fixture
def files(case: dict[str, Any]) -> MemoryFiles:
    files = MemoryFiles()
    for entry in case["files"]:
        files.put(DIRECTORY / entry["name"], (VECTORS / case["case"] / entry["name"]).read_bytes())
    return files


def offsets(files: MemoryFiles, start: int = 0) -> tuple[list[int], str | None]:
    """The offsets of the commits that can be read, and the error that ends it."""
    found: list[int] = []
    try:
        for commit in read_commits(files, DIRECTORY, start):
            found.append(commit.min_tx_offset)
    except LogDamage as error:
        return found, str(error)
    return found, None


def test_commits_are_read_up_to_the_first_damage(case: dict[str, Any], files: MemoryFiles) -> None:
    expected = [
        (c["min_tx_offset"], c["epoch"], c["n"], bytes.fromhex(c["records"]), int(c["crc32c"], 16))
        for c in case["commits"]
    ]
    read, error = [], None
    try:
        for c in read_commits(files, DIRECTORY):
            read.append((c.min_tx_offset, c.epoch, c.n, c.records, c.checksum))
    except LogDamage as damage:
        error = str(damage)
    assert read == expected
    assert error == case["read_error"]


def test_reading_can_start_anywhere(case: dict[str, Any], files: MemoryFiles) -> None:
    for entry in case["from_offset"]:
        found, error = offsets(files, entry["from"])
        assert error == entry.get("error"), entry["from"]
        if error is None:
            assert found == entry["commit_offsets"], entry["from"]


def test_a_log_goes_on_behind_its_last_good_commit(case: dict[str, Any], files: MemoryFiles) -> None:
    expected = case["open_for_writing"]
    if case["case"] == WRITTEN_AS_VERSION_0:  # ours never writes version 0, whatever is configured
        name = case["files"][0]["name"]
        text = "[checking segment compatibility]: log format version mismatch: current=1 segment=0"
        expected = {"ok": False, "error": f"{name} {text}"}
    if not expected["ok"]:
        with pytest.raises(CannotResume) as refused:
            open_log(files, DIRECTORY, CommitLogSettings(), TailPolicy.CUT)
        assert str(refused.value) == expected["error"]
        return
    opened = open_log(files, DIRECTORY, CommitLogSettings(), TailPolicy.CUT)
    assert opened.resume.next_offset == expected["then_committed_at"]
    assert opened.resume.epoch == expected["epoch"]
    log = opened.start(Driver.INLINE)
    commit = encode_commit(opened.resume.next_offset, opened.resume.epoch, 1, bytes.fromhex("02aabb"))
    log.submit(commit, opened.resume.next_offset)
    log.close()
    segments = {name: len(files.read(DIRECTORY / name)) for name in files.names(DIRECTORY) if "log" in name}
    assert segments == {entry["name"]: entry["size"] for entry in expected["segments_after"]}
    found, error = offsets(files)
    assert error == expected.get("read_error_after")
    if error is None:
        assert found == expected["commit_offsets_after"]


def test_without_leave_to_cut_only_damage_inside_is_refused(case: dict[str, Any], files: MemoryFiles) -> None:
    before = {name: files.read(DIRECTORY / name) for name in files.names(DIRECTORY)}
    if case["case"] in DAMAGED_INSIDE:
        with pytest.raises(CannotResume, match=r"damaged at transaction offset 5 \(byte 235\)"):
            open_log(files, DIRECTORY, CommitLogSettings())
    elif not case["open_for_writing"]["ok"] or case["case"] == WRITTEN_AS_VERSION_0:
        with pytest.raises(CannotResume):
            open_log(files, DIRECTORY, CommitLogSettings())
    else:
        opened = open_log(files, DIRECTORY, CommitLogSettings())
        assert opened.resume.next_offset == case["open_for_writing"]["then_committed_at"]
        return
    assert before == {name: files.read(DIRECTORY / name) for name in files.names(DIRECTORY)}, "left as it was"
