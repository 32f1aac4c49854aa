"""What the routes answer, with workers that only say what they were asked."""

import contextlib
import json
import time
from typing import Any

import pytest

UNKNOWN = "c2" + "00" * 30 + "01"

# Fixtures from conftest.py: `server` (RunningServer), `owner` and `stranger` (Person), `raw` (RawClient).


@pytest.fixture(scope="module")
def chat(server: Any, owner: Any) -> str:
    """The identity of a database named `chat`."""
    answer = server.publish("chat", owner)
    assert answer.status_code == 200, answer.text
    identity: str = answer.json()["Success"]["database_identity"]
    return identity


class TestLayers:
    """What is around the routes: unknown paths, methods, CORS, credentials."""

    @pytest.mark.parametrize(
        "path", ["/", "/v1", "/v1/", "/v1/nothing", "/v1/database/chat/", "/v1/database/chat/x"]
    )
    def test_an_unknown_path_is_404_with_nothing_around_it(self, server: Any, path: str) -> None:
        answer = server.http.options(path, headers={"authorization": "Basic x"})
        assert (answer.status_code, answer.content) == (404, b"")
        assert set(answer.headers) == {"content-length", "date"}

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("POST", "/v1/ping", "GET,HEAD"),
            ("GET", "/v1/identity", "POST"),
            ("POST", "/v1/database/chat", "GET,HEAD,PUT,DELETE"),
            ("DELETE", "/v1/database/chat/names", "GET,HEAD,POST,PUT"),
        ],
    )
    def test_a_wrong_method_is_told_the_right_ones(
        self, server: Any, method: str, path: str, allow: str
    ) -> None:
        answer = server.http.request(method, path)
        assert (answer.status_code, answer.headers["allow"], answer.content) == (405, allow, b"")
        assert ("spacetime-identity" in answer.headers) is path.startswith("/v1/database")

    def test_any_options_request_is_a_preflight(self, server: Any) -> None:
        answer = server.http.options(
            "/v1/database/Not_Even_A_Name/call/x", headers={"authorization": "Basic x"}
        )
        assert (answer.status_code, answer.headers["allow"]) == (200, "POST")
        assert answer.headers["access-control-allow-methods"] == "*"
        assert answer.headers["access-control-allow-headers"] == "authorization,accept,content-type"

    def test_every_answer_below_v1_may_be_read_from_anywhere(self, server: Any) -> None:
        for path in ("/v1/ping", "/v1/database/nobody-here"):
            answer = server.http.get(path)
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["vary"].startswith("origin, ")
        assert "vary" not in server.http.get("/internal/heap/settings").headers

    def test_credentials_come_before_everything_about_the_database(self, server: Any) -> None:
        for path in ("/v1/database/nobody-here", "/v1/database/Bad_Name", "/v1/database"):
            answer = server.http.get(path, headers={"authorization": "Bearer nonsense"})
            assert (answer.status_code, answer.text) == (401, "Invalid token: InvalidToken")
            assert "spacetime-identity" not in answer.headers

    def test_who_comes_without_a_token_is_given_one_that_works(self, server: Any, chat: str) -> None:
        answer = server.http.get("/v1/database/chat")
        token, identity = (answer.headers[f"spacetime-identity{end}"] for end in ("-token", ""))
        verified = server.http.get(f"/v1/identity/{identity}/verify", params={"token": token})
        assert verified.status_code == 204


