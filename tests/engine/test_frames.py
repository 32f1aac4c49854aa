"""Framing of the server side of a WebSocket: what clients may send, what they may not, and how we answer."""

import random

import pytest

from spacetimedb_engine.connection_cy import Connection
from spacetimedb_engine.faults import FAULTS
from spacetimedb_engine.frames_cy import FrameReader

TEXT, BINARY, CLOSE, PING, PONG, BROKEN = 1, 2, 8, 9, 10, -1
LIMIT = 33_554_432


def frame(first: int, payload: bytes, mask: bytes = b"\x11\x22\x33\x44") -> bytes:
    """A masked client frame; `first` is its first byte, FIN (0x80) included."""
    n = len(payload)
    if n < 126:
        head = bytes([first, 0x80 | n])
    elif n < 65536:
        head = bytes([first, 0x80 | 126]) + n.to_bytes(2, "big")
    else:
        head = bytes([first, 0x80 | 127]) + n.to_bytes(8, "big")
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def test_a_message_in_one_frame() -> None:
    assert FrameReader().read(frame(0x82, b"hello")) == [(BINARY, b"hello")]
    assert FrameReader().read(frame(0x81, "grün".encode())) == [(TEXT, "grün".encode())]
    assert FrameReader().read(frame(0x82, b"")) == [(BINARY, b"")]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 125, 126, 127, 65535, 65536, 70001])
def test_every_form_of_the_length(size: int) -> None:
    payload = random.Random(size).randbytes(size)
    assert FrameReader().read(frame(0x82, payload)) == [(BINARY, payload)]


def test_several_frames_at_once() -> None:
    data = frame(0x82, b"one") + frame(0x89, b"ping") + frame(0x82, b"two") + frame(0x8A, b"")
    assert FrameReader().read(data) == [(BINARY, b"one"), (PING, b"ping"), (BINARY, b"two"), (PONG, b"")]


def test_a_frame_that_comes_byte_by_byte() -> None:
    reader = FrameReader()
    data = frame(0x82, b"x" * 200) + frame(0x82, b"next")
    events = [event for byte in data for event in reader.read(bytes([byte]))]
    assert events == [(BINARY, b"x" * 200), (BINARY, b"next")]


def test_cut_anywhere_the_events_are_the_same() -> None:
    chance = random.Random(7)
    whole = b"".join(
        frame(0x82, chance.randbytes(chance.choice([0, 3, 125, 126, 300, 70000])), chance.randbytes(4))
        for _ in range(40)
    )
    expected = FrameReader().read(whole)
    for _ in range(5):
        reader, events, at = FrameReader(), [], 0
        while at < len(whole):
            step = chance.choice([1, 2, 5, 100, 4096, 100_000])
            events += reader.read(whole[at : at + step])
            at += step
        assert events == expected


def test_fragments_are_put_together_around_control_frames() -> None:
    reader = FrameReader()
    data = (
        frame(0x02, b"ab") + frame(0x89, b"!") + frame(0x00, b"cd") + frame(0x80, b"ef") + frame(0x82, b"g")
    )
    assert reader.read(data) == [(PING, b"!"), (BINARY, b"abcdef"), (BINARY, b"g")]


def test_fragments_in_different_reads() -> None:
    reader = FrameReader()
    assert reader.read(frame(0x01, b"ab")) == []
    assert reader.read(frame(0x80, b"cd")) == [(TEXT, b"abcd")]
    assert reader.read(frame(0x82, b"e")) == [(BINARY, b"e")]


@pytest.mark.parametrize(
    ("what", "raw"),
    {
        "unmasked": b"\x82\x01\x00",
        "reserved bit": frame(0xC2, b"\0"),
        "reserved opcode": frame(0x83, b"\0"),
        "reserved control opcode": frame(0x8B, b""),
        "continuation of nothing": frame(0x80, b"\0"),
        "a message inside another": frame(0x02, b"a") + frame(0x82, b"b"),
        "fragmented ping": frame(0x09, b""),
        "ping of 126 bytes": frame(0x89, bytes(126)),
        "a length that is negative": b"\x82\xff" + b"\xff" * 8 + bytes(4),
    }.items(),
)
def test_what_breaks_the_protocol(what: str, raw: bytes) -> None:
    reader = FrameReader()
    assert reader.read(raw)[-1] == (BROKEN, b"")
    assert FAULTS[reader.fault].startswith("the client sent")
    assert reader.read(frame(0x82, b"more")) == [(BROKEN, b"")], "nothing is read any more"


def test_events_before_a_fault_are_still_given() -> None:
    assert FrameReader().read(frame(0x82, b"good") + b"\x82\x01\x00") == [(BINARY, b"good"), (BROKEN, b"")]


def test_a_message_over_the_limit_is_refused_by_its_header() -> None:
    reader = FrameReader()
    assert reader.read(b"\x82\xff" + LIMIT.to_bytes(8, "big") + bytes(4)) == [], (
        "exactly the limit is allowed"
    )
    assert FrameReader().read(b"\x82\xff" + (LIMIT + 1).to_bytes(8, "big")) == [(BROKEN, b"")]


def test_fragments_together_over_the_limit_are_refused() -> None:
    reader = FrameReader()
    assert reader.read(frame(0x02, bytes(2))) == []
    assert reader.read(b"\x80\xff" + (LIMIT - 1).to_bytes(8, "big")) == [(BROKEN, b"")]


@pytest.mark.slow
def test_the_largest_message_is_read() -> None:
    payload = bytes(LIMIT)
    data = b"\x82\xff" + LIMIT.to_bytes(8, "big") + bytes(4) + payload
    reader = FrameReader()
    assert reader.read(data[: LIMIT // 2]) == []
    assert reader.read(data[LIMIT // 2 :]) == [(BINARY, payload)]


def encode(payload: bytes, protocol: int = 2) -> bytes:
    conn = Connection(bytes(32), bytes(16), protocol, False, [])
    conn.append(payload)
    return conn.take()


def test_what_the_server_sends_is_not_masked_and_cut_at_4096_bytes() -> None:
    assert encode(b"abc") == b"\x82\x03abc"
    assert encode(b"", protocol=0) == b"\x81\x00"
    assert encode(bytes(126)) == b"\x82\x7e\x00\x7e" + bytes(126)
    assert encode(bytes(4096)) == b"\x82\x7e\x10\x00" + bytes(4096)
    assert encode(bytes(4097)) == b"\x02\x7e\x10\x00" + bytes(4096) + b"\x80\x01\x00"
    long = encode(bytes(9000), protocol=0)
    assert long[:4] == b"\x01\x7e\x10\x00"
    assert long[4100:4104] == b"\x00\x7e\x10\x00"
    assert long[8200:8204] == b"\x80\x7e\x03\x28"
