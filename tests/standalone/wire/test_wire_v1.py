"""Messages of protocol v1 in both forms, against those that the public crates make and read."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.wire import server_v1 as server
from spacetimedb_standalone.wire.client_v1 import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    OneOffQuery,
    Subscribe,
    SubscribeMulti,
    SubscribeSingle,
    Unsubscribe,
    UnsubscribeMulti,
    decode,
    decode_text,
)
from spacetimedb_standalone.wire.decoding import WireError
from spacetimedb_standalone.wire.forms import BINARY, TEXT, Form, Single

VECTORS = Path(__file__).parent / "vectors"


def vectors(file: str, sender: str) -> list[Any]:
    lines = (json.loads(line) for line in (VECTORS / file).read_text().splitlines())
    return [
        pytest.param(line, id=line["id"])
        for line in lines
        if line["from"] == sender and line["protocol"].startswith("v1")
    ]


def expected_message(message: dict[str, Any], args: Callable[[str], bytes | str]) -> ClientMessage:
    ((kind, f),) = message.items()
    match kind:
        case "CallReducer":
            return CallReducer(f["reducer"], args(f["args"]), f["request_id"], f["flags"] == 0)
        case "CallProcedure":
            return CallProcedure(f["procedure"], args(f["args"]), f["request_id"])
        case "Subscribe":
            return Subscribe(tuple(f["query_strings"]), f["request_id"])
        case "OneOffQuery":
            return OneOffQuery(bytes.fromhex(f["message_id"]), f["query_string"])
        case "SubscribeSingle":
            return SubscribeSingle(f["query"], f["request_id"], f["query_id"]["id"])
        case "SubscribeMulti":
            return SubscribeMulti(tuple(f["query_strings"]), f["request_id"], f["query_id"]["id"])
        case "Unsubscribe":
            return Unsubscribe(f["request_id"], f["query_id"]["id"])
        case _:
            return UnsubscribeMulti(f["request_id"], f["query_id"]["id"])


class TestClientMessages:
    @pytest.mark.parametrize("vector", vectors("ws-messages.jsonl", "client"))
    def test_binary(self, vector: dict[str, Any]) -> None:
        assert decode(bytes.fromhex(vector["payload"])) == expected_message(vector["json"], bytes.fromhex)

    @pytest.mark.parametrize("vector", vectors("ws-messages.jsonl", "client"))
    def test_text(self, vector: dict[str, Any]) -> None:
        text = vector["v1_json_text"]
        assert decode_text(text) == expected_message(json.loads(text), str)

    @pytest.mark.parametrize("vector", vectors("ws-invalid.jsonl", "client"))
    def test_binary_that_is_no_message(self, vector: dict[str, Any]) -> None:
        payload = bytes.fromhex(vector["bsatn"])
        if vector["decodes"]:
            assert decode(payload) == expected_message(vector["json"], bytes.fromhex)
        else:
            with pytest.raises(WireError) as refusal:
                decode(payload)
            assert str(refusal.value) == vector["error"]

    def test_bytes_after_a_binary_message_do_not_matter(self) -> None:
        assert decode(bytes.fromhex("05 01000000 02000000 ff")) == Unsubscribe(1, 2)

    @pytest.mark.parametrize(
        "text",
        [
            '{"SubscribeMulti":{"query_strings":["a"],"request_id":1,"query_id":{"id":2}}}',
            '{"SubscribeMulti":{"query_id":{"id":2},"query_strings":["a"],"request_id":1}}',
            ' { "SubscribeMulti" : [["a"], 1, [2]] } ',
            '{"4":[["a"],1,{"id":2}]}',
            '[4,[["a"],1,{"id":2}]]',
        ],
    )
    def test_spellings_of_text(self, text: str) -> None:
        assert decode_text(text) == SubscribeMulti(("a",), 1, 2)

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("5", "invalid type: integer `5`, expected sum type ClientMessage at line 1 column 1"),
            ("[]", "expected seq representing sum type to have exactly two fields at line 1 column 2"),
            ("[8,[]]", "unknown tag 0x8 for sum type ClientMessage at line 1 column 2"),
            (
                '{"Subscribe":{"query_strings":[]}}',
                "missing field `request_id` at line 1 column 33",
            ),
            (
                '{"Subscribe":{"query_strings":[],"request_id":1,"extra":1}}',
                "unknown field `extra`, expected , `query_strings``request_id` at line 1 column 55",
            ),
            (
                '{"Subscribe":{"query_strings":"SELECT","request_id":1}}',
                'invalid type: string "SELECT", expected a vec at line 1 column 38',
            ),
            (
                '{"Subscribe":{"query_strings":[],"request_id":4294967296}}',
                "invalid value: integer `4294967296`, expected u32 at line 1 column 56",
            ),
            (
                '{"Subscribe":{"query_strings":[],"request_id":1}} x',
                "trailing characters at line 1 column 51",
            ),
            (
                '{"SubscribeMulti":{"query_strings":[],"request_id":1,"query_id":7}}',
                "invalid type: integer `7`, expected a QuerySetId tuple at line 1 column 65",
            ),
            (
                '{"CallReducer": {"reducer": "add_item", "args": "[\\"cup\\", 3]", "request_id": 1, "flags": 2}}',
                "invalid call reducer flag 2 at line 1 column 92",
            ),
        ],
    )
    def test_text_that_is_no_message(self, text: str, error: str) -> None:
        with pytest.raises(WireError) as refusal:
            decode_text(text)
        assert str(refusal.value) == error


# -- messages of the server: built from the JSON of the vector, in the form that is asked for


def rows(f: Form, value: Any) -> bytes:
    """A list of rows: texts as they are, binary ones with the hint that the vector has."""
    if f is TEXT:
        return server.text_rows(value)
    data = bytes.fromhex(value["rows_data"])
    length = struct.pack("<I", len(data)) + data
    ((hint, detail),) = value["size_hint"].items()
    if hint == "FixedSize":
        return struct.pack("<BH", 0, detail) + length
    return struct.pack(f"<BI{len(detail)}Q", 1, len(detail), *detail) + length


def query_update(f: Form, update: dict[str, Any]) -> bytes:
    lists = update["Uncompressed"] if f is BINARY else update
    return server.query_update(f, rows(f, lists["deletes"]), rows(f, lists["inserts"]))


def table_update(f: Form, table: dict[str, Any]) -> bytes:
    updates = [query_update(f, update) for update in table["updates"]]
    return server.table_update(f, table["table_id"], table["table_name"], table["num_rows"], updates)


def database_update(f: Form, update: dict[str, Any]) -> bytes:
    return server.database_update(f, [table_update(f, table) for table in update["tables"]])


def identity(value: dict[str, Any]) -> bytes:
    return int(value["__identity__"], 16).to_bytes(32, "little")


def connection_id(value: dict[str, Any]) -> bytes:
    return int(value["__connection_id__"]).to_bytes(16, "little")


def duration(fields: dict[str, Any]) -> int:
    if "total_host_execution_duration" in fields:
        return int(fields["total_host_execution_duration"]["__time_duration_micros__"])
    return int(fields["total_host_execution_duration_micros"])


def timestamp(fields: dict[str, Any]) -> int:
    return int(fields["timestamp"]["__timestamp_micros_since_unix_epoch__"])


def some(value: dict[str, Any]) -> Any:
    return value.get("some")


def single(f: Form, value: str) -> Single:
    return Single(b"", lambda: value) if f is TEXT else Single(bytes.fromhex(value), lambda: "")


def transaction_update(f: Form, fields: dict[str, Any]) -> bytes:
    info = fields["reducer_call"]
    call = server.ReducerCall(
        timestamp(fields),
        identity(fields["caller_identity"]),
        connection_id(fields["caller_connection_id"]),
        info["reducer_name"],
        info["reducer_id"],
        single(f, info["args"]),
        info["request_id"],
        duration(fields),
    )
    ((status, value),) = fields["status"].items()
    match status:
        case "Committed":
            return server.transaction_committed(f, call, database_update(f, value))
        case "Failed":
            return server.transaction_failed(f, call, value)
        case _:
            return server.transaction_out_of_energy(f, call)


def built(f: Form, message: dict[str, Any]) -> bytes:
    ((kind, fields),) = message.items()
    request_id = fields.get("request_id")
    match kind:
        case "IdentityToken":
            who, connection = identity(fields["identity"]), connection_id(fields["connection_id"])
            return server.identity_token(f, who, fields["token"], connection)
        case "InitialSubscription":
            update = database_update(f, fields["database_update"])
            return server.initial_subscription(f, request_id, update, duration(fields))
        case "TransactionUpdate":
            return transaction_update(f, fields)
        case "TransactionUpdateLight":
            return server.transaction_light(f, request_id, database_update(f, fields["update"]))
        case "OneOffQueryResponse":
            tables = [(table["table_name"], rows(f, table["rows"])) for table in fields["tables"]]
            message_id = bytes.fromhex(fields["message_id"])
            return server.one_off_response(f, message_id, some(fields["error"]), tables, duration(fields))
        case "SubscriptionError":
            ids = some(request_id), some(fields["query_id"])
            return server.subscription_error(f, *ids, fields["error"], duration(fields))
        case "ProcedureResult" if "Returned" in fields["status"]:
            value = single(f, fields["status"]["Returned"])
            return server.procedure_returned(f, request_id, value, timestamp(fields), duration(fields))
        case "ProcedureResult":
            error = fields["status"]["InternalError"]
            return server.procedure_failed(f, request_id, error, timestamp(fields), duration(fields))
    applied = next(each for each in server.Applied if each.value[1] == kind)
    query_id = fields["query_id"]["id"]
    if "update" in fields:
        update = database_update(f, fields["update"])
        return server.multi_applied(f, applied, request_id, query_id, update, duration(fields))
    table = fields["rows"]
    update = table_update(f, table["table_rows"])
    return server.single_applied(
        f, applied, request_id, query_id, table["table_id"], table["table_name"], update, duration(fields)
    )


class TestServerMessages:
    @pytest.fixture(autouse=True)
    def energy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The vectors tell of some energy; this server charges none."""
        monkeypatch.setattr(server, "NO_ENERGY", (123456).to_bytes(16, "little"))

    @pytest.mark.parametrize("vector", vectors("ws-messages.jsonl", "server"))
    def test_binary(self, vector: dict[str, Any]) -> None:
        if "compressed inside" in vector["note"]:
            pytest.skip("clients understand it, but this server compresses whole messages only")
        assert (b"\0" + built(BINARY, vector["json"])).hex() == vector["payload"]

    @pytest.mark.parametrize("vector", vectors("ws-messages.jsonl", "server"))
    def test_text(self, vector: dict[str, Any]) -> None:
        text = vector.get("v1_json_text")
        if text is None:
            pytest.skip("the vector has no text form")
        assert built(TEXT, json.loads(text)).decode() == text

    def test_a_procedure_without_budget(self) -> None:
        assert server.procedure_out_of_energy(BINARY, 7).hex() == "0a01" + "00" * 16 + "07000000"

    def test_texts_are_escaped(self) -> None:
        assert TEXT.string('a"\n\x01é') == '"a\\"\\n\\u0001é"'.encode()