class TestDatabases:
    def test_a_database_is_described_by_name_and_by_identity(
        self, server: Any, owner: Any, chat: str
    ) -> None:
        for path in ("chat", chat, f"0x{chat.upper()}"):
            described = server.http.get(f"/v1/database/{path}").json()
            assert described["database_identity"] == {"__identity__": f"0x{chat}"}
            assert described["owner_identity"] == {"__identity__": f"0x{owner.identity}"}
            assert described["host_type"] == {"Wasm": []}
            assert described["initial_program"].startswith("0x")

    @pytest.mark.parametrize(
        ("path", "status", "text"),
        [
            ("nobody-here", 404, "`nobody-here` not found"),
            (UNKNOWN, 404, "No such database."),
            ("Bad_Name", 400, "Invalid URL: invalid characters in database name"),
            ("a--b", 400, "Invalid URL: invalid hyphen in database name"),
            ("%FF", 400, "Invalid URL: Invalid UTF-8 in `name`"),
        ],
    )
    def test_a_path_that_leads_nowhere_is_told_why(
        self, server: Any, path: str, status: int, text: str
    ) -> None:
        answer = server.http.get(f"/v1/database/{path}")
        assert (answer.status_code, answer.text) == (status, text)

    def test_a_failed_first_publish_leaves_only_the_name(self, server: Any, owner: Any) -> None:
        refused = server.publish("doomed", owner, "broken from the start")
        assert (refused.status_code, refused.text) == (500, "broken from the start")
        identity = server.http.get("/v1/database/doomed/identity").text
        assert server.http.get("/v1/database/doomed").status_code == 404
        assert server.publish("doomed", owner, "mended").json()["Success"] == {
            "domain": "doomed", "database_identity": identity, "op": "created",
        }  # fmt: skip

    def test_an_update_goes_to_the_worker_and_its_refusal_comes_back(self, server: Any, owner: Any) -> None:
        server.publish("updated", owner, "one")
        assert server.publish("updated", owner, "two").json()["Success"]["op"] == "updated"
        refused = server.publish("updated", owner, "broken two")
        assert (refused.status_code, refused.text) == (400, "Database update rejected: broken two")

    def test_emptying_starts_a_new_worker_and_keeps_the_old_one_if_that_fails(
        self, server: Any, owner: Any
    ) -> None:
        def worker() -> int:
            return int(server.http.post("/v1/database/emptied/sql", content="x").json()["pid"])

        server.publish("emptied", owner, "one")
        first = worker()
        assert server.publish("emptied", owner, "broken", clear="true").status_code == 500
        assert worker() == first
        assert server.publish("emptied", owner, "two", clear="true").json()["Success"]["op"] == "updated"
        assert worker() != first

    def test_a_deleted_database_is_gone_and_its_name_leads_to_its_identity(
        self, server: Any, owner: Any
    ) -> None:
        identity = server.publish("deleted", owner).json()["Success"]["database_identity"]
        for _ in range(2):
            assert server.http.delete("/v1/database/deleted", headers=owner.headers).status_code == 200
        assert server.http.get("/v1/database/deleted").text == "No such database."
        assert server.http.get("/v1/database/deleted/identity").text == identity

    def test_its_owner_sees_what_a_database_takes_on_the_disk(
        self, server: Any, owner: Any, stranger: Any
    ) -> None:
        server.publish("sized", owner)
        size = server.http.get("/v1/database/sized/size", headers=owner.headers).json()
        assert size.keys() == {"log", "snapshots", "module_logs"} and min(size.values()) >= 0
        assert server.http.get("/v1/database/sized/size", headers=stranger.headers).status_code == 403

    def test_a_locked_database_stays(self, server: Any, owner: Any, stranger: Any) -> None:
        server.publish("locked", owner)
        assert server.http.post("/v1/database/locked/lock", headers=owner.headers).status_code == 200
        refused = server.http.delete("/v1/database/locked", headers=owner.headers)
        assert refused.text == "Database is locked and cannot be deleted. Run `spacetime unlock` first."
        emptied = server.publish("locked", owner, clear="true")
        assert emptied.status_code == 403
        assert "cannot be reset with --delete-data" in emptied.text
        server.http.post("/v1/database/locked/unlock", headers=owner.headers)
        assert server.http.delete("/v1/database/locked", headers=owner.headers).status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "action"),
        [
            ("PUT", "", "update database"),
            ("PUT", "?clear=true", "reset database"),
            ("PUT", "/reset", "reset database"),
            ("DELETE", "", "delete database"),
            ("POST", "/lock", "delete database"),
            ("POST", "/pre_publish", "update database"),
            ("GET", "/logs", "view module logs"),
        ],
    )
    def test_what_only_the_owner_may(
        self, server: Any, stranger: Any, chat: str, method: str, path: str, action: str
    ) -> None:
        answer = server.http.request(method, f"/v1/database/chat{path}", headers=stranger.headers)
        allowed = f"{stranger.identity} is not authorized to perform action on database {chat}: {action}"
        assert (answer.status_code, answer.text) == (403, allowed)

    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("clear=1", "Failed to deserialize query string: provided string was not `true` or `false`"),
            ("num_replicas=256", "Replication factor 256 out of bounds"),
            ("num_replicas=-1", "Failed to deserialize query string: invalid digit found in string"),
            (
                "host_type=wasm",
                "Failed to deserialize query string: unknown variant `wasm`, expected `Wasm` or `Js`",
            ),
            ("clear=false&clear=true", "Failed to deserialize query string: duplicate field `clear`"),
            (
                "org=chat&organization=chat",
                "Failed to deserialize query string: duplicate field `organization`",
            ),
            ("update_confirmation_timeout=soon", "Failed to deserialize query string: expected number at 0"),
        ],
    )
    def test_bad_parameters_of_a_publish(
        self, server: Any, owner: Any, chat: str, query: str, text: str
    ) -> None:
        answer = server.http.put(f"/v1/database/chat?{query}", headers=owner.headers, content="module")
        assert (answer.status_code, answer.text) == (400, text)


