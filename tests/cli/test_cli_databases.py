"""Commands about a database as a whole: list, describe, lock, delete, rename, logs, mcp."""

import json

import httpx
import pytest

from .conftest import DATABASE, SERVER, WARNING, identity_of, token_of
from .schemas import V10, reducer, table

SCHEMA = f"GET /v1/database/{DATABASE}/schema"
LOGS = f"GET /v1/database/{DATABASE}/logs"
DELETE = f"DELETE /v1/database/{DATABASE}"
ME = identity_of("me")


# --- list ---


def test_list(logged_in, server):
    server.on(f"GET /v1/identity/{ME}/databases", {"identities": [DATABASE]})
    server.on(f"GET /v1/database/{DATABASE}/names", {"names": ["db", "alias"]})
    outcome = logged_in("list")
    assert outcome.out == (
        f"Associated databases for user {ME}:\n\n"
        f" Database Name(s) | Identity {' ' * 55} \n"
        f"------------------+-{'-' * 65}\n"
        f" db, alias        | {DATABASE} \n"
    )


def test_list_nothing(logged_in, server):
    server.on(f"GET /v1/identity/{ME}/databases", {"identities": []})
    assert logged_in("list").out == f"No databases found for {ME}.\n"


def test_list_with_sizes(logged_in, server):
    server.on(f"GET /v1/identity/{ME}/databases", {"identities": [DATABASE, ME]})
    server.on(f"GET /v1/database/{DATABASE}/names", {"names": ["db"]})
    server.on(f"GET /v1/database/{ME}/names", {"names": []})
    server.on(f"GET /v1/database/{DATABASE}/size", {"log": 1 << 20, "snapshots": 1 << 19, "module_logs": 0})
    server.on(f"GET /v1/database/{ME}/size", "a server that does not know this", 404)
    outcome = logged_in("list", "--sizes")
    assert outcome.out.splitlines()[2:] == [
        f" Database Name(s) | Identity {' ' * 55} | Size    ",
        f"------------------+-{'-' * 65}+---------",
        f" db               | {DATABASE} | 1.5 MiB ",
        f"                  | {ME} | unknown ",
    ]


# --- describe ---


def test_describe(logged_in, server):
    server.on(SCHEMA, V10)
    outcome = logged_in("describe", "db", "--json")
    assert (outcome.exit, json.loads(outcome.out)) == (0, V10)
    assert outcome.out.startswith('{\n  "sections": [\n')
    assert server.last.url.params["version"] == "10"


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [("table", "item", table("item", 0)), ("reducer", "say", reducer("say", text={"String": []}))],
)
def test_describe_a_part(logged_in, server, kind, name, expected):
    server.on(SCHEMA, V10)
    assert json.loads(logged_in("describe", "db", kind, name, "--json").out) == expected


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["table", "nothing"], "no such table"),
        (["reducer", "nothing"], "no such reducer"),
        (["view", "x"], "Invalid entity_type 'view'. Expected one of: reducer, table."),
        (["table"], "Invalid describe arguments."),
        (["table", "a", "b"], "Invalid describe arguments."),
    ],
)
def test_describe_what_is_not_there(logged_in, server, arguments, error):
    server.on(SCHEMA, V10)
    outcome = logged_in("describe", "db", *arguments, "--json")
    assert (outcome.exit, f"Error: {error}" in outcome.err) == (1, True)


# --- lock, unlock, delete, rename ---


def test_lock_and_unlock(logged_in, server):
    server.on(f"POST /v1/database/{DATABASE}/lock")
    server.on(f"POST /v1/database/{DATABASE}/unlock")
    assert logged_in("lock", "db").out == (
        f"Database {DATABASE} is now locked. It cannot be deleted until unlocked.\n"
    )
    assert logged_in("unlock", DATABASE).out == f"Database {DATABASE} is now unlocked.\n"


