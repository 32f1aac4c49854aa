"""What a connection queues comes out in order, as frames; protocol 3 puts messages together."""

import pytest

from spacetimedb_engine.connection_cy import Connection


def connection(protocol: int, dirtied: list[Connection] | None = None) -> Connection:
    return Connection(bytes(range(32)), bytes(range(16)), protocol, True, [] if dirtied is None else dirtied)


def test_it_knows_who_it_is() -> None:
    conn = connection(2)
    assert (conn.identity, conn.connection_id, conn.protocol, conn.is_owner) == (
        bytes(range(32)), bytes(range(16)), 2, True,
    )  # fmt: skip
    with pytest.raises(ValueError, match="32 bytes"):
        Connection(b"", bytes(16), 2, False, [])


def test_protocol_2_sends_each_message_alone() -> None:
    conn = connection(2)
    conn.append(b"\0one")
    conn.append(b"\2two")
    assert conn.pending == 12
    assert conn.take() == b"\x82\x04\0one" + b"\x82\x04\2two"
    assert conn.take() == b""


def test_protocol_3_joins_uncompressed_messages_behind_one_tag() -> None:
    conn = connection(3)
    conn.append(b"\0one")
    conn.append(b"\0two")
    assert conn.take() == b"\x82\x07\0onetwo"


def test_protocol_3_keeps_the_order_around_compressed_messages_and_control_frames() -> None:
    conn = connection(3)
    conn.append(b"\0one")
    conn.append(b"\2gzip")
    conn.append(b"\0two")
    conn.send_ping(b"!")
    conn.append(b"\0three")
    assert conn.take() == b"\x82\x04\0one\x82\x05\2gzip\x82\x04\0two\x89\x01!\x82\x06\0three"


def test_protocol_3_puts_at_most_512_kib_into_a_payload() -> None:
    conn = connection(3)
    half = bytes(300_000)
    conn.append(half)
    conn.append(half)
    conn.append(bytes(600_000))
    out, tags, at = conn.take(), 0, 0
    while at < len(out):  # every frame has a long length here but the last of each payload
        size = out[at + 1]
        head, size = (4, int.from_bytes(out[at + 2 : at + 4], "big")) if size == 126 else (2, size)
        tags += out[at] & 15 == 2
        at += head + size
    assert tags == 3


def test_protocol_3_puts_at_most_4096_messages_into_a_payload() -> None:
    conn = connection(3)
    for _ in range(4097):
        conn.append(b"\0x")
    out = conn.take()
    assert out == b"\x02\x7e\x10\x00" + b"\0" + b"x" * 4095 + b"\x80\x01x" + b"\x82\x02\0x"


def test_the_offset_is_the_latest_transaction_that_is_queued() -> None:
    conn = connection(2)
    assert conn.offset == -1
    conn.append(b"\0a", 7)
    conn.append(b"\0b", 5)
    conn.append(b"\0c")
    assert conn.offset == 7
    conn.take()
    assert conn.offset == -1


def test_it_says_once_that_there_is_something_to_take() -> None:
    dirtied: list[Connection] = []
    conn = connection(2, dirtied)
    conn.append(b"\0a")
    conn.append(b"\0b")
    conn.send_ping()
    assert dirtied == [conn]


def test_a_close_comes_last_and_its_reason_must_fit() -> None:
    conn = connection(2)
    conn.append(b"\0a")
    assert conn.close(1011, "r" * 124) is False
    assert not conn.closing
    assert conn.close(1011, "bad")
    assert conn.closing
    assert conn.take() == b"\x82\x02\0a\x88\x05\x03\xf3bad"
