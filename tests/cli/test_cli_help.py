"""Help pages name the options and commands that users and scripts know, and versions are told fast."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from spacetimedb_cli.app import Root
from spacetimedb_cli.version import VERSION, commit

ROOT = Path(__file__).parents[2]
OPTION = re.compile(r"^ +(-\w|--[\w-]+)(?:, (--[\w-]+))?", re.MULTILINE)
ASIDE = {"-h", "--help"}
SERVER = {"-s", "--server"}
YES = {"-y", "--yes"}
FORWARDING = {"start", "version", "doctor", "replay", "repair", "import-data"}
"""These hand over even `--help`."""
PAGES = {
    "publish": SERVER
    | YES
    | {"-b", "--bin-path", "-c", "--delete-data", "-j", "--js-path", "-p", "--module-path", "--anonymous"}
    | {"--break-clients", "--build-options", "--dotnet-version", "--env", "--native-aot", "--no-config"}
    | {"--organization", "--parent"},
    "delete": SERVER | YES | {"--no-config"},
    "logs": SERVER
    | YES
    | {"-f", "--follow", "--format", "-l", "--level", "--level-exact", "-n", "--num-lines", "--no-config"},
    "call": SERVER | YES | {"--anonymous", "--no-config"},
    "describe": SERVER | YES | {"--anonymous", "--json", "--no-config"},
    "sql": SERVER | YES | {"--anonymous", "--confirmed", "--format", "--interactive", "--no-config"},
    "mcp": SERVER | {"--anonymous"},
    "rename": SERVER | YES | {"--to"},
    "list": SERVER | YES | {"--sizes"},
    "login": {"--auth-host", "--no-browser", "--token"},
    "login show": {"--token"},
    "logout": {"--auth-host"},
    "server": set(),
    "server list": set(),
    "server set-default": set(),
    "server add": {"-d", "--default", "--no-fingerprint", "--url"},
    "server remove": YES,
    "server fingerprint": YES,
    "server ping": set(),
    "server edit": YES | {"--new-name", "--no-fingerprint", "--url"},
    "server clear": YES | {"--data-dir"},
    "subscribe": SERVER
    | YES
    | {"--anonymous", "--confirmed", "-n", "--num-updates", "--print-initial-update", "-t", "--timeout"}
    | {"--no-config"},
    "lock": SERVER | {"--no-config"},
    "unlock": SERVER | {"--no-config"},
}


def options(text: str) -> set[str]:
    return {name for pair in OPTION.findall(text) for name in pair if name}


@pytest.mark.parametrize("command", PAGES)
def test_the_options_of_a_command(cli, command):
    page = cli(*command.split(), "--help")
    assert page.exit == 0
    assert options(page.out) - ASIDE == PAGES[command]
    assert page.err == ""


@pytest.mark.parametrize("command", PAGES)
def test_help_as_a_command_shows_the_same(cli, command):
    assert cli("help", *command.split()).out == cli(*command.split(), "-h").out


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_the_root_lists_every_command_once(cli, arguments):
    page = cli(*arguments)
    commands = re.findall(r"^  ([a-z][\w-]*)(?: |$)", page.out.partition("Commands:")[2], re.MULTILINE)
    assert commands == [*Root.entries, "help"]
    assert options(page.out) - ASIDE == {"--root-dir", "--config-path", "-V", "--version"}


def test_every_command_of_the_table_exists(cli):
    for command in set(Root.entries) - FORWARDING:
        assert cli(command, "--help").exit == 0


@pytest.mark.parametrize(
    ("group", "commands"),
    [
        (
            "server",
            "list set-default add remove fingerprint ping edit clear help",
        ),
        ("login", "show help"),
    ],
)
def test_groups_list_their_commands(cli, group, commands):
    listed = cli(group, "--help").out.partition("Commands:")[2]
    assert re.findall(r"^  ([a-z][\w-]*) ", listed, re.MULTILINE) == commands.split()


@pytest.mark.parametrize("arguments", [[], ["server"]])
def test_a_group_alone_prints_its_help_on_stderr_and_fails(cli, arguments):
    outcome = cli.raw(*arguments)
    assert (outcome.exit, outcome.out) == (2, "")
    assert "Commands:" in outcome.err


def test_unstable_commands_say_so_in_the_list_of_commands(cli):
    assert cli("--help").out.count("WARNING: This command is UNSTABLE") == 7


def test_help_creates_no_settings(cli):
    cli("call", "--help")
    assert not cli.toml.exists()


def test_version(cli):
    assert cli("-V").out == f"spacetime {VERSION}\n"
    lines = cli("--version").out.splitlines()
    assert lines[0].startswith("spacetime Path: /")
    assert re.fullmatch(r"Commit: ([0-9a-f]{40}|unknown)", lines[1])
    assert lines[2] == f"spacetimedb tool version {VERSION}; spacetimedb-lib version {VERSION};"


def test_the_version_is_the_one_of_the_distribution():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("f" * 40 + "\n", "f" * 40),
        ("ref: refs/heads/main\n", "a" * 40),
        ("ref: refs/heads/packed\n", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_commit_of_a_checkout(tmp_path, head, expected):
    (tmp_path / ".git/refs/heads").mkdir(parents=True)
    (tmp_path / ".git/refs/heads/main").write_text("a" * 40 + "\n")
    if head is not None:
        (tmp_path / ".git/HEAD").write_text(head)
    assert commit(str(tmp_path)) == expected


def modules_loaded(*arguments: str) -> set[str]:
    """What a fresh process imports to answer a command line."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('LOADED', *sys.modules))\n"
        "sys.argv = ['spacetime', *sys.argv[1:]]\n"
        "from spacetimedb_cli.__main__ import main\n"
        "main()"
    )
    houses = [str(ROOT / house) for house in ("paths", "lib", "cli")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(houses), "HOME": "/nonexistent"},
        check=True,
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize("argument", ["--version", "-V"])
def test_telling_the_version_loads_next_to_nothing(argument):
    assert not modules_loaded(argument) & {"httpx", "rich", "typer", "tomlkit", "websockets"}


def test_help_loads_no_http_client():
    assert not modules_loaded("publish", "--help") & {"httpx", "rich", "websockets"}