class TestForwarding:
    """What reaches the worker, and what comes back of its answer."""

    def test_a_worker_is_told_who_asks(self, server: Any, owner: Any, stranger: Any, chat: str) -> None:
        for person, is_owner in ((owner, "1"), (stranger, "0")):
            answer = server.http.post(
                "/v1/database/chat/call/say%2Fhello",
                headers={**person.headers, "content-type": "Application/JSON", "x-stdb-owner": "1"},
                content='["x"]',
            )
            said = answer.json()
            assert (said["path"], said["body"]) == ("/call/say%2Fhello", '["x"]')
            assert (said["x-stdb-identity"], said["x-stdb-owner"]) == (person.identity, is_owner)
            assert said["x-stdb-claims"] == person.token.split(".")[1]
            assert int(said["x-stdb-connection-id"], 16) != 0
            assert answer.headers["spacetime-energy-used"] == "7"
            assert answer.headers["spacetime-identity"] == person.identity
            assert "x-secret" not in answer.headers

    @pytest.mark.parametrize(
        ("headers", "body", "status", "text"),
        [
            ({}, b"[]", 400, "Header of type `content-type` was missing"),
            (
                {"content-type": "text/json"},
                b"[]",
                415,
                "Expected request with `Content-Type: application/json`",
            ),
            ({"content-type": "application/json"}, b"\xff", 400, "Request body didn't contain valid UTF-8"),
        ],
    )
    def test_a_bad_call_does_not_reach_it(
        self, server: Any, headers: dict[str, str], body: bytes, status: int, text: str
    ) -> None:
        answer = server.http.post("/v1/database/chat/call/x", headers=headers, content=body)
        assert (answer.status_code, answer.text) == (status, text)

    def test_logs_are_passed_on_while_they_come(self, server: Any, owner: Any, chat: str) -> None:
        url = "/v1/database/chat/logs?num_lines=5&follow=true"
        with server.http.stream("GET", url, headers=owner.headers) as answer:
            assert answer.headers["content-type"] == "application/x-ndjson"
            assert answer.headers["cache-control"] == "no-cache"
            assert next(answer.iter_lines()) == '{"level":"Info"}'

    def test_the_log_of_a_database_that_does_not_start_is_read_from_its_file(
        self, server: Any, owner: Any
    ) -> None:
        server.publish("dead", owner, "mortal")
        replica = max(int(path.name) for path in (server.data_dir / "replicas").iterdir())
        logs = server.data_dir / "replicas" / str(replica) / "module_logs"
        logs.mkdir()
        (logs / "2026-01-01.log").write_text("old\n")
        (logs / "2026-01-02.log").write_text("one\ntwo\nthree\n")
        (server.data_dir / "replicas" / str(replica) / "dead").touch()
        call = {"headers": {"content-type": "application/json"}, "content": "[]"}
        server.http.post("/v1/database/dead/call/die", **call)
        read = server.http.get("/v1/database/dead/logs?num_lines=2", headers=owner.headers)
        assert (read.status_code, read.text) == (200, "two\nthree\n")
        assert read.headers["content-type"] == "application/x-ndjson"
        followed = server.http.get("/v1/database/dead/logs?follow=true", headers=owner.headers)
        assert (followed.status_code, followed.text) == (500, "error starting database: it is dead")

    def test_a_mounted_handler_gets_the_request_unread(self, server: Any, chat: str) -> None:
        answer = server.http.request(
            "BREW",
            "/v1/database/chat/route/%65cho?a=b%20c",
            headers={
                "authorization": "Bearer nonsense",
                "x-forwarded-proto": "https, http",
                "x-forwarded-host": "h",
            },
            content="body",
        )
        said = answer.json()
        assert (answer.status_code, answer.headers.get_list("x-twice")) == (299, ["one", "two"])
        assert (said["method"], said["path"], said["body"]) == ("BREW", "/echo", "body")
        assert said["uri"] == "https://h/v1/database/chat/route/%65cho?a=b%20c"
        assert ["authorization", "Bearer nonsense"] in said["headers"]
        assert not [name for name, _ in said["headers"] if name.startswith("x-stdb")]
        assert "content-type" not in answer.headers
        assert "spacetime-identity" not in answer.headers

    @pytest.mark.parametrize(
        ("path", "seen"), [("", ""), ("/", "/"), ("/a/b", "/a/b"), ("/a//", "/a//"), ("//a", "//a")]
    )
    def test_the_path_that_a_handler_sees(self, server: Any, chat: str, path: str, seen: str) -> None:
        assert server.http.get(f"/v1/database/chat/route{path}").json()["path"] == seen

    def test_a_worker_without_such_a_handler_answers_itself(self, server: Any, chat: str) -> None:
        answer = server.http.get("/v1/database/chat/route/nowhere")
        assert answer.text == "Database has not registered a handler for this route"
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"

    def test_a_worker_that_dies_under_a_request_fails_only_that(self, server: Any, owner: Any) -> None:
        server.publish("mortal", owner)
        call = {
            "url": "/v1/database/mortal/call/die",
            "headers": {"content-type": "application/json"},
            "content": "[]",
        }
        died = server.http.post(**call)
        assert died.status_code == 503
        assert died.text.startswith("the database's process ended while it served this request: ")
        call["url"] = "/v1/database/mortal/call/live"
        assert server.http.post(**call).status_code == 200
        assert server.http.get("/v1/database/chat").status_code == 200

    def test_metrics_hold_the_servers_and_the_workers(self, server: Any, chat: str) -> None:
        server.http.post("/v1/database/chat/sql", content="x")
        lines = server.http.get("/v1/metrics").text.splitlines()
        assert "# TYPE spacetime_engine_compiled gauge" in lines
        assert f'spacetime_fake{{db="{chat}"}} 1' in lines
        assert lines.count("# TYPE spacetime_fake gauge") == 1


