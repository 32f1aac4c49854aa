"""`publish`: from which project, with which questions, and what is sent."""

import httpx
import pytest

from spacetimedb_cli.errors import ArgumentError
from spacetimedb_cli.publish.consent import parse_yes

from .conftest import DATABASE, SERVER, identity_of, unreachable

WASM = b"\0asm\1\0\0\0"
PRE = "POST /v1/database/db/pre_publish"
PUT = "PUT /v1/database/db"
HEAD = f"(WASM) Skipping build. Instead we are publishing m.wasm\nUploading to fake => {SERVER}\n"
CHECKING = HEAD + "Checking for breaking changes...\n"
DESTROY = "This will DESTROY the current db module, and ALL corresponding data.\n"
SKIPPED = "Skipping confirmation due to --yes\n"


def success(domain="db", op="created"):
    return {"Success": {"domain": domain, "database_identity": DATABASE, "op": op}}


def auto(breaks=False, upgrade=False):
    return {
        "AutoMigrate": {
            "migrate_plan": "THE PLAN\n",
            "break_clients": breaks,
            "token": "0xabc",
            "major_version_upgrade": upgrade,
        }
    }


MANUAL = {"ManualMigrate": {"reason": "Errors occurred:\nno way\n", "major_version_upgrade": False}}


@pytest.fixture
def ready(logged_in, server):
    """A program, and a server on which `db` exists and can be updated."""
    (logged_in.directory / "m.wasm").write_bytes(WASM)
    server.on(PRE, auto())
    server.on(PUT, success(op="updated"))
    return logged_in


def query(cli):
    return dict(cli.server.last.url.params)


def test_a_new_database(ready):
    ready.server.on(PRE, "not found", status=404)
    ready.server.on(PUT, success())
    outcome = ready("publish", "db", "-b", "m.wasm")
    assert (outcome.exit, outcome.err) == (0, "")
    assert outcome.out == (
        f"{CHECKING}Publishing module...\nCreated new database with name: db, identity: {DATABASE}\n"
    )
    assert ready.server.asked() == [PRE, PUT]
    assert ready.server.last.content == WASM
    assert query(ready) == {"host_type": "Wasm"}


def test_an_update_agrees_to_the_plan_by_its_token(ready):
    outcome = ready("publish", "db", "-b", "m.wasm")
    assert outcome.out == (
        f"{CHECKING}THE PLAN\n\nPublishing module...\nUpdated database with name: db, identity: {DATABASE}\n"
    )
    assert query(ready) == {"token": "0xabc", "policy": "BreakClients", "host_type": "Wasm"}
    assert dict(ready.server.requests[0].url.params) == {"style": "NoColor", "host_type": "Wasm"}
    assert ready.server.requests[0].content == WASM


def test_by_identity(ready, server):
    server.on(f"POST /v1/database/{DATABASE}/pre_publish", auto())
    server.on(f"PUT /v1/database/{DATABASE}", success(domain=None, op="updated"))
    outcome = ready("publish", DATABASE, "-b", "m.wasm")
    assert outcome.out.endswith(f"Updated database with identity: {DATABASE}\n")


def test_without_a_name(ready, server):
    server.on("POST /v1/database", success(domain=None))
    outcome = ready("publish", "-b", "m.wasm")
    assert outcome.out == (f"{HEAD}Publishing module...\nCreated new database with identity: {DATABASE}\n")
    assert server.asked() == ["POST /v1/database"]


def test_a_bundle_of_javascript(ready):
    (ready.directory / "m.js").write_text("export {}")
    outcome = ready("publish", "db", "--js-path", "m.js")
    assert outcome.out.startswith("(JS) Skipping build. Instead we are publishing m.js\n")
    assert query(ready)["host_type"] == "Js"


def test_options_of_the_route(ready):
    arguments = ["--num-replicas", "3", "--parent", "above", "--org", "us", "-y"]
    outcome = ready("publish", "db", "-b", "m.wasm", *arguments)
    assert outcome.err == "WARNING: Use of unstable option `--num-replicas`.\n"
    assert query(ready) | {"token": "", "policy": ""} == {
        "token": "",
        "policy": "",
        "num_replicas": "3",
        "parent": "above",
        "org": "us",
        "host_type": "Wasm",
    }


