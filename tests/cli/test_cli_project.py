"""spacetime.json: which files count, what they say together, and which database a command means."""

import json

import pytest

from spacetimedb_cli.errors import UserError
from spacetimedb_cli.project.files import find
from spacetimedb_cli.project.resolution import (
    database_and_optional,
    database_and_query,
    database_and_rest,
    the_database,
)
from spacetimedb_cli.project.targets import Target, databases, spread


def write(directory, name="spacetime.json", **fields):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(json.dumps(fields))


# --- files ---


def test_the_nearest_file_above_wins(tmp_path):
    write(tmp_path, database="outer")
    write(tmp_path / "a", database="inner")
    (tmp_path / "a/b").mkdir()
    project = find(tmp_path / "a/b")
    assert project.directory == tmp_path / "a"
    assert project.fields == {"database": "inner"}
    assert find(tmp_path).fields == {"database": "outer"}


def test_layers(tmp_path):
    write(tmp_path, database="a", server="x", parent="p")
    write(tmp_path, "spacetime.local.json", server="local")
    write(tmp_path, "spacetime.dev.json", server="dev", organization="o")
    write(tmp_path, "spacetime.dev.local.json", organization="mine")
    assert find(tmp_path).fields == {"database": "a", "server": "local", "parent": "p"}
    with_environment = find(tmp_path, "dev")
    assert with_environment.fields == {
        "database": "a",
        "server": "dev",
        "parent": "p",
        "organization": "mine",
    }
    assert [file.name for file in with_environment.files] == [
        "spacetime.json",
        "spacetime.local.json",
        "spacetime.dev.json",
        "spacetime.dev.local.json",
    ]


def test_a_local_file_alone_is_not_found(tmp_path):
    write(tmp_path, "spacetime.local.json", database="a")
    assert find(tmp_path) is None


def test_children_are_merged_one_by_one_and_surplus_ones_dropped(tmp_path):
    write(tmp_path, children=[{"database": "a", "server": "x"}, {"database": "b"}])
    write(tmp_path, "spacetime.local.json", children=[{"server": "y"}, {"server": "z"}, {"database": "c"}])
    assert find(tmp_path).fields["children"] == [
        {"database": "a", "server": "y"},
        {"database": "b", "server": "z"},
    ]


def test_comments_trailing_commas_and_bare_keys(tmp_path):
    (tmp_path / "spacetime.json").write_text('{ // a comment\n  database: \'a\',\n  "server": "x",\n}')
    assert find(tmp_path).fields == {"database": "a", "server": "x"}


@pytest.mark.parametrize("text", ["{", "", "[]", "3", "{'a': }"])
def test_a_file_that_is_wrong_is_named(tmp_path, text):
    (tmp_path / "spacetime.json").write_text(text)
    with pytest.raises(UserError) as raised:
        find(tmp_path)
    assert str(raised.value).startswith(f"Failed to parse config file {tmp_path}/spacetime.json: ")


# --- targets ---

FAMILY = {
    "database": "game",
    "server": "maincloud",
    "module-path": "./spacetimedb",
    "dev": {"run": "x"},
    "generate": [],
    "children": [
        {"database": "game-eu", "children": [{"database": "game-eu-1"}]},
        {"database": "game-ai", "wasm-file": "ai.wasm", "server": "local"},
    ],
}


def test_children_take_what_they_do_not_say():
    assert spread(FAMILY) == [
        {"database": "game", "server": "maincloud", "module_path": "./spacetimedb"},
        {"database": "game-eu", "server": "maincloud", "module_path": "./spacetimedb"},
        {"database": "game-eu-1", "server": "maincloud", "module_path": "./spacetimedb"},
        {"database": "game-ai", "server": "local", "wasm_file": "ai.wasm"},
    ]


def test_each_database_counts_once():
    twice = {"database": "a", "server": "x", "children": [{"database": "a", "server": "y"}, {}]}
    assert databases(twice) == [Target("a", "x")]


def test_a_root_without_a_database_is_no_database():
    assert databases({"server": "x", "children": [{"database": "a"}]}) == [Target("a", "x")]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"database": 3}, "database"),
        ({"database": "a", "server": []}, "server"),
        ({"children": {}}, "children"),
    ],
)
def test_values_of_the_wrong_type(fields, key):
    with pytest.raises(UserError, match=f"Failed to convert config value for key '{key}'"):
        databases(fields)


# --- which database is meant ---

ONE = [Target("one", "x")]
TWO = [Target("one", "x"), Target("two", "y")]


@pytest.mark.parametrize(
    ("targets", "name", "meant"),
    [
        ([], "db", Target("db", None)),
        (ONE, None, Target("one", "x")),
        (ONE, "one", Target("one", "x")),
        (ONE, "other", Target("other", None)),
        (TWO, "two", Target("two", "y")),
        (TWO, "other", Target("other", None)),
    ],
)
def test_a_command_on_a_database(targets, name, meant):
    assert the_database("logs", targets, name) == meant


@pytest.mark.parametrize("targets", [[], TWO])
def test_a_name_is_needed_unless_there_is_exactly_one(targets):
    with pytest.raises(UserError, match="<database>"):
        the_database("logs", targets, None)


@pytest.mark.parametrize(
    ("targets", "parts", "meant", "rest"),
    [
        ([], ["db", "f", "1"], Target("db", None), ["f", "1"]),
        (ONE, ["f", "1"], Target("one", "x"), ["f", "1"]),
        (ONE, ["one", "f"], Target("one", "x"), ["f"]),
        (ONE, ["other", "f"], Target("one", "x"), ["other", "f"]),  # a function named `other`
        (TWO, ["two", "f"], Target("two", "y"), ["f"]),
    ],
)
def test_a_command_with_arguments(targets, parts, meant, rest):
    assert database_and_rest("call", targets, parts, "function_name") == (meant, rest)


@pytest.mark.parametrize(
    ("targets", "parts", "error"),
    [
        ([], [], "<database>"),
        ([], ["db"], "<function_name>"),
        (ONE, [], "<function_name>"),
        (ONE, ["one"], "<function_name>"),
        (TWO, [], "<database>"),
        (TWO, ["two"], "<function_name>"),
        (
            TWO,
            ["f", "1"],
            "Multiple databases found in config: one, two. Please specify which database to use, or pass "
            "--no-config to use 'f' directly.",
        ),
    ],
)
def test_a_command_that_lacks_an_argument(targets, parts, error):
    with pytest.raises(UserError) as raised:
        database_and_rest("call", targets, parts, "function_name")
    assert error in str(raised.value)


def test_arguments_may_all_be_optional():
    assert database_and_optional("describe", ONE, []) == (Target("one", "x"), [])
    assert database_and_optional("describe", ONE, ["table", "t"]) == (Target("one", "x"), ["table", "t"])
    assert database_and_optional("describe", [], ["db"]) == (Target("db", None), [])


def test_sql_joins_its_words_and_takes_any_database():
    assert database_and_query([], ["db", "SELECT", "1"]) == (Target("db", None), "SELECT 1")
    assert database_and_query(ONE, ["SELECT 1"]) == (Target("one", "x"), "SELECT 1")
    assert database_and_query(TWO, ["other", "SELECT 1"]) == (Target("other", None), "SELECT 1")


def test_sql_asks_for_the_database_of_a_lone_query():
    with pytest.raises(UserError) as raised:
        database_and_query(TWO, ["SELECT 1"])
    assert str(raised.value) == (
        "Multiple databases found in config: one, two. Please specify which database to query:\n"
        '  spacetime sql <database> "SELECT 1"'
    )