class TestMcp:
    def ask(self, server: Any, path: str, method: str | None, **params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = server.http.post(path, json={k: v for k, v in request.items() if v is not None})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def test_the_servers_tools_want_a_database_and_a_databases_do_not(self, server: Any, chat: str) -> None:
        for path, names in {
            "/v1/mcp": ["list_databases", "ping", "get_schema", "sql", "call"],
            "/v1/database/chat/mcp": ["ping", "get_schema", "sql", "call"],
        }.items():
            tools = self.ask(server, path, "tools/list")["result"]["tools"]
            assert [tool["name"] for tool in tools] == names
            wanting = [tool["name"] for tool in tools if "database" in tool["inputSchema"]["required"]]
            assert wanting == (["get_schema", "sql", "call"] if path == "/v1/mcp" else [])

    def test_a_tool_asks_the_worker(self, server: Any, chat: str) -> None:
        call = {"name": "call", "arguments": {"database": "chat", "reducer": "r", "args": [1]}}
        said = self.ask(server, "/v1/mcp", "tools/call", **call)["result"]
        assert said == {"content": [{"type": "text", "text": "reducer 'r' committed"}], "isError": False}
        sql = self.ask(server, "/v1/database/chat/mcp", "tools/call", name="sql", arguments={"sql": "S"})[
            "result"
        ]
        assert json.loads(sql["content"][0]["text"])["body"] == "S"

    def test_errors_of_routes_are_results_and_errors_of_requests_are_errors(self, server: Any) -> None:
        unknown = {"name": "sql", "arguments": {"database": "nobody-here", "sql": "S"}}
        said = self.ask(server, "/v1/mcp", "tools/call", **unknown)["result"]
        assert said == {"content": [{"type": "text", "text": "`nobody-here` not found"}], "isError": True}
        assert self.ask(server, "/v1/mcp", "tools/call", name="dig")["error"]["code"] == -32602
        assert self.ask(server, "/v1/mcp", None)["error"]["code"] == -32600
        assert self.ask(server, "/v1/mcp", "dance")["error"]["message"] == "method not found: dance"

    def test_what_has_no_id_is_not_answered(self, server: Any) -> None:
        for message in ({"method": "ping"}, [{"id": 1, "method": "ping"}]):
            answer = server.http.post("/v1/mcp", json=message)
            assert (answer.status_code, answer.content) == (202, b"")


def upgrade(path: str, **headers: str) -> str:
    given = {
        "Host": "x",
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "v1.json.spacetimedb, v2.bsatn.spacetimedb",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join([f"GET /v1/database/{path} HTTP/1.1", *lines, "", ""])


class TestSubscribe:
    """The socket goes to the worker, with all it must know; refusals come from the front."""

    def test_the_worker_gets_the_socket_and_the_answer_to_give(self, raw: Any, owner: Any, chat: str) -> None:
        raw.send(upgrade("chat/subscribe?compression=Gzip&light=true", Authorization=f"Bearer {owner.token}"))
        status, headers = raw.head()
        assert status == 101
        assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert headers["sec-websocket-protocol"] == "v2.bsatn.spacetimedb"
        assert (headers["connection"], headers["upgrade"]) == ("upgrade", "websocket")
        assert (headers["spacetime-identity"], headers["spacetime-identity-token"]) == (
            owner.identity,
            owner.token,
        )
        assert headers["access-control-allow-origin"] == "*"
        told = raw.json_line()
        assert (told["identity"], told["owner"], told["token"]) == (owner.identity, True, owner.token)
        assert (told["protocol"], told["compression"]) == ("v2.bsatn.spacetimedb", "Gzip")
        assert (told["light"], told["confirmed"]) == (True, True)
        assert int(told["connection_id"], 16) != 0

    def test_whether_reads_are_confirmed_depends_on_the_protocol_unless_said(
        self, server: Any, chat: str
    ) -> None:
        for protocol, query, confirmed in (
            ("v3.bsatn.spacetimedb", "", True),
            ("v1.bsatn.spacetimedb", "", False),
            ("v1.json.spacetimedb", "?confirmed=true", True),
        ):
            with contextlib.closing(type(self).client(server)) as raw:
                raw.send(upgrade(f"chat/subscribe{query}", Sec_WebSocket_Protocol=protocol))
                assert raw.head()[1]["sec-websocket-protocol"] == protocol
                assert raw.json_line()["confirmed"] is confirmed

    @staticmethod
    def client(server: Any) -> Any:
        from tests.standalone.front.conftest import RawClient

        return RawClient(server)

    def test_a_connection_that_served_requests_can_become_a_websocket(self, raw: Any, chat: str) -> None:
        raw.send("GET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n")
        assert raw.answer()[0] == 200
        raw.send(upgrade("chat/subscribe?connection_id=" + "0A" * 16) + "early bytes")
        assert raw.head()[0] == 101
        told = raw.json_line()
        assert told["connection_id"] == "0a" * 16
        assert told["early"] == "ZWFybHkgYnl0ZXM="

    def test_the_front_lets_go_of_the_socket(self, server: Any, raw: Any, owner: Any) -> None:
        server.publish("short-lived", owner)
        raw.send(upgrade("short-lived/subscribe"))
        assert raw.head()[0] == 101
        raw.json_line()
        server.http.delete("/v1/database/short-lived", headers=owner.headers)
        assert raw.stream.read() == b"", "with the worker gone nobody holds it open"

    @pytest.mark.parametrize(
        ("path", "headers", "status", "text"),
        [
            ("chat/subscribe?token=bad", {"Upgrade": ""}, 401, "Invalid token: InvalidToken"),
            ("Bad/subscribe?light=1", {}, 400, "Invalid URL: invalid characters in database name"),
            (
                "nobody-here/subscribe?light=1",
                {"Upgrade": ""},
                400,
                "Failed to deserialize query string: provided ",
            ),
            (
                "nobody-here/subscribe",
                {"Upgrade": "h2c"},
                426,
                "This service requires use of the websocket protocol",
            ),
            (
                "chat/subscribe",
                {"Connection": "keep-alive"},
                426,
                "This service requires use of the websocket ",
            ),
            (
                "chat/subscribe",
                {"Sec_WebSocket_Version": "8"},
                400,
                "`Sec-WebSocket-Version` header did not incl",
            ),
            ("chat/subscribe", {"Sec_WebSocket_Key": ""}, 400, "`Sec-WebSocket-Key` header missing"),
            (
                "nobody-here/subscribe?connection_id=" + "0" * 32,
                {},
                400,
                "Invalid connection ID: the all-zeros Con",
            ),
            ("nobody-here/subscribe", {"Sec_WebSocket_Protocol": ""}, 404, "`nobody-here` not found"),
            (f"{UNKNOWN}/subscribe", {"Sec_WebSocket_Protocol": ""}, 500, "Unable to authorize "),
            (
                "chat/subscribe",
                {"Sec_WebSocket_Protocol": "V2.bsatn.spacetimedb"},
                400,
                "no valid protocol selected",
            ),
            (
                "chat/subscribe?compression=None&compression=Gzip",
                {},
                400,
                "Failed to deserialize query string: dup",
            ),
        ],
    )
    def test_the_first_thing_that_is_wrong_is_told(
        self, raw: Any, chat: str, path: str, headers: dict[str, str], status: int, text: str
    ) -> None:
        raw.send(upgrade(path, **headers))
        got, _, body = raw.answer()
        assert (got, body.decode()[: len(text)]) == (status, text)

    def test_other_methods_are_refused_in_their_own_ways(self, server: Any, chat: str) -> None:
        assert server.http.post("/v1/database/chat/subscribe").headers["allow"] == "GET,HEAD"
        head = server.http.head("/v1/database/chat/subscribe")
        assert (head.status_code, "allow" in head.headers) == (405, False)


def test_a_worker_is_started_by_the_first_request_after_a_restart_of_itself(server: Any, owner: Any) -> None:
    """Killing a worker from outside is the same as its own death."""
    import os
    import signal

    server.publish("killed", owner)
    pid = server.http.post("/v1/database/killed/sql", content="x").json()["pid"]
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = server.http.post("/v1/database/killed/sql", content="x")
        if answer.status_code == 200 and answer.json()["pid"] != pid:
            return
        time.sleep(0.02)
    raise AssertionError("the database did not come back")
