"""Going back when a newer version has written the data: refused with the reason, and the backup offered."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from spacetimedb_update.installation.formats import can_open

from .scenarios import data_version, rows, write_data
from .world import FakeProcesses


@pytest.fixture
def upgraded(installed):
    """Upgraded from 2.9.0 to 2.10.0 with data of 2.9.0, which 2.10.0 has not touched yet."""
    tool = installed("2.9.0")
    write_data(tool.root, "2.9.0")
    assert tool("upgrade").exit == 0
    return tool


def start_server(tool, version="2.10.0"):
    """What starting a server does to the data directory, as far as it matters here."""
    metadata = tool.root / "data" / "metadata.toml"
    metadata.write_text(f'version = "{version}"\nedition = "standalone"\n')
    (tool.root / "data" / "replicas" / "1" / "clog" / "more").write_bytes(b"written by 2.10.0")


def backups(tool):
    return sorted((tool.root / "update" / "backups").glob("before-*"))


@pytest.mark.parametrize(
    ("running", "disk", "opens"),
    [
        ("2.10.0", "2.10.0", True),
        ("2.10.5", "2.10.0", True),
        ("2.10.0", "2.10.5", True),  # the minor number decides
        ("2.11.0", "2.10.0", True),
        ("2.9.0", "2.10.0", False),
        ("3.0.0", "2.10.0", False),
        ("2.0.0", "1.12.0", True),
        ("1.12.0", "2.0.0", False),
        ("2.11.0-rc1", "2.10.0", False),
        ("2.11.0-rc1", "2.11.0-rc1", True),
        ("0.9.0", "0.8.0", False),
        ("dev", "2.10.0", True),  # nobody can tell
    ],
)
def test_which_version_opens_which_data(running, disk, opens):
    assert can_open(running, disk) is opens


def test_the_upgrade_backs_the_data_up_because_the_old_version_could_not_read_what_the_new_one_writes(
    upgraded,
):
    (backup,) = backups(upgraded)
    assert data_version(backup / "data") == "2.9.0"
    assert rows(backup / "data") == ["Ann", "Bea"]
    assert not (backup / "data" / "spacetime.pid").exists()
    assert not (backup / "data" / "cache").exists()


def test_no_backup_where_going_back_is_always_possible(installed):
    tool = installed("2.9.0")
    tool.put("2.10.7")
    tool("use", "2.10.7")
    write_data(tool.root, "2.9.0")
    tool("uninstall", "2.9.0", "-y")
    tool("install", "2.10.0", "--use")
    assert backups(tool) == []


def test_no_backup_on_request(installed):
    tool = installed("2.9.0")
    write_data(tool.root, "2.9.0")
    assert tool("upgrade", "--no-backup").exit == 0
    assert backups(tool) == []


def test_a_backup_needs_space(installed):
    tool = installed("2.9.0")
    write_data(tool.root, "2.9.0")
    with (tool.root / "data" / "replicas" / "1" / "clog" / "huge").open("wb") as sparse:
        sparse.truncate(1 << 43)
    outcome = tool("upgrade")
    assert outcome.exit == 1
    assert "--no-backup" in outcome.err
    assert tool.current() == "2.9.0"
    assert tool.leftovers() == []


def test_a_backup_of_a_running_server_has_one_state_of_its_database(installed):
    """SQLite's write-ahead log holds what the file does not yet: the copy has both."""
    tool = installed("2.9.0")
    write_data(tool.root, "2.9.0")
    with closing(sqlite3.connect(tool.root / "data" / "control-db" / "control.sqlite")) as database:
        database.execute("pragma journal_mode=wal")
        database.execute("insert into names values ('Cal')")
        database.commit()
        assert tool("upgrade").exit == 0
    (backup,) = backups(tool)
    assert rows(backup / "data") == ["Ann", "Bea", "Cal"]


