"""`spacetime version doctor`: each trouble is found, and the command that mends it is named."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath

import pytest

from spacetimedb_paths import Platform
from spacetimedb_update.ports.files import RealFiles

from .world import FakeProcesses, QuickFiles


@pytest.fixture
def healthy(installed):
    """Upgraded, with the command first on PATH."""
    tool = installed("2.9.0")
    tool("upgrade")
    tool.environment["PATH"] = f"{tool.root}:/usr/bin"
    import os

    now = tool.clock.now().timestamp()
    for path in (tool.root / "update" / "metadata").iterdir():
        os.utime(path, (now, now))
    return tool


def findings(tool):
    outcome = tool("doctor", "--json")
    table = json.loads(outcome.out)
    assert table["ok"] is (outcome.exit == 0)
    return [finding for finding in table["findings"] if finding["status"] != "ok"]


def the_finding(tool):
    (found,) = findings(tool)
    return found


def test_nothing_is_wrong(healthy):
    outcome = healthy("doctor")
    assert outcome.exit == 0, outcome.out
    assert all(line.startswith("ok ") for line in outcome.out.splitlines())
    assert findings(healthy) == []


def test_every_check_says_something(healthy):
    checks = [finding["check"] for finding in json.loads(healthy("doctor", "--json").out)["findings"]]
    assert set(checks) == {
        *("path", "command", "current", "links", "pin", "versions", "interrupted", "permissions", "disk"),
        *("data", "metadata", "clock", "server", "pid"),
    }


def test_a_finding_is_shown_with_its_command(healthy):
    (healthy.bin / "2.9.0" / "spacetimedb-cli").unlink()
    outcome = healthy("doctor")
    assert outcome.exit == 1
    assert "PROBLEM  versions: 2.9.0 is damaged: spacetimedb-cli is missing" in outcome.out
    assert "-> spacetime version install 2.9.0" in outcome.out


def test_another_command_of_that_name_comes_first(healthy, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "spacetime").write_bytes(b"#!/bin/sh\n")
    (other / "spacetime").chmod(0o755)
    healthy.environment["PATH"] = f"{other}:{healthy.root}"
    found = the_finding(healthy)
    assert (found["check"], found["status"]) == ("path", "problem")
    assert f"{other}/spacetime comes before" in found["message"]
    assert found["mend"] == f'export PATH="{healthy.root}:$PATH"'


def test_the_command_is_not_on_path(healthy):
    healthy.environment["PATH"] = "/usr/bin"
    assert the_finding(healthy)["mend"] == f"{healthy.root}/spacetime self-install --modify-path"


def test_the_command_is_gone(healthy):
    (healthy.root / "spacetime").unlink()
    program = healthy.host.program
    assert the_finding(healthy)["mend"] == f"{program} --root-dir {healthy.root} self-install"


def test_the_command_leads_nowhere(healthy):
    (healthy.root / "spacetime").unlink()
    (healthy.root / "spacetime").symlink_to("bin/2.8.0/spacetimedb-update")
    assert the_finding(healthy)["mend"] == "spacetime version install 2.8.0"


def test_the_command_belongs_to_somebody_else(healthy):
    (healthy.root / "spacetime").unlink()
    (healthy.root / "spacetime").write_bytes(b"\x7fELF")
    assert the_finding(healthy)["mend"] == "spacetime version upgrade"


def test_current_leads_to_what_is_not_there(healthy):
    (healthy.bin / "current").unlink()
    (healthy.bin / "current").symlink_to("2.8.0")
    found = the_finding(healthy)
    assert found["message"] == "version 2.8.0 is selected, but not installed"
    assert found["mend"] == "spacetime version install 2.8.0 --use"


def test_current_is_missing(healthy):
    (healthy.bin / "current").unlink()
    found = the_finding(healthy)
    assert found["message"] == "no version is selected"
    assert found["mend"] == "spacetime version use 2.10.0"


@pytest.mark.parametrize("target", ["current", "dev", "../.."])
def test_current_leads_to_what_cannot_be_installed(healthy, target):
    (healthy.bin / "current").unlink()
    (healthy.bin / "current").symlink_to(target)
    assert the_finding(healthy)["mend"] == "spacetime version use 2.10.0"
    assert healthy("use", "2.10.0").exit == 0
    assert findings(healthy) == []


def test_current_is_a_folder(healthy):
    (healthy.bin / "current").unlink()
    (healthy.bin / "current").mkdir()
    found = the_finding(healthy)
    assert "is no link" in found["message"]
    assert found["mend"] == f"mv '{healthy.bin}/current' '{healthy.bin}/current.old'"


def test_current_leads_in_a_circle(healthy):
    (healthy.bin / "current").unlink()
    (healthy.bin / "current").symlink_to("current")
    assert the_finding(healthy)["status"] == "problem"


def test_current_holds_a_whole_path(healthy):
    (healthy.bin / "current").unlink()
    (healthy.bin / "current").symlink_to(healthy.bin / "2.10.0")
    assert the_finding(healthy)["mend"] == "spacetime version use 2.10.0"
    assert healthy("use", "2.10.0").exit == 0
    assert healthy.current() == "2.10.0"
    assert findings(healthy) == []


def test_a_link_leads_nowhere(healthy, tmp_path):
    healthy("link", "dev", str(healthy.put("2.8.0")))
    import shutil

    shutil.rmtree(healthy.bin / "2.8.0")
    assert the_finding(healthy)["mend"] == "spacetime version uninstall dev"


def test_a_pin_asks_for_what_is_not_there(healthy):
    (healthy.root.parent / ".spacetime-version").write_text("2.8.0\n")
    found = the_finding(healthy)
    assert ".spacetime-version asks for version 2.8.0, which is not installed" in found["message"]
    assert found["mend"] == "spacetime version install 2.8.0"


def test_a_pin_that_cannot_be_read(healthy):
    (healthy.root.parent / "spacetime.json").write_text('{"spacetime-version": 3}')
    assert "cannot tell which version" in the_finding(healthy)["message"]


def test_a_damaged_version(healthy):
    (healthy.bin / "2.10.0" / "runtime/lib/text.py").write_bytes(b"x")
    found = the_finding(healthy)
    assert found["message"].startswith("2.10.0 is damaged: runtime/lib/text.py has 1 bytes")
    assert found["mend"] == "spacetime version install 2.10.0"


def test_an_interrupted_change(healthy):
    journal = '{"operation": "install", "version": "2.10.0", "started": "2026-03-01T11:00:00+00:00"}'
    (healthy.root / "update" / "journal.json").write_text(journal)
    assert "`install 2.10.0` was interrupted at 2026-03-01 11:00 UTC" in the_finding(healthy)["message"]


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        ("mode", "chmod u+rwx {bin}"),
        ("owner", 'sudo chown -R "$(id -un)" {bin}'),
        ("file system", "mount the file system of {bin} so that it can be written, or use another root"),
    ],
)
def test_a_folder_that_cannot_be_written(healthy, reason, mend):
    class ReadOnly(QuickFiles):
        def may_write(self, directory):
            return directory.name != "bin"

        def obstacle(self, directory):
            return reason

    healthy.files = ReadOnly()
    assert the_finding(healthy)["mend"] == mend.format(bin=healthy.bin)


def test_real_files_tell_what_keeps_them_from_writing(tmp_path):
    assert RealFiles().obstacle(tmp_path) == "mode"


def test_little_space(healthy):
    class Small(QuickFiles):
        def free_bytes(self, path):
            return 5 << 20

    healthy.files = Small()
    found = the_finding(healthy)
    assert "only 5 MiB are free" in found["message"]
    assert found["mend"] == "spacetime version gc"


def test_expired_metadata(healthy):
    healthy.clock.advance(days=8)
    found = the_finding(healthy)
    assert "the stored timestamp metadata expired on 2026-03-08 12:00 UTC" in found["message"]
    assert found["mend"] == "spacetime version list --all"


def test_damaged_metadata(healthy):
    (healthy.root / "update" / "metadata" / "targets.json").write_bytes(b"{")
    assert {finding["check"] for finding in findings(healthy)} >= {"metadata"}


def test_a_clock_that_is_behind(healthy):
    healthy.clock._now -= timedelta(days=30)
    found = the_finding(healthy)
    assert (found["check"], found["mend"]) == ("clock", "timedatectl set-ntp true")


def test_a_server_older_than_the_command_line(healthy):
    (healthy.root / "data").mkdir()
    (healthy.root / "data" / "spacetime.pid").write_text("91")
    healthy.processes = FakeProcesses({91: f"{healthy.bin.resolve()}/2.9.0/spacetimedb-standalone start"})
    found = the_finding(healthy)
    assert (
        "the running server (process 91) is version 2.9.0, older than the selected 2.10.0" in found["message"]
    )
    assert found["mend"] == "kill 91 && spacetime start"


@pytest.mark.parametrize("command", [None, "/usr/bin/vim"])
def test_a_stale_pid(healthy, command):
    """The process is gone, or its number belongs to another program now."""
    (healthy.root / "data").mkdir()
    (healthy.root / "data" / "spacetime.pid").write_text("91")
    healthy.processes = FakeProcesses({91: command} if command else {})
    found = the_finding(healthy)
    assert "names process 91, which is no server any more" in found["message"]
    assert found["mend"] == f"rm '{healthy.root}/data/spacetime.pid'"


def test_a_root_that_is_a_file(tool):
    tool.root.write_text("I am a file")
    outcome = tool("doctor")
    assert outcome.exit == 1
    assert "a file stands where a folder should be" in outcome.out


def test_nothing_is_changed_by_looking(healthy):
    before = sorted((path, path.lstat().st_mtime_ns) for path in healthy.root.rglob("*"))
    (healthy.bin / "2.9.0" / "spacetimedb-cli").chmod(0o644)
    healthy("doctor")
    assert sorted((path, path.lstat().st_mtime_ns) for path in healthy.root.rglob("*")) == before


def test_real_files_tell_the_space(tmp_path):
    assert RealFiles().free_bytes(tmp_path / "not" / "there") > 0


@pytest.mark.parametrize("name", ["plain", "with a blank", "it's"])
def test_the_commands_are_for_the_root_that_was_named(tool, tmp_path, name):
    """As they are told, they can be run."""
    tool.root = tmp_path / name
    found = json.loads(tool("doctor", "--json").told)["findings"]
    (mend,) = [finding["mend"] for finding in found if finding["check"] == "current"]
    assert shlex.split(mend) == ["spacetime", "--root-dir", str(tool.root), "version", "upgrade"]
    outcome = tool("use", "2.10.0")
    _, command, _ = outcome.told.split("`")
    words = ["spacetime", "--root-dir", str(tool.root), "version", "install", "2.10.0", "--use"]
    assert shlex.split(command) == words


def test_without_a_root_the_commands_need_none(tool, tmp_path):
    platform = Platform("linux", {"HOME": str(tmp_path)}, PurePosixPath(tmp_path))
    tool.machine = replace(tool.machine, platform=platform)
    outcome = tool.raw("version", "use", "2.10.0")
    assert "`spacetime version install 2.10.0 --use` installs and selects it" in outcome.told
