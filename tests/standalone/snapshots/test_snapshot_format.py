"""The form of a snapshot: what was written is read, and what was changed since is refused with its place."""

from __future__ import annotations

import json
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacetimedb_standalone.ports import MemoryFiles
from spacetimedb_standalone.snapshots import (
    Head,
    Piece,
    SnapshotDamage,
    SnapshotReader,
    SnapshotTooNew,
    verify_snapshot,
    write_snapshot,
)
from spacetimedb_standalone.snapshots.format import (
    CHUNK_HEADER_SIZE,
    PREAMBLE_SIZE,
    decode_frame,
)

PATH = Path("/snapshots/00000000000000000041.stdb.snap")
HEAD = Head(bytes(range(32)), 42, 3, 1_700_000_000_000_000)
PIECES = [Piece(1, 2, b"ab"), Piece(4096, 1000, bytes(4000)), Piece(4097, 1, b"\xff" * 7)]
GOLDEN = Path(__file__).parent / "golden"


def written(head: Head, pieces: list[Piece]) -> MemoryFiles:
    files = MemoryFiles()
    assert write_snapshot(files.open(PATH, create=True), head, pieces) == sum(piece.count for piece in pieces)
    return files


def read(files: MemoryFiles) -> tuple[Head, list[Piece]]:
    with SnapshotReader.open(files, PATH) as reader:
        return reader.head, list(reader.pieces())


def chunk_positions(data: bytes) -> list[int]:
    """Where chunks begin."""
    positions, at = [], PREAMBLE_SIZE
    while at < len(data):
        positions.append(at)
        at += CHUNK_HEADER_SIZE + decode_frame(data[at : at + CHUNK_HEADER_SIZE]).stored
    return positions


@given(
    st.lists(st.builds(Piece, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=300)))
)
def test_what_is_written_is_read(pieces: list[Piece]) -> None:
    assert read(written(HEAD, pieces)) == (HEAD, pieces)


def test_rows_are_compressed_where_that_helps() -> None:
    size = len(written(HEAD, PIECES).read(PATH))
    assert size < 600 < sum(len(piece.rows) for piece in PIECES)


def test_every_flipped_byte_is_found_at_the_chunk_it_is_in() -> None:
    files = written(HEAD, PIECES)
    data = files.read(PATH)
    begins = chunk_positions(data)
    for position in range(len(data)):
        for bit in (0x01, 0x80):
            broken = bytearray(data)
            broken[position] ^= bit
            files.put(PATH, bytes(broken))
            with pytest.raises((SnapshotDamage, SnapshotTooNew), match=PATH.name) as refused:
                verify_snapshot(files, PATH)
            if isinstance(refused.value, SnapshotDamage):
                assert refused.value.position == max([at for at in begins if at <= position], default=0)


def test_every_cut_is_found() -> None:
    files = written(HEAD, PIECES)
    data = files.read(PATH)
    for length in range(len(data)):
        files.put(PATH, data[:length])
        with pytest.raises(SnapshotDamage, match=PATH.name):
            verify_snapshot(files, PATH)
    files.put(PATH, data + b"\0")
    with pytest.raises(SnapshotDamage, match=f"byte {len(data)}: something follows its end"):
        verify_snapshot(files, PATH)


def test_chunks_of_good_snapshots_do_not_make_a_third_one() -> None:
    """Left out, repeated, put in another order or taken from another snapshot."""
    files = written(HEAD, PIECES)
    data = files.read(PATH)
    other = written(HEAD, [Piece(1, 2, b"cd"), *PIECES[1:]]).read(PATH)
    ends = [*chunk_positions(data), len(data)]
    chunks = [data[a:b] for a, b in pairwise(ends)]
    foreign = other[ends[1] : ends[2]]
    for mixed in (
        [chunks[0], *chunks[2:]],
        [chunks[0], chunks[1], *chunks[1:]],
        [chunks[0], chunks[2], chunks[1], *chunks[3:]],
        [chunks[0], foreign, *chunks[2:]],
    ):
        files.put(PATH, data[:PREAMBLE_SIZE] + b"".join(mixed))
        with pytest.raises(SnapshotDamage, match="does not have its digest"):
            verify_snapshot(files, PATH)


def test_a_later_version_is_left_to_the_server_that_wrote_it() -> None:
    files = written(HEAD, [])
    files.put(PATH, b"STDBsnap" + (2).to_bytes(4, "little") + b"whatever comes then")
    with pytest.raises(SnapshotTooNew, match="format version 2; start the server that wrote it"):
        verify_snapshot(files, PATH)


def test_the_golden_snapshot_reads_as_it_always_did() -> None:
    path = GOLDEN / PATH.name
    files = MemoryFiles()
    files.put(PATH, path.read_bytes())
    expected = json.loads((GOLDEN / "content.json").read_text())
    head, pieces = read(files)
    assert head == Head(bytes.fromhex(expected["database_identity"]), *(
        expected[name] for name in ("next_offset", "epoch", "taken_at")
    ))  # fmt: skip
    assert [[piece.table_id, piece.count, piece.rows.hex()] for piece in pieces] == expected["pieces"]


def test_what_is_written_today_differs_from_the_golden_one_by_compression_only() -> None:
    golden = MemoryFiles()
    golden.put(PATH, (GOLDEN / PATH.name).read_bytes())
    head, pieces = read(golden)
    data, today = golden.read(PATH), written(head, pieces).read(PATH)
    assert data[:PREAMBLE_SIZE] == today[:PREAMBLE_SIZE]
    for number, (then, now) in zip(
        count(), zip(chunk_positions(data), chunk_positions(today), strict=True), strict=False
    ):
        a, b = (decode_frame(each[at : at + CHUNK_HEADER_SIZE]) for each, at in ((data, then), (today, now)))
        assert (a.kind, a.raw) == (b.kind, b.raw), f"chunk {number}"
