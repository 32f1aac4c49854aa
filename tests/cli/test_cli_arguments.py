"""Command lines that are refused before anything is done: exit code 2 and a text on stderr."""

import pytest

from spacetimedb_cli.grammar import spelled_out

REFUSED = [
    ("nothing-here", "unrecognized subcommand 'nothing-here'"),
    ("serve", "tip: a similar subcommand exists: 'server'"),
    ("help nothing-here", "unrecognized subcommand 'nothing-here'"),
    ("server nothing-here", "unrecognized subcommand 'nothing-here'"),
    ("--nothing-here", "unexpected argument '--nothing-here' found"),
    ("delete --nothing-here", "unexpected argument '--nothing-here' found"),
    ("publish --delete-data=sometimes x", "'sometimes'"),
    ("publish --bin-path a --js-path b x", "'--bin-path <WASM>' cannot be used with '--js-path <JS>'"),
    ("publish --bin-path a --module-path . x", "cannot be used with '--module-path <DIR>'"),
    ("publish --js-path a --build-options=-v x", "cannot be used with '--build-options <OPTIONS>'"),
    ("publish --num-replicas 256 x", "--num-replicas"),
    ("publish --yes=everything x", "possible values: all, remote, migrate, break-clients"),
    ("publish --dotnet-version 9 x", "'9'"),
    ("logs x --format xml", "'xml'"),
    ("logs x --level loud", "'loud'"),
    ("logs x --level-exact", "--level <level>"),
    ("logs x -n many", "--num-lines"),
    ("logs x -n -1", "--num-lines"),
    ("describe x", "--json"),
    ("rename x", "--to"),
    ("rename --to y", "<database-identity>"),
    ("server add x", "--url"),
    ("server set-default", "<server>"),
    ("sql x y --confirmed perhaps", "'perhaps'"),
    ("login --token a --server-issued-login local", "cannot be used with"),
    ("login --token a --auth-host http://x", "cannot be used with"),
    ("call db f -5", "-5"),
]


@pytest.mark.parametrize(("line", "text"), REFUSED, ids=[line for line, _ in REFUSED])
def test_refused(cli, line, text):
    outcome = cli(*line.split())
    assert (outcome.exit, outcome.out) == (2, "")
    assert text in outcome.err
    assert outcome.err.splitlines()[-1] == "For more information, try '--help'."
    assert not cli.server.requests


UNRESOLVED = {
    "call": (
        "database",
        "call [database] <function_name> <arguments>... (or --no-config for legacy behavior)",
    ),
    "call db": (
        "function_name",
        "call [database] <function_name> <arguments>... (or --no-config for legacy behavior)",
    ),
    "sql": ("database", "sql [database] <query> [--no-config]"),
    "sql db": ("query", "sql [database] <query> [--no-config]"),
    "sql --interactive": ("database", "sql [database] --interactive [--no-config]"),
    "subscribe": ("database", "subscribe [database] <query> [query...] (or --no-config for legacy behavior)"),
    "subscribe db": ("query", "subscribe [database] <query> [query...] (or --no-config for legacy behavior)"),
    "describe --json": (
        "database",
        "describe [database] [entity_type entity_name] --json [--no-config]",
    ),
    "logs": ("database", "logs [database] [--no-config]"),
    "delete": ("database", "delete [database] [--no-config]"),
    "lock": ("database", "lock [database] [--no-config]"),
    "unlock": ("database", "unlock [database] [--no-config]"),
}


@pytest.mark.parametrize("line", UNRESOLVED)
def test_an_argument_that_a_project_could_have_given(cli, line):
    argument, usage = UNRESOLVED[line]
    outcome = cli(*line.split())
    assert outcome.exit == 1
    assert outcome.err.endswith(
        f"Error: the following required arguments were not provided:\n  <{argument}>\n\n"
        f"Usage: spacetime {usage}\n"
    )


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["-y", "name"], ["--yes=all", "name"]),
        (["--yes=remote,migrate", "name"], ["--yes=remote,migrate", "name"]),
        (["-y=remote"], ["--yes=remote"]),
        (["--org", "x"], ["--organization", "x"]),
        (["--org=x"], ["--organization=x"]),
        (["a=b", "--", "-y"], ["a=b", "--", "-y"]),
        ([], []),
    ],
)
def test_options_are_spelled_out(given, meant):
    spellings = {"-y": "--yes", "--org": "--organization"}
    assert list(spelled_out(given, {"--yes": "all"}, spellings)) == meant


def test_global_options_stand_before_the_command(cli, tmp_path):
    assert cli("server", "list", "--config-path", str(tmp_path / "x.toml")).exit == 2
    assert cli("--config-path", str(tmp_path / "x.toml"), "server", "list").exit == 0
    assert (tmp_path / "x.toml").exists()
    assert not cli.toml.exists()


def test_without_a_root_directory_the_platform_decides(cli):
    assert cli.raw("server", "list").exit == 0
    assert (cli.root / "home/.config/spacetime/cli.toml").exists()