def test_a_parent_in_the_name(ready):
    ready("publish", "above/db", "-b", "m.wasm")
    assert ready.server.asked()[-1] == PUT
    assert query(ready)["parent"] == "above"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["Bad_Name"], "invalid characters in database name"),
        (["a--b"], "invalid hyphen in database name"),
        (["a/b", "--parent", "c"], "cannot specify both --parent and <parent>/<child>"),
        (["a/b/c"], "invalid parent database name `a/b`"),
        (["b", "--parent", "A"], "invalid parent database name `A`"),
    ],
)
def test_names_that_are_wrong(ready, arguments, error):
    outcome = ready("publish", *arguments, "-b", "m.wasm")
    assert (outcome.exit, f"Error: {error}" in outcome.err) == (1, True)
    assert ready.server.requests == []


def test_a_program_that_is_not_there(ready):
    outcome = ready("publish", "db", "-b", "missing.wasm")
    assert outcome.exit == 1
    assert outcome.err == (
        "Error: could not read missing.wasm: check the path\n\n"
        "Caused by:\n    No such file or directory (os error 2)\n"
    )


def test_a_module_that_is_not_built(ready):
    outcome = ready("publish", "db")
    assert outcome.exit == 1
    assert "does not build modules" in outcome.err
    assert "pass --bin-path" in outcome.err
    assert "Error: Project path does not exist: " in ready("publish", "db", "-p", "nowhere").err


def test_a_program_that_the_server_refuses(ready, server):
    server.on(PRE, status=404)
    server.on(PUT, "failed to parse WebAssembly module: bad magic", status=500)
    outcome = ready("publish", "db", "-b", "m.wasm")
    assert outcome.exit == 1
    assert outcome.err == (
        "Error: failed to parse WebAssembly module: bad magic\n\n"
        "Caused by:\n"
        "    HTTP status server error (500 Internal Server Error) for url "
        f"({SERVER}/v1/database/db?host_type=Wasm)\n"
    )


def test_somebody_elses_database(ready, server):
    server.on(PRE, "no, never", status=403)
    outcome = ready("publish", "db", "-b", "m.wasm")
    assert (outcome.exit, outcome.err) == (
        1,
        "Error: Pre-publish check failed with status 403 Forbidden: no, never\n",
    )


def test_a_name_that_is_taken(ready, server):
    server.on(PRE, status=404)
    server.on(PUT, {"PermissionDenied": {"name": "db"}}, status=401)
    outcome = ready("publish", "db", "-b", "m.wasm")
    assert outcome.err == (
        "Error: The database db is not registered to the identity you provided.\n"
        "We suggest you push to either a domain owned by you, or a new domain like:\n"
        f"\tspacetime publish {identity_of('me')[:12]}\n"
    )
    outcome = ready("publish", "db", "-b", "m.wasm", "--anonymous")
    assert outcome.err == "Error: You need to be logged in as the owner of db to publish to db\n"


def test_a_server_that_is_down(ready, server):
    server.on(PRE, unreachable)
    outcome = ready("publish", "db", "-b", "m.wasm")
    assert (outcome.exit, outcome.out) == (1, CHECKING)
    assert "error sending request for url" in outcome.err


def test_an_unknown_server_is_told_of_first(ready):
    outcome = ready("publish", "db", "-b", "missing.wasm", "-s", "nowhere", "-y")
    assert (outcome.exit, outcome.out) == (1, "")
    assert "No such saved server configuration: nowhere" in outcome.err


# --- questions ---


@pytest.mark.parametrize(
    ("arguments", "stdin", "proceeds"),
    [
        ([], "n\n", False),
        ([], "", False),
        ([], "y\n", True),
        (["--break-clients"], "", True),
        (["--yes"], "", True),
        (["--yes=break-clients"], "", True),
        (["--yes=remote,migrate"], "", False),
    ],
)
def test_breaking_clients(ready, arguments, stdin, proceeds):
    ready.server.on(PRE, auto(breaks=True))
    outcome = ready("publish", "db", "-b", "m.wasm", *arguments, stdin=stdin)
    assert outcome.exit == (0 if proceeds else 1)
    assert ready.server.asked() == ([PRE, PUT] if proceeds else [PRE])
    if not proceeds:
        assert outcome.out.endswith(
            "The above changes will BREAK existing clients. Do you want to proceed? [y/N]Aborting\n"
        )
        assert outcome.err == "Error: Publishing aborted by user\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "proceeds"),
    [
        (["--delete-data"], "n\n", False),
        (["-c"], "YES\n", True),
        (["--delete-data=always", "-y"], "", True),
        (["--clear-database", "--yes=delete-data"], "", True),
    ],
)
def test_clearing(ready, arguments, stdin, proceeds):
    outcome = ready("publish", "db", "-b", "m.wasm", *arguments, stdin=stdin)
    question = "Are you sure you want to proceed? [deleting db] [y/N]"
    assert outcome.out.startswith(HEAD + DESTROY)
    if proceeds:
        assert outcome.exit == 0
        assert ready.server.asked() == [PUT]  # what would happen to the data is no question any more
        assert query(ready) == {"clear": "true", "host_type": "Wasm"}
    else:
        assert outcome.out == HEAD + DESTROY + question
        assert (outcome.exit, outcome.err) == (1, "Error: Aborted.\n")


