"""Two releases from the first `curl … | sh` to the last trace: no Python on PATH, no network but this machine's.

What is run are the files that users download; `scripts/test-release` builds them first.
"""

import json
import re
import shutil

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def versions(releases):
    """The version of the first release and of the second."""
    return tuple((releases / part / "latest-version").read_text().strip() for part in ("first", "second"))


def test_there_is_no_python_to_fall_back_on(new_machine):
    machine = new_machine()
    for name in ("python", "python3", "python3.11"):
        assert machine.run("sh", "-c", f"command -v {name}", expect=None).code != 0
    if machine.hidden:
        for folder in machine.hidden:
            assert machine.run("ls", "-A", folder).out == ""


def test_installing_tells_where_everything_goes(new_machine, versions):
    machine = new_machine()
    done = machine.install()
    assert str(machine.root) in done.err
    assert f'export PATH="{machine.root}:$PATH"' in done.err
    assert machine.installed == [versions[0]]
    assert machine.current == versions[0]
    assert (machine.root / "spacetime").is_symlink()
    assert list((machine.folder / "tmp dir").iterdir()) == [], (
        "nothing of the installation may be left behind"
    )


def test_installing_with_wget(new_machine, mirror, versions):
    machine = new_machine()
    machine.lacks("curl")
    machine.install(fetch=("wget", "-qO-"))
    assert f"tool version {versions[0]};" in machine.spacetime("--version").out
    assert len([path for path in mirror.asked if path.endswith(".tar.gz")]) == 1


def test_the_archive_is_downloaded_once(new_machine, mirror, versions):
    new_machine().install()
    assert len([path for path in mirror.asked if path.endswith(".tar.gz")]) == 1


def test_version_and_help_tell_of_the_installed_programs(machine, versions):
    told = machine.spacetime("--version").out.splitlines()
    folder = machine.root / "bin" / versions[0]
    assert told[0] in (
        f"spacetime Path: {folder}/spacetimedb-cli",
        f"spacetime Path: {machine.root}/bin/current/spacetimedb-cli",
    )
    commit = json.loads((folder / "release.json").read_text())["commit"]
    assert told[1:] == [
        f"Commit: {commit}",
        f"spacetimedb tool version {versions[0]}; spacetimedb-lib version {versions[0]};",
    ]
    assert "Commands:" in machine.spacetime("--help").out
    assert machine.spacetime("publish", "--help").out.startswith("Usage: spacetime publish")


def test_a_module_is_published_and_called(machine):
    url = machine.start_server()
    machine.spacetime("server", "add", "here", "--url", url, "--default", "--no-fingerprint")
    machine.spacetime("login", "--server-issued-login", "here")
    machine.spacetime("publish", "chat", "--bin-path", str(machine.chat_module), "--yes")
    machine.spacetime("call", "chat", "say", "1", '"hello from a release"')
    query = "SELECT text FROM message WHERE room = 1"
    assert "hello from a release" in machine.spacetime("sql", "chat", query).out
    assert machine.stop_server() == 0
    url = machine.start_server()
    machine.spacetime("server", "add", "again", "--url", url, "--default", "--no-fingerprint")
    assert "hello from a release" in machine.spacetime("sql", "chat", query).out


def test_a_second_release_and_back(machine, mirror, releases, versions):
    first, second = versions
    mirror.folder = releases / "second"
    assert machine.version("list", "--all").out.split() == [second, first, "(current)"]
    machine.version("install", second)
    assert machine.version("list").out == f"{second}\n{first} (current)\n"
    assert f"tool version {first};" in machine.spacetime("--version").out
    assert (
        f"tool version {second};"
        in machine.run(
            str(machine.root / "spacetime"), f"+{second}", f"--root-dir={machine.root}", "--version"
        ).out
    )
    assert f"tool version {second};" in machine.spacetime("--version", SPACETIME_VERSION=second).out
    machine.version("use", second)
    assert f"tool version {second};" in machine.spacetime("--version").out
    machine.version("rollback", "--yes")
    assert machine.current == first
    machine.version("verify")
    assert machine.version("use", "9.9.9", expect=1).err.startswith("Error: ")
    assert machine.current == first


def test_upgrading_and_rolling_back(machine, mirror, releases, versions):
    first, second = versions
    mirror.folder = releases / "second"
    machine.version("upgrade")
    assert machine.current == second
    assert machine.installed == sorted(versions)
    assert f"tool version {second};" in machine.spacetime("--version").out
    machine.version("rollback", "--yes")
    assert f"tool version {first};" in machine.spacetime("--version").out
    assert (
        "cannot uninstall currently used version" in machine.version("uninstall", first, "-y", expect=1).err
    )
    machine.version("use", second)
    machine.version("uninstall", first, "--yes")
    assert machine.installed == [second]
    assert f"tool version {second};" in machine.spacetime("--version").out