def test_delete(logged_in, server):
    server.on(DELETE)
    declined = logged_in("delete", "db", stdin="n\n")
    assert declined.exit == 0
    assert declined.out == (
        f"Are you sure you want to delete database db ({DATABASE})? This action cannot be undone. [y/N]"
        "Aborting\n"
    )
    assert DELETE not in server.asked()
    outcome = logged_in("delete", DATABASE, "-y")
    assert (outcome.exit, outcome.out) == (0, "Skipping confirmation due to --yes\n")
    assert server.asked()[-1] == DELETE


def test_delete_a_locked_database(logged_in, server):
    server.on(DELETE, "Database is locked.", status=403)
    outcome = logged_in("delete", "db", "-y")
    assert outcome.exit == 1
    assert (
        "Error: Database is locked.\n\nCaused by:\n    HTTP status client error (403 Forbidden)"
        in outcome.err
    )


def test_delete_with_children(logged_in, server):
    child = {"database_identity": "c2", "database_names": ["child", "kid"], "children": []}
    other = {"database_identity": "c3", "database_names": [], "children": [child]}
    root = {"database_identity": "c1", "database_names": ["db"], "children": [child, other]}

    def delete(request):
        if request.url.params.get("token") == "t1":
            return httpx.Response(200)
        return httpx.Response(428, json={"database_tree": {"root": root}, "confirmation_token": "t1"})

    server.on(DELETE, delete)
    outcome = logged_in("delete", "db", stdin="y\ny\n")
    assert outcome.exit == 0
    assert outcome.out.endswith(
        f"WARNING: Deleting the database {DATABASE} will also delete its children!\n"
        "c1: db\n"
        "├── c3\n"
        "│   └── c2: child, kid\n"
        "└── c2: child, kid\n"
        "Do you want to proceed deleting above databases? [y/N]"
    )
    assert server.last.url.params["token"] == "t1"
    assert "c1: db" not in logged_in("delete", "db", "-y").out


def test_rename(logged_in, server):
    server.on("PUT /v1/database/db/names", '"Success"')
    outcome = logged_in("rename", "db", "--to", "other")
    assert (outcome.exit, outcome.out) == (0, "Name set to other for identity db.\n")
    assert json.loads(server.last.content) == ["other"]
    assert server.last.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (
            400,
            {"OtherError": "Cannot rename to x because it already is in use."},
            "Cannot rename to x because it already is in use.",
        ),
        (401, {"PermissionDenied": {"domain": "x"}}, "Permission denied for domain: x"),
        (401, {"NotYourDatabase": {"database": "c1"}}, "because it is owned by another identity."),
        (404, '"DatabaseNotFound"', "Database db not found"),
        (400, "Error parsing `x`", "Error parsing `x`"),
    ],
)
def test_rename_refused(logged_in, server, status, answer, error):
    server.on("PUT /v1/database/db/names", answer, status=status)
    outcome = logged_in("rename", "db", "--to", "x")
    assert (outcome.exit, error in outcome.err) == (1, True)


@pytest.mark.parametrize("name", ["", "a//b", "a b", "/a", "a/", "x" * 65, DATABASE, "/".join("a" * 258)])
def test_rename_to_what_is_no_name(logged_in, server, name):
    outcome = logged_in("rename", "db", "--to", name)
    assert outcome.exit == 1
    assert "Error: Error when parsing a domain, reason: " in outcome.err
    assert server.requests == []


# --- logs ---

LINES = [
    {
        "level": "Info",
        "ts": 1600000000123456,
        "filename": "src/lib.rs",
        "line_number": 12,
        "message": "hello",
    },
    {
        "level": "Error",
        "ts": 1600000000000000,
        "function": "say",
        "filename": "__spacetimedb__",
        "message": "no",
    },
    {"level": "Debug", "ts": 0, "function": "__spacetimedb__", "message": "two\nlines"},
    {
        "level": "Panic",
        "ts": 1500000,
        "function": "f",
        "filename": "a.rs",
        "message": "oh",
        "trace": [{"module_name": "m", "func_name": "g"}, {}],
    },
]
NDJSON = "".join(json.dumps(line) + "\n" for line in LINES)