def test_data_that_cannot_be_kept(ready):
    ready.server.on(PRE, MANUAL)
    outcome = ready("publish", "db", "-b", "m.wasm", "-y")
    assert outcome.exit == 1
    assert outcome.out == (
        f"{CHECKING}Errors occurred:\nno way\n\nAborting publish due to required manual migration.\n"
    )
    assert outcome.err == (
        "Error: Aborting because publishing would require manual migration or deletion of data and "
        "--delete-data was not specified.\n"
    )


def test_data_that_may_go_on_conflict(ready):
    ready.server.on(PRE, MANUAL)
    outcome = ready("publish", "db", "-b", "m.wasm", "--delete-data=on-conflict", "-y")
    assert outcome.exit == 0
    assert outcome.out.startswith(
        f"{CHECKING}Errors occurred:\nno way\n\n"
        "Proceeding with database clear due to --delete-data=on-conflict.\n"
        f"{DESTROY}{SKIPPED}"
    )
    assert query(ready) == {"clear": "true", "host_type": "Wasm"}


def test_without_conflict_data_stays(ready):
    ready("publish", "db", "-b", "m.wasm", "--delete-data=on-conflict", "-y")
    assert "clear" not in query(ready)


@pytest.mark.parametrize(("typed", "proceeds"), [("upgrade\n", True), ("yes\n", False), ("", False)])
def test_an_upgrade_from_version_1(ready, typed, proceeds):
    ready.server.on(PRE, auto(upgrade=True))
    outcome = ready("publish", "db", "-b", "m.wasm", stdin=typed)
    assert "https://spacetimedb.com/docs/upgrade" in outcome.out
    assert "WARNING: Once you publish you cannot revert back to version 1.0." in outcome.out
    assert outcome.exit == (0 if proceeds else 1)
    if not proceeds:
        assert outcome.err == "Error: Aborting because major version upgrade was not accepted.\n"


def test_an_upgrade_agreed_to_beforehand(ready):
    ready.server.on(PRE, auto(upgrade=True))
    assert ready("publish", "db", "-b", "m.wasm", "--yes=migrate").exit == 0


@pytest.mark.parametrize("host", ["maincloud.spacetimedb.com", "127.0.0.2", "192.168.1.1"])
def test_servers_elsewhere_need_a_word(ready, host):
    ready.server.on(PUT, success(op="updated"))
    declined = ready("publish", "db", "-b", "m.wasm", "-s", f"https://{host}", stdin="n\n")
    assert declined.out.endswith(
        f"You are about to publish to a non-local server: {host}\nAre you sure you want to proceed? [y/N]"
    )
    assert declined.err == "Error: Publish aborted by user.\n"
    agreed = ready("publish", "db", "-b", "m.wasm", "-s", f"https://{host}", "--yes=remote")
    assert agreed.exit == 0
    assert ("Dashboard: https://spacetimedb.com/db\n" in agreed.out) == (host == "maincloud.spacetimedb.com")


def test_localhost_is_here(ready):
    assert ready("publish", "db", "-b", "m.wasm", "-s", "http://localhost:4321").exit == 0


def test_a_missing_login_is_no_question_with_skip_login(ready, server):
    ready.toml.unlink()
    server.on("POST /v1/identity", unreachable)
    outcome = ready("publish", "db", "-b", "m.wasm", "-s", SERVER, "--yes=skip-login")
    assert "You are not logged in" not in outcome.out
    assert server.asked() == ["POST /v1/identity"]


def test_lists_of_questions():
    assert parse_yes([]) == frozenset()
    assert parse_yes(["remote,migrate", "skip-login"]) == {"remote", "migrate", "skip-login"}
    assert parse_yes(["all"]) >= {"remote", "migrate", "break-clients", "skip-login", "delete-data"}
    with pytest.raises(ArgumentError, match="invalid value 'x'"):
        parse_yes(["remote,x"])


# --- projects ---


def published(cli):
    return [name.removeprefix("PUT /v1/database/") for name in cli.server.asked() if name.startswith("PUT")]