def test_the_server_that_ran_before_an_upgrade_keeps_its_data(machine, mirror, releases, versions):
    url = machine.start_server()
    machine.spacetime("server", "add", "here", "--url", url, "--default", "--no-fingerprint")
    machine.spacetime("login", "--server-issued-login", "here")
    machine.spacetime("publish", "chat", "--bin-path", str(machine.chat_module), "--yes")
    machine.spacetime("call", "chat", "say", "1", '"said before"')
    machine.stop_server()
    mirror.folder = releases / "second"
    machine.version("upgrade")
    url = machine.start_server()
    machine.spacetime("server", "add", "after", "--url", url, "--default", "--no-fingerprint")
    assert "said before" in machine.spacetime("sql", "chat", "SELECT text FROM message WHERE room = 1").out
    machine.stop_server()
    refused = machine.version("rollback", "--yes", expect=1)
    assert "--restore-backup" in refused.err
    assert machine.current == versions[1]
    machine.version("rollback", "--restore-backup", "--yes")
    assert machine.current == versions[0]
    url = machine.start_server()
    machine.spacetime("server", "add", "back", "--url", url, "--default", "--no-fingerprint")
    assert "said before" in machine.spacetime("sql", "chat", "SELECT text FROM message WHERE room = 1").out


def test_an_older_version_by_the_installer(new_machine, mirror, releases, versions):
    mirror.folder = releases / "second"
    machine = new_machine()
    machine.install("--version", versions[0])
    assert machine.current == versions[0]


def test_a_bundle_for_a_machine_without_a_network(
    machine, new_machine, installed_root, mirror, releases, versions, tmp_path
):
    mirror.folder = releases / "second"
    bundle = tmp_path / "für unterwegs.bundle"
    machine.version("bundle", "export", str(bundle), versions[1])
    away = new_machine("far away")
    shutil.copytree(installed_root, away.root, symlinks=True)
    away.environment["SPACETIME_UPDATE_RELEASES_URL"] = "http://127.0.0.1:1"
    away.version("bundle", "install", str(bundle), "--use")
    assert f"tool version {versions[1]};" in away.spacetime("--version").out
    away.version("verify", versions[1])


def test_a_mirror_that_serves_something_else(machine, mirror, releases, versions, tmp_path):
    bad = tmp_path / "tampered"
    shutil.copytree(releases / "second", bad)
    for archive in bad.glob(f"targets/{versions[1]}/*.tar.gz"):
        data = bytearray(archive.read_bytes())
        data[len(data) // 2] ^= 1
        archive.write_bytes(data)
    mirror.folder = bad
    refused = machine.version("install", versions[1], "--use", expect=1)
    assert "is damaged or was tampered with" in refused.err
    assert machine.installed == [versions[0]]
    assert f"tool version {versions[0]};" in machine.spacetime("--version").out
    fresh = machine.run("curl", "-sSf", f"{machine.mirror}/install.sh").out
    options = ["--yes", "--root-dir", str(machine.root), "--version", versions[1]]
    script = machine.run("sh", "-s", "--", *options, given=fresh, expect=1)
    assert "is not what was released" in script.err
    assert machine.installed == [versions[0]]


def test_nothing_in_the_runtime_changes_when_it_runs(machine, versions):
    machine.spacetime("server", "list")
    machine.start_server()
    machine.stop_server()
    machine.version("verify")


def test_the_doctor_finds_a_damaged_file(machine, versions):
    healthy = json.loads(machine.version("doctor", "--json", expect=None).out)
    machine.version("verify", versions[0])
    damaged = machine.root / "bin" / versions[0] / "cli.default.toml"
    damaged.chmod(0o644)
    damaged.write_text("# changed\n")
    assert machine.version("verify", versions[0], expect=1)
    found = machine.version("doctor", "--json", expect=1)
    assert json.loads(found.out) != healthy
    assert "cli.default.toml" in machine.version("verify", versions[0], expect=1).err + found.out


def test_removing_everything_but_the_data(new_machine):
    machine = new_machine()
    machine.install()
    machine.start_server()
    machine.stop_server()
    machine.spacetime("self-uninstall", "--yes")
    assert not (machine.root / "spacetime").exists()
    assert not (machine.root / "bin").exists() or machine.installed == []
    assert (machine.root / "data").is_dir()


def test_the_programs_run_from_wherever_the_folder_is_moved_to(machine, versions, tmp_path):
    moved = tmp_path / "moved elsewhere ß"
    machine.root.rename(moved)
    machine.root = moved
    assert re.search(re.escape(f"tool version {versions[0]};"), machine.spacetime("--version").out)
