"""Setting everything up, and taking all of it away but what is the user's own."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from spacetimedb_cli.app import Root as CommandLine
from spacetimedb_cli.commands import login as login_commands
from spacetimedb_cli.commands import server as server_commands
from spacetimedb_paths import Platform
from spacetimedb_update.selfinstall import completions, search_path
from spacetimedb_update.selfinstall.search_path import (
    StartUpFile,
    add_to_user_path,
    remove_from,
    remove_from_user_path,
    start_up_files,
)

from .scenarios import write_data
from .world import BASE, Publisher, QuickFiles, linux, release_archive


@pytest.fixture
def fresh(tool, tmp_path):
    """A machine with a home and nothing installed."""
    home = tmp_path / "home"
    home.mkdir()
    tool.environment |= {"HOME": str(home), "SHELL": "/bin/bash", "PATH": "/usr/bin"}
    tool.machine = replace(linux(), platform=Platform("linux", tool.environment, PurePosixPath(home)))
    return tool


def install(tool, *arguments, stdin=""):
    return tool.raw("self-install", "--root-dir", str(tool.root), *arguments, stdin=stdin)


# --- installing ---


def test_it_asks_and_yes_is_the_default(fresh):
    outcome = install(fresh, stdin="\n")
    assert outcome.exit == 0
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert lines[0] == "The SpacetimeDB command line tool will now be installed into {root}"
    assert lines[1] == "Would you like to continue? [Y/n] Downloading latest version..."
    assert "The `spacetime` command has been installed as {root}/spacetime" in lines
    assert lines[-2:] == [
        "The install process is complete; check out our quickstart guide to get started!",
        "\t<https://spacetimedb.com/docs/>",
    ]


def test_everything_is_in_place(fresh):
    assert install(fresh, "-y").exit == 0
    assert fresh.current() == "2.10.0"
    assert fresh.has_whole("2.10.0")
    assert str((fresh.root / "spacetime").readlink()) == "bin/2.10.0/spacetimedb-update"
    assert (fresh.root / "config").is_dir() and (fresh.root / "data").is_dir()
    assert fresh.leftovers() == []


@pytest.mark.parametrize("answer", ["n\n", "no\n", "what?\n"])
def test_without_a_yes_nothing_is_touched(fresh, answer):
    outcome = install(fresh, stdin=answer)
    assert outcome.exit == 1
    assert outcome.err.endswith("Exiting.\n")
    assert not fresh.root.exists()


def test_where_nobody_can_answer_nothing_is_touched(fresh):
    outcome = install(fresh, stdin="")
    assert outcome.exit == 1
    assert "--yes goes on without asking" in outcome.err
    assert not fresh.root.exists()


def test_without_a_root_it_shows_the_four_places(fresh):
    home = fresh.environment["HOME"]
    outcome = fresh.raw("self-install", stdin="n\n")
    assert outcome.err.splitlines()[:5] == [
        "The SpacetimeDB command line tool will now be installed:",
        f"\tCLI configuration directory: {home}/.config/spacetime",
        f"\t`spacetime` binary: {home}/.local/bin/spacetime",
        f"\tdirectory for installed SpacetimeDB versions: {home}/.local/share/spacetime/bin",
        f"\tdatabase directory: {home}/.local/share/spacetime/data",
    ]


def test_the_default_places_get_an_absolute_link_and_completions_where_shells_look(fresh):
    home = Path(fresh.environment["HOME"])
    assert fresh.raw("self-install", "-y").exit == 0
    command = home / ".local/bin/spacetime"
    assert str(command.readlink()) == f"{home}/.local/share/spacetime/bin/2.10.0/spacetimedb-update"
    for path in (
        ".local/share/bash-completion/completions/spacetime",
        ".local/share/zsh/site-functions/_spacetime",
        ".config/fish/completions/spacetime.fish",
    ):
        assert (home / path).is_file(), path


def test_a_certain_version_can_be_asked_for(fresh):
    outcome = install(fresh, "-y", "--version", "2.9.0")
    assert outcome.exit == 0
    assert "Downloading latest version..." not in outcome.err
    assert fresh.current() == "2.9.0"


def test_an_archive_at_hand_is_used_instead_of_the_network(fresh, publisher, tmp_path):
    at_hand = tmp_path / "already.tar.gz"
    at_hand.write_bytes(release_archive("2.10.0"))
    signed = publisher.folder / "repository/targets/2.10.0/spacetime-x86_64-unknown-linux-gnu.tar.gz"
    shutil.copyfile(signed, at_hand)
    fresh.net.requests.clear()
    assert install(fresh, "-y", "--archive", str(at_hand)).exit == 0
    assert "spacetime-x86_64-unknown-linux-gnu.tar.gz" not in fresh.net.asked()


def test_an_archive_at_hand_that_is_another_one_is_not_believed(fresh, publisher, tmp_path):
    signed = publisher.folder / "repository/targets/2.10.0/spacetime-x86_64-unknown-linux-gnu.tar.gz"
    at_hand = tmp_path / "already.tar.gz"
    at_hand.write_bytes(signed.read_bytes()[:-1] + b"?")
    assert install(fresh, "-y", "--archive", str(at_hand)).exit == 0
    assert fresh.has_whole("2.10.0")
    assert "spacetime-x86_64-unknown-linux-gnu.tar.gz" in fresh.net.asked()


def test_from_a_bundle_without_a_network(fresh, tool, tmp_path):
    bundle = tmp_path / "b.tar"
    assert tool("bundle", "export", str(bundle), "2.9.0").exit == 0
    shutil.rmtree(fresh.root)
    fresh.net.files.clear()
    assert install(fresh, "-y", "--bundle", str(bundle)).exit == 0
    assert fresh.current() == "2.9.0"


def test_again_over_an_installation_of_the_public_tool(fresh):
    """There the command is a copy of the program, and nothing is signed."""
    fresh.put("2.8.0")
    (fresh.bin / "current").symlink_to("2.8.0")
    (fresh.root / "spacetime").write_bytes(b"\x7fELF")
    assert install(fresh, "-y").exit == 0
    assert str((fresh.root / "spacetime").readlink()) == "bin/2.10.0/spacetimedb-update"
    assert fresh("rollback").exit == 0
    assert fresh.current() == "2.8.0"


@pytest.mark.parametrize(
    ("machine", "text"),
    [
        (linux(libc="musl"), "there are no releases for musl systems such as Alpine"),
        (linux(bits=32), "there are no releases for 32-bit systems"),
        (linux("riscv64"), "there are no releases for riscv64-unknown-linux-gnu"),
    ],
)
def test_machines_without_releases(fresh, machine, text):
    fresh.machine = machine
    outcome = install(fresh, "-y")
    assert outcome.exit == 1
    assert text in outcome.err
    assert not fresh.root.exists()


def test_a_system_that_is_too_old_for_a_release(fresh, tmp_path):
    publisher = Publisher.create(tmp_path / "new")
    publisher.release("2.10.0", glibc="2.38")
    fresh.anchor = publisher.anchor
    fresh.net.files.clear()
    fresh.net.serve(BASE, publisher.files())
    outcome = install(fresh, "-y")
    assert outcome.exit == 1
    assert "this system has glibc 2.36, the release needs 2.38 or newer" in outcome.err


# --- PATH ---


def test_how_to_put_the_folder_on_path_is_told(fresh):
    outcome = install(fresh, "-y")
    assert '    export PATH="{root}:$PATH"\n' in outcome.err
    assert "--modify-path" in outcome.err


def test_nothing_is_told_where_it_is_on_path(fresh):
    fresh.environment["PATH"] = f"/usr/bin:{fresh.root}"
    assert "export PATH" not in install(fresh, "-y").err


def test_modify_path_edits_the_start_up_files_of_the_shell(fresh):
    home = Path(fresh.environment["HOME"])
    (home / ".bashrc").write_text("alias ll='ls -l'")
    assert install(fresh, "-y", "--modify-path").exit == 0
    block = f'# >>> spacetime >>>\nexport PATH="{fresh.root}:$PATH"\n# <<< spacetime <<<\n'
    assert (home / ".bashrc").read_text() == f"alias ll='ls -l'\n{block}"
    assert (home / ".profile").read_text() == block


def test_twice_is_as_good_as_once(fresh):
    home = Path(fresh.environment["HOME"])
    install(fresh, "-y", "--modify-path")
    once = (home / ".bashrc").read_text()
    install(fresh, "-y", "--modify-path")
    assert (home / ".bashrc").read_text() == once


def test_the_files_of_each_shell():
    home, folder = Path("/home/ann"), Path("/opt/s")

    def names(shell, **env):
        return [str(file.path) for file in start_up_files(folder, {"SHELL": shell, **env}, home)]

    assert names("/bin/bash") == ["/home/ann/.bashrc", "/home/ann/.profile"]
    assert names("/usr/bin/zsh") == ["/home/ann/.zshrc"]
    assert names("/usr/bin/zsh", ZDOTDIR="/z") == ["/z/.zshrc"]
    assert names("/usr/bin/fish") == ["/home/ann/.config/fish/conf.d/spacetime.fish"]
    assert names("") == ["/home/ann/.profile"]


@pytest.mark.parametrize("name", ["plain", "with blank", "$HOME", "`id`", 'a"b', "it's", "back\\slash", "名"])
def test_whatever_the_folder_is_called_the_shell_finds_it(tmp_path, name):
    line = search_path.export(tmp_path / name)
    done = subprocess.run(
        ["sh", "-c", f'PATH=/bin\n{line}\nprintf %s "$PATH"'], capture_output=True, text=True
    )
    assert done.stdout == f"{tmp_path / name}:/bin"


def test_a_start_up_file_gets_its_old_content_back(tmp_path):
    file = tmp_path / ".profile"
    file.write_text("one\ntwo\n")
    StartUpFile(file, "export PATH").add(QuickFiles())
    file.write_text(file.read_text() + "three\n")
    remove_from(QuickFiles(), file)
    assert file.read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize("before", ["one\n", ""])
def test_a_start_up_file_that_is_a_link_stays_one(tmp_path, before):
    """Many people keep these files in a repository of their own."""
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "profile").write_text(before)
    (tmp_path / ".profile").symlink_to("dotfiles/profile")
    StartUpFile(tmp_path / ".profile", "export PATH").add(QuickFiles())
    assert (tmp_path / ".profile").is_symlink()
    assert "export PATH" in (tmp_path / "dotfiles" / "profile").read_text()
    remove_from(QuickFiles(), tmp_path / ".profile")
    assert (tmp_path / ".profile").is_symlink()
    assert (tmp_path / "dotfiles" / "profile").read_text() == before


def test_a_start_up_file_keeps_its_permissions_and_bytes_that_are_no_utf8(tmp_path):
    file = tmp_path / ".profile"
    file.write_bytes(b"# Gr\xfc\xdfe\n")
    file.chmod(0o600)
    StartUpFile(file, "export PATH").add(QuickFiles())
    assert file.read_bytes().startswith(b"# Gr\xfc\xdfe\n# >>>")
    assert file.stat().st_mode & 0o777 == 0o600
    remove_from(QuickFiles(), file)
    assert file.read_bytes() == b"# Gr\xfc\xdfe\n"


class FakeUserPath:
    def __init__(self, value):
        self.value = value

    def read(self):
        return self.value

    def write(self, value):
        self.value = value


def test_the_path_of_a_windows_user():
    user_path = FakeUserPath("C:\\Tools;;D:\\x y")
    add_to_user_path(user_path, Path("C:/S"))
    add_to_user_path(user_path, Path("C:/S"))
    assert user_path.value == "C:\\Tools;D:\\x y;C:/S"
    remove_from_user_path(user_path, Path("C:/S"))
    assert user_path.value == "C:\\Tools;D:\\x y"


def test_on_windows_the_advice_is_another():
    assert search_path.advice(Path("C:/S"), windows=True)[1] == '    setx PATH "%PATH%;C:/S"'


# --- completions ---


def test_the_scripts_know_the_commands_that_there_are():
    """As far as they exist already: the others are known by their public names."""
    assert set(CommandLine.entries) <= set(completions.COMMANDS)
    for name, module in (("server", server_commands), ("login", login_commands)):
        known = {command.name or command.callback.__name__ for command in module.app.registered_commands}
        assert known == set(completions.SUBCOMMANDS[name])


def test_with_a_root_the_scripts_are_in_the_root(fresh):
    install(fresh, "-y")
    assert sorted(path.name for path in (fresh.root / "completions").iterdir()) == [
        "_spacetime",
        "spacetime.bash",
        "spacetime.fish",
        "spacetime.ps1",
    ]


def test_a_root_before_the_command_is_one_as_well(fresh):
    outcome = fresh.raw("--root-dir", str(fresh.root), "self-install", "-y")
    assert "will now be installed into {root}" in outcome.err
    assert (fresh.root / "completions" / "spacetime.bash").exists()


def test_no_completions_on_request(fresh):
    install(fresh, "-y", "--no-completions")
    assert not (fresh.root / "completions").exists()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["spacetime", "pub"], ["publish"]),
        (["spacetime", "version", "u"], ["use", "upgrade", "uninstall"]),
        (["spacetime", "version", "use", "2."], ["2.10.0", "2.9.0"]),
        (["spacetime", "server", "set"], ["set-default"]),
    ],
)
def test_bash_completes(fresh, words, offered):
    install(fresh, "-y", "--version", "2.9.0")
    fresh("install", "2.10.0")
    script = fresh.root / "completions" / "spacetime.bash"
    code = f'. "{script}"; COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _spacetime; echo ${{COMPREPLY[@]}}'
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == sorted(offered)


# --- removing ---


@pytest.fixture
def complete(fresh):
    """Installed, on PATH, with data and settings."""
    (Path(fresh.environment["HOME"]) / ".bashrc").write_text("alias x=y\n")
    assert install(fresh, "-y", "--modify-path").exit == 0
    shutil.rmtree(fresh.root / "data")
    write_data(fresh.root, "2.10.0")
    for name in ("cli.toml", "id_ecdsa", "id_ecdsa.pub"):
        (fresh.root / "config" / name).write_text(name)
    return fresh


def uninstall(tool, *arguments, stdin=""):
    return tool.raw("--root-dir", str(tool.root), "self-uninstall", *arguments, stdin=stdin)


def test_all_goes_but_the_data_and_its_keys(complete):
    assert uninstall(complete, "-y").exit == 0
    left = sorted(path.relative_to(complete.root).as_posix() for path in complete.root.iterdir())
    assert left == ["config", "data"]
    assert sorted(path.name for path in (complete.root / "config").iterdir()) == ["id_ecdsa", "id_ecdsa.pub"]
    assert (complete.root / "data" / "control-db" / "control.sqlite").exists()


def test_the_root_may_stand_behind_the_command(complete):
    assert complete.raw("self-uninstall", "--root-dir", str(complete.root), "-y").exit == 0
    assert not complete.bin.exists()


def test_what_was_added_to_start_up_files_goes(complete):
    home = Path(complete.environment["HOME"])
    uninstall(complete, "-y")
    assert (home / ".bashrc").read_text() == "alias x=y\n"
    assert not (home / ".profile").exists()


def test_completions_at_the_default_places_go(fresh):
    home = Path(fresh.environment["HOME"])
    fresh.raw("self-install", "-y")
    (home / ".config/fish/completions/mine.fish").write_text("mine")
    assert fresh.raw("self-uninstall", "-y").exit == 0
    files = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    assert files == [".config/fish/completions/mine.fish"]


def test_with_data_everything_goes(complete):
    assert uninstall(complete, "-y", "--data").exit == 0
    assert not complete.root.exists()


def test_backups_are_data(complete):
    backup = complete.root / "update" / "backups" / "before-2.10.0-x"
    (backup / "data").mkdir(parents=True)
    (backup / "backup.json").write_text("{}")
    uninstall(complete, "-y")
    assert (backup / "data").exists()
    assert sorted(path.name for path in (complete.root / "update").iterdir()) == ["backups"]


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_removing_asks_first(complete, answer):
    outcome = uninstall(complete, stdin=answer)
    assert outcome.exit == 1
    assert "It keeps the databases in {root}/data" in outcome.err
    assert complete.has_whole("2.10.0")


def test_not_while_a_server_runs(complete):
    (complete.root / "data" / "spacetime.pid").write_text("9")
    complete.processes.commands[9] = "spacetimedb-standalone start"
    outcome = uninstall(complete, "-y")
    assert outcome.exit == 1
    assert "a server (process 9) is running: stop it" in outcome.err


def test_removing_can_be_run_again_after_it_was_interrupted(complete):
    (complete.root / "spacetime").unlink()
    shutil.rmtree(complete.bin / "2.10.0")
    assert uninstall(complete, "-y").exit == 0
    assert not complete.bin.exists()


def test_an_empty_folder_that_cannot_go_does_no_harm(complete):
    class Mounted(QuickFiles):
        def remove_directory(self, path):
            if path == complete.root:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
            super().remove_directory(path)

    complete.files = Mounted()
    outcome = uninstall(complete, "-y", "--data")
    assert (outcome.exit, list(complete.root.iterdir())) == (0, [])


def test_these_tests_run_on_a_system_with_links():
    assert sys.platform != "win32"