@pytest.fixture
def family(ready, server):
    """A project with a parent and two children."""
    for name in ("a", "b-1", "b-2"):
        server.on(f"POST /v1/database/{name}/pre_publish", status=404)
        server.on(f"PUT /v1/database/{name}", success(name))
    ready.project(
        '{"database": "a", "wasm-file": "m.wasm", "children": [{"database": "b-1"}, {"database": "b-2"}]}'
    )
    return ready


def test_from_a_project(family):
    family.project('{"database": "a", "wasm-file": "m.wasm", "server": "nowhere"}')
    family.project('{"server": "fake"}', "spacetime.local.json")
    outcome = family("publish")
    assert outcome.exit == 0
    assert outcome.out == (
        f"Using configuration from {family.directory}/spacetime.json\n"
        f"Using configuration from {family.directory}/spacetime.local.json\n"
        "Publishing precompiled module to database 'a'\n"
        f"{CHECKING}Publishing module...\nCreated new database with name: a, identity: {DATABASE}\n"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [([], ["a", "b-1", "b-2"]), (["b-1"], ["b-1"]), (["b-*"], ["b-1", "b-2"]), (["[ab]"], ["a"])],
)
def test_which_targets(family, name, expected):
    assert family("publish", *name).exit == 0
    assert published(family) == expected


def test_a_name_that_no_target_has(family):
    outcome = family("publish", "nobody")
    assert outcome.err == "Error: No database target matches 'nobody'. Available databases: a, b-1, b-2\n"


def test_a_name_for_the_only_target(family, server):
    family.project('{"database": "a", "wasm-file": "m.wasm"}')
    assert family("publish", "b-1").exit == 0
    assert published(family) == ["b-1"]


def test_options_for_one_module_are_refused_for_several(family):
    outcome = family("publish", "-b", "m.wasm")
    assert outcome.err.startswith(
        "Error: Cannot use module-specific arguments (--bin-path) when publishing to multiple targets."
    )
    assert family("publish", "b-1", "-b", "m.wasm").exit == 0


def test_an_environment(family):
    family.project('{"database": "a"}')
    family.project('{"wasm-file": "m.wasm"}', "spacetime.staging.json")
    assert family("publish", "--env", "staging").exit == 0
    assert family("publish").exit == 1


def test_flags_in_the_project(family, server):
    server.on("POST /v1/database/a/pre_publish", auto(breaks=True))
    family.project('{"database": "a", "wasm-file": "m.wasm", "break-clients": true, "anon-identity": true}')
    assert family("publish").exit == 0
    assert "authorization" not in server.last.headers


def test_the_project_can_be_ignored(family):
    assert family("publish", "--no-config", "b-1", "-b", "m.wasm").exit == 0
    assert published(family) == ["b-1"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"database": "a", "colour": 1}', "Config key 'colour' is not supported in the config file."),
        (
            '{"database": "a", "bin-path": "x"}',
            "Config key 'bin_path' is not supported in the config file (write `wasm-file` for it).",
        ),
        ('{"wasm-file": "m.wasm"}', "Required key 'database' is missing from the config file or CLI"),
        (
            '{"database": "a", "num-replicas": 256}',
            "Failed to convert config value for key 'num_replicas' to type u8",
        ),
        (
            '{"database": "a", "break-clients": 1}',
            "Failed to convert config value for key 'break_clients' to type bool",
        ),
        ('{"database": "a", "dotnet-version": 8}', "Failed to convert config value for key 'dotnet_version'"),
    ],
)
def test_projects_that_are_wrong(family, text, error):
    family.project(text)
    outcome = family("publish", "-y")
    assert (outcome.exit, f"Error: {error}" in outcome.err) == (1, True)
    assert published(family) == []


def test_the_module_folder_lies_in_the_project(family):
    family.project('{"database": "a", "module-path": "server"}')
    outcome = family("publish")
    assert f"Publishing module {family.directory}/server to database 'a'\n" in outcome.out
    assert f"Project path does not exist: {family.directory}/server" in outcome.err


def test_the_answer_may_be_of_an_unknown_kind(ready, server):
    server.on(PRE, {"Perhaps": {}})
    assert "in a form this tool does not know" in ready("publish", "db", "-b", "m.wasm").err
    server.on(PRE, status=404)
    server.on(PUT, lambda _: httpx.Response(200, json={"EnvironmentError": {}}))
    assert "in a form this tool does not know" in ready("publish", "db", "-b", "m.wasm").err