def test_going_back_is_possible_until_the_new_version_has_written(upgraded):
    assert upgraded("rollback").exit == 0
    assert upgraded.current() == "2.9.0"
    assert data_version(upgraded.root / "data") == "2.9.0"


def test_afterwards_it_is_refused_with_the_reason_and_the_backup(upgraded):
    start_server(upgraded)
    outcome = upgraded("rollback")
    assert outcome.exit == 1
    assert "cannot go back to 2.9.0: the data directory was already written by 2.10.0" in outcome.err
    assert "A backup from before the upgrade to 2.10.0 exists (2026-03-01 12:00 UTC" in outcome.err
    assert "spacetime version rollback --restore-backup" in outcome.err
    assert upgraded.current() == "2.10.0"


def test_the_backup_is_put_back_and_the_present_data_kept(upgraded):
    start_server(upgraded)
    outcome = upgraded("rollback", "--restore-backup")
    assert outcome.exit == 0
    assert upgraded.current() == "2.9.0"
    assert data_version(upgraded.root / "data") == "2.9.0"
    assert rows(upgraded.root / "data") == ["Ann", "Bea"]
    (aside,) = (upgraded.root / "update" / "backups").glob("replaced-*")
    assert data_version(aside / "data") == "2.10.0"
    assert str(aside.relative_to(upgraded.root)) in outcome.err


@pytest.mark.parametrize(("answer", "goes_back"), [("y\n", True), ("n\n", False)])
def test_somebody_at_a_terminal_is_asked(upgraded, answer, goes_back):
    start_server(upgraded)
    upgraded.is_interactive = True
    outcome = upgraded("rollback", stdin=answer)
    assert "Put back the backup of 2026-03-01 12:00 UTC, and set the present data aside? [y/N]" in outcome.err
    assert (upgraded.current() == "2.9.0") is goes_back


def test_yes_asks_nothing_and_does_not_exchange_the_data(upgraded):
    start_server(upgraded)
    upgraded.is_interactive = True
    outcome = upgraded("rollback", "-y", stdin="y\n")
    assert outcome.exit == 1
    assert "`spacetime version rollback --restore-backup` puts it back" in outcome.err
    assert data_version(upgraded.root / "data") == "2.10.0"


def test_a_running_server_keeps_its_data(upgraded):
    start_server(upgraded)
    (upgraded.root / "data" / "spacetime.pid").write_text("5")
    upgraded.processes = FakeProcesses({5: "/usr/bin/python -m spacetimedb_standalone start"})
    outcome = upgraded("rollback", "--restore-backup")
    assert outcome.exit == 1
    assert "a server (process 5) uses the data directory: stop it" in outcome.err


def test_without_a_backup_the_refusal_says_so(installed):
    tool = installed("2.9.0")
    write_data(tool.root, "2.9.0")
    tool("upgrade", "--no-backup")
    start_server(tool)
    outcome = tool("rollback")
    assert outcome.exit == 1
    assert "there is no backup from before" in outcome.err


def test_a_data_directory_that_does_not_say_who_wrote_it(upgraded):
    (upgraded.root / "data" / "metadata.toml").write_text("version =")
    outcome = upgraded("rollback")
    assert outcome.exit == 1
    assert "metadata.toml does not tell which version wrote it" in outcome.err


def test_gc_keeps_the_newest_backup(upgraded):
    start_server(upgraded, "2.9.0")
    upgraded("use", "2.9.0")
    upgraded.clock.advance(hours=2)
    upgraded("upgrade")
    first, second = backups(upgraded)
    outcome = upgraded("gc", "-y")
    assert f"delete the backup {first.name}" in outcome.out
    assert backups(upgraded) == [second]


def test_names_in_the_backup_do_not_depend_on_the_place(upgraded):
    (backup,) = backups(upgraded)
    assert os.listdir(backup / "data" / "replicas" / "1") == ["clog"]  # noqa: PTH208
