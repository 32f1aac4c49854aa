"""Messages of protocols v2 and v3, against those that the public crates make and read."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.wire import server_v2 as server
from spacetimedb_standalone.wire.client_v2 import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    OneOffQuery,
    Subscribe,
    SubscribeBatch,
    Unsubscribe,
    decode,
    decode_all,
)
from spacetimedb_standalone.wire.decoding import WireError
from spacetimedb_standalone.wire.envelope import Compression, seal
from spacetimedb_standalone.wire.row_list import NO_ROWS, row_list, rows_of

VECTORS = Path(__file__).parent / "vectors"


def vectors(file: str, sender: str, *protocols: str) -> list[Any]:
    lines = (json.loads(line) for line in (VECTORS / file).read_text().splitlines())
    return [
        pytest.param(line, id=line["id"])
        for line in lines
        if line["from"] == sender and line["protocol"].split(".")[0] in protocols
    ]


def expected_message(message: dict[str, Any]) -> ClientMessage:
    ((kind, fields),) = message.items()
    request_id = fields["request_id"]
    match kind:
        case "Subscribe":
            return Subscribe(request_id, fields["query_set_id"]["id"], tuple(fields["query_strings"]))
        case "Unsubscribe":
            return Unsubscribe(request_id, fields["query_set_id"]["id"], "SendDroppedRows" in fields["flags"])
        case "OneOffQuery":
            return OneOffQuery(request_id, fields["query_string"])
        case "CallReducer":
            return CallReducer(request_id, fields["reducer"], bytes.fromhex(fields["args"]))
        case "SubscribeBatch":
            sets = [(each["query_set_id"]["id"], tuple(each["query_strings"])) for each in fields["sets"]]
            return SubscribeBatch(request_id, tuple(sets))
        case _:
            return CallProcedure(request_id, fields["procedure"], bytes.fromhex(fields["args"]))


def rows(value: dict[str, Any]) -> bytes:
    """A row list with the hint that the vector has: which one was chosen is not what is tested here."""
    data = bytes.fromhex(value["rows_data"])
    length = struct.pack("<I", len(data)) + data
    ((hint, detail),) = value["size_hint"].items()
    if hint == "FixedSize":
        return struct.pack("<BH", 0, detail) + length
    return struct.pack(f"<BI{len(detail)}Q", 1, len(detail), *detail) + length


def tables(value: dict[str, Any]) -> list[bytes]:
    return [server.table_rows(table["table"], rows(table["rows"])) for table in value["tables"]]


def updates(value: dict[str, Any]) -> bytes:
    def of_query(update: dict[str, Any]) -> bytes:
        ((kind, lists),) = update.items()
        if kind == "EventTable":
            return server.event_rows(rows(lists["events"]))
        return server.changed_rows(rows(lists["inserts"]), rows(lists["deletes"]))

    def of_table(update: dict[str, Any]) -> bytes:
        return server.table_update(update["table_name"], list(map(of_query, update["rows"])))

    return server.set_updates(
        [
            server.set_update(update["query_set_id"]["id"], list(map(of_table, update["tables"])))
            for update in value["query_sets"]
        ]
    )


def some(value: dict[str, Any]) -> Any:
    return value.get("some")


def reducer_result(fields: dict[str, Any], request_id: int) -> bytes | None:
    timestamp = fields["timestamp"]["__timestamp_micros_since_unix_epoch__"]
    ((outcome, value),) = fields["result"].items()
    match outcome:
        case "Ok":
            value_bytes = bytes.fromhex(value["ret_value"])
            return server.reducer_ok(request_id, timestamp, value_bytes, updates(value["transaction_update"]))
        case "Err":
            return server.reducer_err(request_id, timestamp, bytes.fromhex(value)[4:].decode())
        case "InternalError":
            return server.reducer_internal_error(request_id, timestamp, value)
        case _:
            return None


def batch_result(result: dict[str, Any]) -> tuple[int, list[bytes] | str]:
    ((outcome, value),) = result["outcome"].items()
    return result["query_set_id"]["id"], tables(value) if outcome == "Applied" else value


def built(message: dict[str, Any]) -> bytes | None:
    """The message made from its JSON, or None for forms that this server does not send."""
    ((kind, fields),) = message.items()
    request_id = fields.get("request_id")
    set_id = fields.get("query_set_id", {}).get("id")
    match kind:
        case "InitialConnection":
            identity = int(fields["identity"]["__identity__"], 16).to_bytes(32, "little")
            connection = fields["connection_id"]["__connection_id__"].to_bytes(16, "little")
            return server.initial_connection(identity, connection, fields["token"])
        case "SubscribeApplied":
            return server.subscribe_applied(request_id, set_id, tables(fields["rows"]))
        case "UnsubscribeApplied":
            dropped = some(fields["rows"])
            return server.unsubscribe_applied(
                request_id, set_id, None if dropped is None else tables(dropped)
            )
        case "SubscriptionError":
            return server.subscription_error(some(request_id), set_id, fields["error"])
        case "TransactionUpdate":
            return server.transaction_update(updates(fields))
        case "OneOffQueryResult" if "ok" in fields["result"]:
            return server.one_off_ok(request_id, tables(fields["result"]["ok"]))
        case "OneOffQueryResult":
            return server.one_off_error(request_id, fields["result"]["err"])
        case "ReducerResult":
            return reducer_result(fields, request_id)
        case "SubscribeBatchApplied":
            return server.batch_applied(request_id, list(map(batch_result, fields["results"])))
    ((outcome, value),) = fields["status"].items()
    timestamp = fields["timestamp"]["__timestamp_micros_since_unix_epoch__"]
    duration = fields["total_host_execution_duration"]["__time_duration_micros__"]
    if outcome == "InternalError":
        return server.procedure_internal_error(request_id, value, timestamp, duration)
    return server.procedure_returned(request_id, bytes.fromhex(value), timestamp, duration)


@pytest.mark.parametrize(
    "vector",
    vectors("ws-messages.jsonl", "client", "v2", "v3") + vectors("ws-newer.jsonl", "client", "v2"),
)
def test_client_messages_are_read(vector: dict[str, Any]) -> None:
    messages = vector["json"] if isinstance(vector["json"], list) else [vector["json"]]
    assert decode_all(bytes.fromhex(vector["payload"])) == list(map(expected_message, messages))


@pytest.mark.parametrize("vector", vectors("ws-invalid.jsonl", "client", "v2"))
def test_what_is_no_message_is_refused_with_the_public_text(vector: dict[str, Any]) -> None:
    payload = bytes.fromhex(vector["bsatn"])
    if payload == b"\x05":
        pytest.skip("this tag has since become that of SubscribeBatch")
    if vector["decodes"]:
        message, end = decode(payload)
        assert message == expected_message(vector["json"])
        assert len(payload) - end == vector["left_over"]
    else:
        with pytest.raises(WireError) as refusal:
            decode(payload)
        assert str(refusal.value) == vector["error"]


def test_the_tag_after_the_last_is_refused() -> None:
    with pytest.raises(WireError, match="unknown tag 0x6 for sum type ClientMessage"):
        decode(b"\x06")


def test_an_empty_v3_payload_is_no_message() -> None:
    with pytest.raises(WireError, match="data too short for u8: Expected 1, given 0"):
        decode_all(b"")


@pytest.mark.parametrize(
    "vector",
    vectors("ws-messages.jsonl", "server", "v2", "v3") + vectors("ws-newer.jsonl", "server", "v2"),
)
def test_server_messages_are_made(vector: dict[str, Any]) -> None:
    messages = vector["json"] if isinstance(vector["json"], list) else [vector["json"]]
    bodies = list(map(built, messages))
    expected = vector["payload"]
    if any("OkEmpty" in str(message) for message in messages):
        pytest.skip("clients understand OkEmpty, but this server says Ok")
    assert seal(b"".join(body for body in bodies if body), Compression.NONE).hex() == expected


class TestRowLists:
    def test_no_rows(self) -> None:
        assert row_list([]) == NO_ROWS == bytes.fromhex("010000000000000000")

    def test_rows_of_one_size_are_told_by_it(self) -> None:
        assert row_list([b"ab", b"cd"]) == bytes.fromhex("00 0200 04000000 61626364")

    def test_rows_of_different_sizes_are_told_by_where_they_start(self) -> None:
        assert row_list([b"a", b"bcd", b"e"]) == bytes.fromhex(
            "01 03000000 0000000000000000 0100000000000000 0400000000000000 05000000 6162636465"
        )

    def test_rows_without_bytes_keep_their_number(self) -> None:
        assert rows_of(row_list([b"", b""])) == ([b"", b""], len(row_list([b"", b""])))

    def test_a_size_that_does_not_fit_a_u16_is_told_by_offsets(self) -> None:
        assert row_list([bytes(65535)])[0] == 0
        assert row_list([bytes(65536)])[0] == 1

    @pytest.mark.parametrize("data", ["", "00", "000200ff00000061", "01ffffffff", "0200"])
    def test_what_is_no_list_is_refused(self, data: str) -> None:
        with pytest.raises(ValueError, match="is no list of rows"):
            rows_of(bytes.fromhex(data))


class TestEnvelope:
    @pytest.mark.parametrize("compression", list(Compression))
    def test_small_messages_are_not_compressed(self, compression: Compression) -> None:
        body = bytes(1024)
        assert seal(body, compression) == b"\0" + body

    def test_gzip(self) -> None:
        message = seal(bytes(1025), Compression.GZIP)
        assert message[0] == 2
        assert gzip.decompress(message[1:]) == bytes(1025)

    def test_brotli(self) -> None:
        brotli = pytest.importorskip("brotli")
        message = seal(bytes(1025), Compression.BROTLI)
        assert message[0] == 1
        assert brotli.decompress(message[1:]) == bytes(1025)

    def test_no_compression_asked_for(self) -> None:
        assert seal(bytes(2000), Compression.NONE) == b"\0" + bytes(2000)
