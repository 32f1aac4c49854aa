"""A release shows help that was rendered when it was built: the same text, without loading the commands."""

import subprocess
import sys
from pathlib import Path

import pytest

from spacetimedb_cli.help_pages import page, wanted
from spacetimedb_cli.program import without_places
from spacetimedb_cli.render.help_pages import command_paths, write_pages

ROOT = Path(__file__).parents[2]
COMMANDS = list(command_paths())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pages = tmp_path_factory.mktemp("pages")
    assert write_pages(pages) == len(COMMANDS)
    return str(pages)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_page_is_what_the_command_prints(cli, folder, words):
    printed = cli(*words, "--help").out
    assert page([*words, "--help"], folder) == printed
    assert page([*words, "-h"], folder) == printed
    assert page(["help", *words], folder) == printed


def test_there_is_a_page_for_groups_and_for_their_commands():
    assert {(), ("publish",), ("server",), ("server", "add"), ("login", "show")} <= set(COMMANDS)


@pytest.mark.parametrize("command", ["start", "version", "doctor", "replay", "repair", "import-data"])
def test_commands_that_forward_their_help_have_no_page(folder, command):
    assert page([command, "--help"], folder) is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["publish"],
        ["--help", "publish"],
        ["call", "chat", "say", "--help"],
        ["--root-dir", "x", "--help"],
        ["no-such-command", "--help"],
        ["../pages/spacetime", "--help"],
        ["", "-h"],
        ["server", "help", "add"],
    ],
    ids=" ".join,
)
def test_everything_else_is_left_to_the_commands(folder, arguments):
    assert page(arguments, folder) is None


@pytest.mark.parametrize("word", ["-x", "--help", "a/b", "a.b", "", "1"])
def test_only_plain_words_can_name_a_page(word):
    assert wanted([word, "--help"]) is None


@pytest.mark.parametrize(
    ("given", "rest"),
    [
        ([], []),
        (["--help"], ["--help"]),
        (["--root-dir", "x", "--help"], ["--help"]),
        (["--root-dir=x", "--config-path", "y", "-V"], ["-V"]),
        (["--root-dir=", "publish", "--root-dir=x"], ["publish", "--root-dir=x"]),
        (["--root-dir", "--version"], []),
        (["--root-dir"], ["--root-dir"]),
        (["--config-path=x", "--root-dir"], ["--config-path=x", "--root-dir"]),
    ],
)
def test_where_files_are_makes_no_difference_to_help(given, rest):
    assert without_places(given) == rest


def test_a_narrow_terminal_gets_help_that_fits_it(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "79")
    assert page(["--help"], folder) is None


def test_a_checkout_has_no_pages():
    assert page(["--help"]) is None


def test_showing_a_page_loads_nothing_but_the_reader(folder):
    code = (
        "import sys\n"
        "import spacetimedb_cli.help_pages as pages\n"
        "pages.FOLDER = sys.argv.pop(1)\n"
        "before = {'os', 'sys', 'spacetimedb_cli', 'spacetimedb_cli.help_pages', *sys.modules}\n"
        "from spacetimedb_cli.__main__ import main\n"
        "main()\n"
        "print('LOADED', *(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, folder, "--root-dir", "anywhere", "--help"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "cli"), "COLUMNS": "80"},
        check=True,
    )
    text, _, loaded = done.stdout.rpartition("LOADED")
    assert "Commands:" in text
    assert sorted(loaded.split()) == ["spacetimedb_cli.__main__", "spacetimedb_cli.program"]
