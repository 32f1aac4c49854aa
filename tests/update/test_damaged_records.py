"""What the version manager notes down, damaged: nothing that still works stops working, nothing is lost."""

from __future__ import annotations

import pytest

from .scenarios import write_data
from .world import FakeProcesses, RealFiles, Tool


@pytest.fixture
def two(installed) -> Tool:
    return installed("2.9.0", "2.10.0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"operation": "install"}',
        '{"operation": "install", "version": 2, "started": "2026-01-01T00:00:00"}',
        '{"operation": "install", "version": "../../x", "started": "2026-01-01T00:00:00"}',
        '{"operation": "use", "version": "2.9.0", "started": "2026-01-01", "backup": ["x"], "aside": "y"}',
        '{"operation": "use", "version": "2.9.0", "started": 1}',
    ],
)
def test_the_journal(two, text):
    (two.root / "update" / "journal.json").write_text(text)
    assert two("doctor").exit in (0, 1)
    outcome = two("use", "2.9.0")
    assert outcome.exit == 0, outcome.err
    assert two.current() == "2.9.0"
    assert two.leftovers() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"taken": "x", "written_by": "2.9.0", "before": "2.10.0"}']
)
def test_a_backup_that_does_not_say_what_it_is(two, text):
    folder = two.root / "update" / "backups" / "before-2.10.0-x"
    (folder / "data").mkdir(parents=True)
    (folder / "backup.json").write_text(text)
    assert two("list").out == "2.10.0 (current)\n2.9.0\n"
    assert two("gc", "-y").exit == 0
    assert two("rollback").exit == 0
    assert (folder / "data").is_dir()


def test_backups_with_and_without_a_time_zone_are_ordered(two):
    for name, taken in (("a", "2026-01-01T00:00:00"), ("b", "2026-01-02T00:00:00+00:00")):
        folder = two.root / "update" / "backups" / name
        (folder / "data").mkdir(parents=True)
        (folder / "backup.json").write_text(
            f'{{"taken": "{taken}", "written_by": "2.9.0", "before": "2.10.0"}}'
        )
    assert two("gc", "--dry-run").out == "delete the backup a\n"


@pytest.mark.parametrize("text", ["0", "99999999999999999999", "-5", "²", ""])
def test_a_pid_file_that_names_no_process(two, text):
    (two.root / "data").mkdir(exist_ok=True)
    (two.root / "data" / "spacetime.pid").write_text(text)
    two.processes = FakeProcesses({0: "spacetimedb-standalone start"})
    assert two("uninstall", "2.9.0", "-y").exit == 0


@pytest.mark.parametrize("text", ["version =", "edition = 'standalone'", "version = 3"])
def test_data_whose_writer_cannot_be_told_only_stops_what_depends_on_it(two, text):
    write_data(two.root, "2.10.0")
    (two.root / "data" / "metadata.toml").write_text(text)
    assert two("list").out == "2.10.0 (current)\n2.9.0\n"
    assert two("use", "2.9.0").exit == 0
    assert two("use", "2.10.0").exit == 0
    assert "PROBLEM  data: " in two("doctor").out
    outcome = two("rollback")
    assert outcome.exit == 1
    assert "metadata.toml does not tell which version wrote it: restore it from a backup" in outcome.err


def test_data_that_may_not_be_read_is_no_reason_to_list_nothing(two):
    class Closed(RealFiles):
        def open_read(self, path):
            if path.name in ("metadata.toml", "spacetime.pid"):
                raise PermissionError(13, "Permission denied", str(path))
            return super().open_read(path)

    write_data(two.root, "2.10.0")
    two.files = Closed()
    assert two("list").exit == 0
    outcome = two("rollback")
    assert outcome.exit == 1
    assert "data/metadata.toml: permission denied" in outcome.err
