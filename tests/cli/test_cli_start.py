"""`start` and `version` hand over to other programs."""

import sys

import pytest

from spacetimedb_cli.commands.start import server_command
from spacetimedb_cli.errors import HostError

from .conftest import SAVING


@pytest.fixture
def installed(cli, tmp_path):
    """A tool with a server beside it."""
    cli.program = tmp_path / "bin" / "spacetimedb-cli"
    cli.program.parent.mkdir()
    (cli.program.parent / "spacetimedb-standalone").touch()
    return cli


def test_start_hands_over_to_the_server_beside_it(installed):
    installed("start", "--listen-addr", "127.0.0.1:4000", "--in-memory")
    assert installed.executed == [
        (
            [
                str(installed.program.parent / "spacetimedb-standalone"),
                "start",
                "--data-dir",
                str(installed.root / "data"),
                "--jwt-key-dir",
                str(installed.root / "config"),
                "--listen-addr",
                "127.0.0.1:4000",
                "--in-memory",
            ],
            None,
        )
    ]


def test_the_saved_address_comes_before_the_given_one(installed):
    installed.toml.parent.mkdir(parents=True)
    installed.toml.write_text('listen_addr = "127.0.0.1:5000"\n')
    installed("start", "--listen-addr", "127.0.0.1:4000")
    ((command, _),) = installed.executed
    assert command[6:] == ["--listen-addr", "127.0.0.1:5000", "--listen-addr", "127.0.0.1:4000"]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["-l", "x", "--help"]])
def test_even_help_goes_to_the_server(installed, arguments):
    installed("start", *arguments)
    ((command, _),) = installed.executed
    assert command[6:] == arguments


def test_a_server_that_cannot_be_run(installed):
    outcome = installed("start")
    assert outcome.exit == 1
    assert outcome.err.startswith(SAVING + "Error: could not run ")
    assert outcome.err.endswith("Caused by:\n    No such file or directory (os error 2)\n")


def test_an_edition_that_is_not_installed(installed):
    outcome = installed("start", "--edition", "cloud")
    assert outcome.exit == 1
    assert "Error: spacetimedb-cloud is not part of this installation" in outcome.err
    assert installed.executed == []


def test_a_link_to_the_tool_is_followed(installed, tmp_path):
    link = tmp_path / "spacetime"
    link.symlink_to(installed.program)
    installed.program.touch()
    assert server_command("standalone", link) == [str(installed.program.parent / "spacetimedb-standalone")]


def test_without_a_program_the_package_of_this_interpreter_is_run(tmp_path, monkeypatch):
    (tmp_path / "spacetimedb_pretended").mkdir()
    (tmp_path / "spacetimedb_pretended" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    command = server_command("pretended", tmp_path / "spacetimedb-cli")
    assert command == [sys.executable, "-m", "spacetimedb_pretended"]


def test_neither_program_nor_package(tmp_path):
    with pytest.raises(HostError, match="is not part of this installation"):
        server_command("nothing", tmp_path / "spacetimedb-cli")


def test_version_hands_over_to_the_version_manager(cli):
    outcome = cli("version", "list", "--all")
    assert cli.executed == [
        (
            [str(cli.root / "spacetime"), "--root-dir", str(cli.root), "version", "list", "--all"],
            "spacetimedb-update",
        )
    ]
    assert outcome.exit == 1
    assert "Error: the version manager is not installed at {root}/spacetime: " in outcome.err


def test_version_without_a_root_directory(cli):
    cli.raw("version", "list")
    ((command, _),) = cli.executed
    assert command == [str(cli.root / "home/.local/bin/spacetime"), "version", "list"]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("doctor", ["--json"]),
        ("doctor", ["--help"]),
        ("replay", ["--database", "chat", "--to-offset", "41", "--into", "copy"]),
        ("repair", ["--database", "chat", "-y"]),
        ("import-data", ["other", "--data-dir", "here"]),
    ],
)
def test_the_server_program_looks_after_data_directories(installed, command, arguments):
    """The data directory of the installation comes first, so that one that is given overrides it."""
    installed(command, *arguments)
    server = str(installed.program.parent / "spacetimedb-standalone")
    place = ["--data-dir", str(installed.root / "data")]
    assert installed.executed == [([server, command, *place, *arguments], None)]