def test_logs(logged_in, server):
    server.on(LOGS, NDJSON)
    outcome = logged_in("logs", "db")
    assert (outcome.exit, outcome.err) == (0, "")
    assert outcome.out == (
        "2020-09-13T12:26:40.123456Z  INFO: src/lib.rs:12: hello\n"
        "2020-09-13T12:26:40Z ERROR: say: no\n"
        "1970-01-01T00:00:00Z DEBUG: two\nlines\n"
        "1970-01-01T00:00:01.500Z PANIC: f a.rs: oh\n    in m :: g\n    in <unknown> :: <unknown>\n"
    )
    assert dict(server.last.url.params) == {"follow": "false"}


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        (["-n", "5"], {"num_lines": "5", "follow": "false"}),
        (["-f"], {"num_lines": "10", "follow": "true"}),
        (["-f", "-n", "0"], {"num_lines": "0", "follow": "true"}),
    ],
)
def test_which_logs(logged_in, server, arguments, query):
    server.on(LOGS, "")
    assert logged_in("logs", "db", *arguments).exit == 0
    assert dict(server.last.url.params) == query


@pytest.mark.parametrize(
    ("arguments", "levels"),
    [
        (["--level", "error"], ["Error", "Panic"]),
        (["-l", "info", "--level-exact"], ["Info"]),
        (["-l", "trace"], ["Info", "Error", "Debug", "Panic"]),
    ],
)
def test_logs_of_some_levels_as_json(logged_in, server, arguments, levels):
    server.on(LOGS, NDJSON)
    lines = logged_in("logs", "db", "--format", "json", *arguments).out.splitlines()
    assert [json.loads(line)["level"] for line in lines] == levels
    assert set(lines) <= set(NDJSON.splitlines())


def test_a_log_line_that_is_none(logged_in, server):
    server.on(LOGS, "what?\n")
    assert "a log record that cannot be read: what?" in logged_in("logs", "db").err


def test_logs_are_for_the_owner(logged_in, server):
    server.on(LOGS, "not authorized", status=403)
    outcome = logged_in("logs", "db")
    assert (outcome.exit, "Error: not authorized" in outcome.err) == (1, True)


# --- mcp ---


def test_mcp_is_a_bridge(logged_in, server):
    def answer(request):
        message = json.loads(request.content)
        return httpx.Response(200, json={"id": message["id"]}) if "id" in message else httpx.Response(202)

    server.on(f"POST /v1/database/{DATABASE}/mcp", answer)
    outcome = logged_in("mcp", "db", stdin='{"id":1}\n\n{"method":"x"}\n{"id":2}\n')
    assert outcome.out == '{"id":1}\n{"id":2}\n'
    assert outcome.err == (
        f"{WARNING}Serving MCP over stdio, bridging to {SERVER}/v1/database/{DATABASE}/mcp\n"
    )
    assert server.last.headers["authorization"] == f"Bearer {token_of('me')}"


def test_mcp_for_the_whole_server(logged_in, server):
    server.on("POST /v1/mcp", {"id": 1})
    assert logged_in("mcp", stdin='{"id":1}\n').out == '{"id":1}\n'


def test_mcp_takes_the_database_from_the_environment(logged_in, server):
    logged_in.environment["SPACETIMEDB_DB_NAME"] = "db"
    assert f"/v1/database/{DATABASE}/mcp" in logged_in("mcp").err


def test_mcp_never_asks_for_a_login(cli, server):
    server.on("POST /v1/mcp", {"id": 1})
    assert cli("mcp", "-s", SERVER, stdin='{"id":1}\n').exit == 0
    assert "authorization" not in server.last.headers


def test_mcp_ends_at_an_answer_that_is_not_json(logged_in, server):
    server.on("POST /v1/mcp", "<html>")
    assert "is not JSON" in logged_in("mcp", stdin='{"id":1}\n').err
