"""The changes that are killed and failed in every possible place: from where, how, and to what."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from .world import NOW, QuickFiles, Tool


class FilesWithoutExchange(QuickFiles):
    """A system that cannot swap two names in one step."""

    def exchange(self, first: Path, second: Path) -> bool:
        return False


@dataclass(frozen=True)
class Scenario:
    """`prepare` makes the installation that `arguments` then change.

    Before the change `before` is selected, after it `after`; `goes` is removed, `data` is the version
    that the data directory then belongs to (None: there is none).
    """

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Tool], None]
    before: str
    after: str
    command: str | None = None
    goes: str | None = None
    data: tuple[str, str] | None = None
    files: type[QuickFiles] = field(default=QuickFiles)

    def check_selected_works(self, tool: Tool) -> None:
        """Whatever happened: what is selected is whole, and is the old version or the new."""
        selected = tool.current()
        assert selected in (self.before, self.after), selected
        assert tool.has_whole(selected)
        if (tool.root / "spacetime").is_symlink():
            assert (tool.root / "spacetime").resolve().is_file()

    def is_finished(self, tool: Tool) -> bool:
        """Had the change come to its end, so that the same command would be another one?"""
        if (tool.root / "update" / "journal.json").exists():
            return False
        if self.goes is not None:
            return not (tool.bin / self.goes).exists()
        return self.arguments[0] == "rollback" and tool.current() == self.after

    def check_done(self, tool: Tool) -> None:
        """The change was made, and nothing of its making is left."""
        assert tool.current() == self.after
        assert tool.has_whole(self.after)
        assert not tool.leftovers(), tool.leftovers()
        if self.command is not None:
            assert str((tool.root / "spacetime").readlink()) == f"bin/{self.command}/spacetimedb-update"
        if self.goes is not None:
            assert not (tool.bin / self.goes).exists()
        if self.data is not None:
            assert data_version(tool.root / "data") == self.data[1]
        for backup in (tool.root / "update" / "backups").glob("before-*"):
            assert (backup / "backup.json").exists() and rows(backup / "data") == ["Ann", "Bea"]


def write_data(root: Path, version: str) -> None:
    """A data directory with a database that SQLite keeps, and logs."""
    data = root / "data"
    (data / "control-db").mkdir(parents=True)
    (data / "metadata.toml").write_text(f'version = "{version}"\nedition = "standalone"\n')
    with closing(sqlite3.connect(data / "control-db" / "control.sqlite")) as database:
        database.execute("create table names (name)")
        database.executemany("insert into names values (?)", [("Ann",), ("Bea",)])
        database.commit()
    log = data / "replicas" / "1" / "clog" / "00000000000000000000.stdb.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"(ds)^2" + bytes(100))
    (data / "spacetime.pid").write_text("1")
    (data / "cache").mkdir()
    (data / "cache" / "compiled").write_bytes(bytes(1000))


def data_version(data: Path) -> str:
    return (data / "metadata.toml").read_text().split('"')[1]


def rows(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "control-db" / "control.sqlite")) as database:
        return [name for (name,) in database.execute("select name from names")]


def _install(tool: Tool, *versions: str) -> None:
    for version in versions:
        assert tool("install", version, "--use").exit == 0


def _one(tool: Tool) -> None:
    _install(tool, "2.9.0")


def _damaged(tool: Tool) -> None:
    _install(tool, "2.10.0", "2.9.0")
    (tool.bin / "2.10.0" / "spacetimedb-standalone").write_bytes(b"")


def _one_with_data(tool: Tool) -> None:
    _install(tool, "2.9.0")
    write_data(tool.root, "2.9.0")


def _two(tool: Tool) -> None:
    _install(tool, "2.9.0", "2.10.0")


def _two_back(tool: Tool) -> None:
    _install(tool, "2.10.0", "2.9.0")


def _upgraded_with_data(tool: Tool) -> None:
    _one_with_data(tool)
    assert tool("upgrade").exit == 0
    tool.clock.advance(hours=1)
    metadata = tool.root / "data" / "metadata.toml"
    metadata.write_text(metadata.read_text().replace("2.9.0", "2.10.0"))


def _home_is_leaving(tool: Tool) -> None:
    _install(tool, "2.9.0", "2.10.0")
    (tool.root / "spacetime").symlink_to("bin/2.9.0/spacetimedb-update")


def _old_command(tool: Tool) -> None:
    _install(tool, "2.9.0", "2.10.0")
    (tool.root / "spacetime").symlink_to("bin/2.9.0/spacetimedb-update")


ROLLBACK_WITH_DATA = Scenario(
    "rollback with the data of before",
    ("rollback", "--restore-backup"),
    _upgraded_with_data,
    before="2.10.0",
    after="2.9.0",
    command="2.10.0",
    data=("2.10.0", "2.9.0"),
)

SCENARIOS = (
    Scenario("install", ("install", "2.10.0", "--use"), _one, "2.9.0", "2.10.0"),
    Scenario("install over a damaged version", ("install", "2.10.0"), _damaged, "2.9.0", "2.9.0"),
    Scenario("upgrade", ("upgrade",), _one_with_data, "2.9.0", "2.10.0", "2.10.0", data=("2.9.0", "2.9.0")),
    Scenario("use", ("use", "2.10.0"), _two_back, "2.9.0", "2.10.0"),
    Scenario("rollback", ("rollback",), _two, "2.10.0", "2.9.0"),
    ROLLBACK_WITH_DATA,
    replace(
        ROLLBACK_WITH_DATA, name="rollback with the data of before, in two steps", files=FilesWithoutExchange
    ),
    Scenario(
        "uninstall",
        ("uninstall", "2.9.0", "-y"),
        _home_is_leaving,
        "2.10.0",
        "2.10.0",
        "2.10.0",
        goes="2.9.0",
    ),
    Scenario("self-update", ("upgrade",), _old_command, "2.10.0", "2.10.0", "2.10.0"),
)


def the_day_after(tool: Tool) -> None:
    """Time passes between a crash and the next run."""
    assert tool.clock.now() >= NOW
    tool.clock.advance(hours=20)
