"""docs/data-care.md: every command of it is run, prints what it says, and its settings are those of the server."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from spacetimedb_cli.app import run
from spacetimedb_cli.host import Host
from spacetimedb_standalone.__main__ import main
from spacetimedb_standalone.config.settings import (
    CommitLogSettings,
    ServerConfig,
    SnapshotSettings,
    read_config,
)
from tests.standalone.care.made import SHORTENED, flip, made
from tests.standalone.care.test_import_data import put_real_log

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[3] / "docs" / "data-care.md").read_text(encoding="utf-8")
ANYTHING = "…"
COMMANDS = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SETTINGS = re.findall(r"^\| `(commitlog|snapshots)\.([\w-]+)` \| `(.*?)` \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a reader of the page is, with the directories that it speaks of; the commands leave theirs behind."""
    here = tmp_path_factory.mktemp("reader")
    made(here / "data", 20, every=6, settings=SHORTENED)
    flip(made(here / "damaged", 14).segments[2], 60)
    put_real_log(here / "official")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        yield here


def spacetime(arguments: list[str]) -> int:
    """The command line, which hands over to the server's program in this process."""
    status = []

    def become(command: list[str], argv0: str | None = None) -> NoReturn:
        at = next(
            number
            for number, word in enumerate(command)
            if word in ("doctor", "replay", "repair", "import-data")
        )
        status.append(main(list(command[at:])))
        raise SystemExit(status[0])

    with pytest.raises(SystemExit):
        run(["--root-dir", "root", *arguments], Host(replace_process=become))
    return status[0]


@pytest.mark.parametrize(("command", "printed"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_command_prints_what_the_page_says(
    reader: Path, command: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *arguments = shlex.split(command)
    assert program == "spacetime"
    status = spacetime(arguments)
    shown = capsys.readouterr()
    lines = [line for line in (shown.out + shown.err).splitlines() if not line.startswith("Saving config")]
    pattern = ".*".join(re.escape(part) for part in printed.rstrip("\n").split(ANYTHING))
    assert re.fullmatch(pattern, "\n".join(lines)), "\n".join(lines)
    assert (status == 0) is ("Error: " not in printed and "Damage was found" not in printed)


def test_all_commands_are_shown() -> None:
    assert {shlex.split(command)[1] for command, _ in COMMANDS} == {
        "doctor",
        "replay",
        "repair",
        "import-data",
    }


@pytest.mark.parametrize(("section", "key", "default"), SETTINGS)
def test_a_setting_has_the_default_of_the_page(section: str, key: str, default: str) -> None:
    value, other = {"true": (True, False), '"1h"': ("1h", "5m")}.get(default) or (
        int(default),
        int(default) + 1,
    )
    assert read_config({section: {key: value}}) == ServerConfig()
    assert read_config({section: {key: other}}) != ServerConfig(), "the key is known"


def test_the_settings_of_snapshots_are_all_there() -> None:
    assert {key for section, key, _ in SETTINGS if section == "snapshots"} == {
        name.replace("_", "-") for name in SnapshotSettings.__slots__
    }
    assert CommitLogSettings().retention, "the log is shortened unless somebody says otherwise"
