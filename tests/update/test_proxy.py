"""`spacetime …`: which version takes over, what it is given, and what is said when it cannot."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from spacetimedb_update.proxy import main as proxy_main
from spacetimedb_update.proxy.handover import PROGRAM, quoted
from spacetimedb_update.proxy.main import run
from spacetimedb_update.proxy.system import System


class FakeSystem(System):
    """Records what would be executed; `there` is whether a program can be."""

    def __init__(self, argv, env, directory, windows=False):
        super().__init__(list(argv), dict(env), windows)
        self.directory = directory
        self.executed = None
        self.said = []
        self.files = {}
        self.time = 1_000_000
        self.started = []

    def working_directory(self):
        return self.directory

    def now(self):
        return self.time

    def say(self, text):
        self.said.append(text)

    def shows_colors(self):
        return False

    def become(self, program, argv):
        if not os.access(program, os.X_OK):
            raise FileNotFoundError(2, "No such file or directory", program)
        self.executed = (program, argv)
        return 0

    def start_in_background(self, command, env):
        self.started.append((command, env))


@pytest.fixture
def home(tmp_path):
    """A root with versions, 2.10.0 selected, and a folder to work in."""
    for version in ("2.9.0", "2.10.0", "dev"):
        folder = tmp_path / "root" / "bin" / version
        folder.mkdir(parents=True)
        (folder / "spacetimedb-cli").write_bytes(b"")
        (folder / "spacetimedb-cli").chmod(0o755)
    (tmp_path / "root" / "bin" / "current").symlink_to("2.10.0")
    (tmp_path / "work" / "deep").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def spacetime(home):
    def start(*arguments, argv0="spacetime", env=None, directory=None):
        root = [f"--root-dir={home / 'root'}"]
        plus = [word for word in arguments[:1] if word.startswith("+")]
        rest = arguments[len(plus) :]
        system = FakeSystem([argv0, *plus, *root, *rest], env or {}, str(directory or home / "work" / "deep"))
        system.code = run(system)
        system.told = system.said
        system.said = [
            text.replace(f"spacetime {root[0].replace('=', ' ')} ", "spacetime ") for text in system.told
        ]
        system.version_run = system.executed and system.executed[0].split("/")[-2]
        return system

    return start


# --- a program of the same release ---


@pytest.fixture
def released(home, monkeypatch):
    """This process is the proxy of release 2.10.0; how its command line was run."""
    runs = []
    command_line = ModuleType("spacetimedb_cli.__main__")
    command_line.main = lambda: runs.append((sys.argv, sys._xoptions[PROGRAM]))
    monkeypatch.setitem(sys.modules, "spacetimedb_cli.__main__", command_line)
    monkeypatch.setattr(sys, "argv", sys.argv)
    folder = os.path.realpath(home / "root" / "bin" / "2.10.0")
    monkeypatch.setitem(sys._xoptions, PROGRAM, f"{folder}/spacetimedb-update")
    monkeypatch.setattr(sys, "prefix", f"{folder}/runtime")
    return runs


def test_the_command_line_of_the_same_release_runs_in_the_same_process(spacetime, released, home):
    system = spacetime("list", "--yes")
    assert (system.executed, system.code) == (None, 0)
    ((argv, program),) = released
    assert argv == ["spacetime", f"--root-dir={home / 'root'}", "list", "--yes"]
    assert program == os.path.realpath(home / "root" / "bin" / "2.10.0" / "spacetimedb-cli")


def test_another_version_is_another_program(spacetime, released):
    assert spacetime("+2.9.0", "list").version_run == "2.9.0"
    assert released == []


def test_programs_of_another_interpreter_are_executed(spacetime, released, monkeypatch):
    monkeypatch.setattr(sys, "prefix", "/usr")
    assert spacetime("list").version_run == "current"
    assert released == []


@pytest.mark.parametrize(
    "error", [ImportError("No module named 'x'"), EOFError("data too short"), ValueError("bad marshal data")]
)
def test_code_that_is_gone_makes_the_release_a_damaged_one(spacetime, released, home, monkeypatch, error):
    class Gone:
        def find_spec(self, name, path, target=None):
            if name.startswith("spacetimedb_cli"):
                raise error

    monkeypatch.delitem(sys.modules, "spacetimedb_cli.__main__")
    monkeypatch.setattr(sys, "meta_path", [Gone(), *sys.meta_path])
    system = spacetime("list")
    assert system.code == 1
    assert "version 2.10.0 is damaged: `spacetime version verify 2.10.0` tells how" in system.said[0]
    assert str(error) in system.said[0]


def test_a_program_that_is_gone_is_missed_although_its_code_is_there(spacetime, released, home):
    (home / "root" / "bin" / "2.10.0" / "spacetimedb-cli").unlink()
    system = spacetime("list")
    assert (system.code, released) == (1, [])


# --- selection ---


def test_current_is_what_runs(spacetime):
    assert spacetime("list").version_run == "current"


def test_a_plus_selects_for_one_command_and_is_not_passed_on(spacetime, home):
    system = spacetime("+2.9.0", "list", "--yes")
    assert system.version_run == "2.9.0"
    assert system.executed[1] == ["spacetime", f"--root-dir={home / 'root'}", "list", "--yes"]


def test_the_environment_selects(spacetime):
    assert spacetime("list", env={"SPACETIME_VERSION": "2.9.0"}).version_run == "2.9.0"


def test_an_empty_variable_selects_nothing(spacetime):
    assert spacetime("list", env={"SPACETIME_VERSION": ""}).version_run == "current"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".spacetime-version", "2.9.0\n"),
        (".spacetime-version", "\n# why: issue 12\n  2.9.0  \nignored"),
        ("spacetime.json", '{"spacetime-version": "2.9.0"}'),
        (
            "spacetime.json",
            "// ours\n{module: 'x', /* why */ 'spacetime-version': '2.9.0', children: [{a: 1,},],}",
        ),
        (
            "spacetime.json",
            '\ufeff{"children": [{"spacetime-version": "1.0.0"}], "spacetime-version": "2.9.0"}',
        ),
    ],
)
def test_a_project_pins_its_version(spacetime, home, name, text):
    (home / "work" / name).write_text(text)
    assert spacetime("list").version_run == "2.9.0"


def test_the_nearest_pin_counts(spacetime, home):
    (home / "work" / ".spacetime-version").write_text("2.9.0")
    (home / "work" / "deep" / ".spacetime-version").write_text("dev")
    assert spacetime("list").version_run == "dev"


def test_in_one_folder_the_project_file_comes_first(spacetime, home):
    (home / "work" / ".spacetime-version").write_text("dev")
    (home / "work" / "spacetime.json").write_text('{"spacetime-version": "2.9.0"}')
    assert spacetime("list").version_run == "2.9.0"


def test_a_project_without_a_pin_does_not_hide_one_above(spacetime, home):
    (home / "work" / ".spacetime-version").write_text("2.9.0")
    (home / "work" / "deep" / "spacetime.json").write_text('{"database": "chat"}')
    assert spacetime("list").version_run == "2.9.0"


def test_the_order(spacetime, home):
    """`+VERSION`, then the environment, then the pin, then `current`."""
    (home / "work" / ".spacetime-version").write_text("2.10.0")
    env = {"SPACETIME_VERSION": "dev"}
    assert spacetime("+2.9.0", "list", env=env).version_run == "2.9.0"
    assert spacetime("list", env=env).version_run == "dev"
    assert spacetime("list").version_run == "2.10.0"
    assert spacetime("list", directory=home).version_run == "current"


def test_a_working_directory_that_was_deleted(home):
    system = FakeSystem(["spacetime", f"--root-dir={home / 'root'}", "list"], {}, None)
    assert run(system) == 0


# --- sentences ---


def test_a_version_that_is_not_there_and_who_asked_for_it(spacetime, home):
    pin = home / "work" / ".spacetime-version"
    pin.write_text("2.8.0")
    for system, asked_by in [
        (spacetime("+2.7.0", "list"), "the argument +2.7.0"),
        (spacetime("list", env={"SPACETIME_VERSION": "2.7.0"}), "the environment variable SPACETIME_VERSION"),
        (spacetime("list"), str(pin)),
    ]:
        version = "2.8.0" if asked_by == str(pin) else "2.7.0"
        assert system.code == 1
        assert system.said == [
            f"Error: version {version} is not installed, but {asked_by} asks for it: "
            f"`spacetime version install {version}` installs it"
        ]


def test_only_versions_can_be_installed_other_names_are_links(spacetime):
    (said,) = spacetime("+mine", "list").said
    assert said == (
        "Error: version mine is not installed, but the argument +mine asks for it: "
        "`spacetime version link mine PATH` gives this name to programs elsewhere"
    )


def test_a_selected_version_that_is_damaged(spacetime, home):
    (home / "root/bin/2.9.0/spacetimedb-cli").unlink()
    (said,) = spacetime("+2.9.0", "list").said
    assert "version 2.9.0, asked for by the argument +2.9.0, is damaged" in said
    assert "`spacetime version install 2.9.0`" in said


def test_current_leads_nowhere(spacetime, home):
    (home / "root/bin/current").unlink()
    (home / "root/bin/current").symlink_to("2.8.0")
    (said,) = spacetime("list").said
    assert said.startswith(
        "Error: It seems like the spacetime version set as current may not exist. Try using `spacetime version`\n"
        "to set a different version as default or to install a new version altogether.\n\nCaused by:\n"
    )
    assert "selects 2.8.0, which is not installed: `spacetime version install 2.8.0` installs it" in said
    assert f"exec failed for {home}/root/bin/current/spacetimedb-cli" in said
    assert said.endswith("No such file or directory (os error 2)")


def test_current_is_a_folder(spacetime, home):
    (home / "root/bin/current").unlink()
    (home / "root/bin/current").mkdir()
    (said,) = spacetime("list").said
    assert f"{home}/root/bin/current is a folder where a link to a version should be: move it away" in said


def test_the_root_is_a_file(home):
    (home / "file").write_text("")
    system = FakeSystem(["spacetime", f"--root-dir={home}/file", "list"], {}, str(home))
    assert run(system) == 1
    assert (
        f"a file stands where {home}/file/bin should be: choose another root with --root-dir"
        in system.said[0]
    )


def test_nothing_is_selected(spacetime, home):
    (home / "root/bin/current").unlink()
    (said,) = spacetime("list").said
    assert "no version is selected: `spacetime version upgrade` installs and selects the latest" in said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".spacetime-version", ""),
        (".spacetime-version", "two point ten"),
        (".spacetime-version", "../../evil"),
        ("spacetime.json", '{"spacetime-version": 2}'),
        ("spacetime.json", '{"spacetime-version": ""}'),
        ("spacetime.json", '{"spacetime-version": "2.10.0"'),
        ("spacetime.json", '{"spacetime-version" "2.10.0"}'),
    ],
)
def test_a_pin_that_cannot_be_understood_names_its_file(spacetime, home, name, text):
    (home / "work" / name).write_text(text)
    system = spacetime("list")
    assert system.code == 1
    assert f"{home}/work/{name}" in system.said[0]


@pytest.mark.parametrize("name", ["", "../2.9.0", "a/b", ".hidden", "--help"])
def test_a_plus_that_names_no_version(spacetime, name):
    system = spacetime(f"+{name}", "list")
    assert system.code == 1
    assert f"`+{name}` does not name a version: write for example +2.10.0" in system.said[0]


def test_a_plus_behind_an_option_is_told_its_place(home):
    system = FakeSystem(["spacetime", "--root-dir", str(home / "root"), "+2.9.0", "list"], {}, str(home))
    assert run(system) == 2
    assert "`+2.9.0` selects a version only as the first argument" in system.said[0]


def test_a_version_with_the_letter_in_front(spacetime, home):
    (home / "work" / ".spacetime-version").write_text("v2.9.0\n")
    (said,) = spacetime("list").said
    assert said.endswith(
        ".spacetime-version asks for it: versions are written without the letter, as in 2.9.0"
    )


def test_a_pin_that_an_editor_began_with_a_mark(spacetime, home):
    (home / "work" / ".spacetime-version").write_bytes(b"\xef\xbb\xbf2.9.0\r\n")
    assert spacetime("list").version_run == "2.9.0"


def test_a_pin_that_is_no_file_is_not_waited_for(spacetime, home):
    os.mkfifo(home / "work" / ".spacetime-version")
    (said,) = spacetime("list").said
    assert "it names no version" in said


@pytest.mark.parametrize("target", ["current", "../.."])
def test_current_leads_to_what_is_no_version(spacetime, home, target):
    (home / "root/bin/current").unlink()
    (home / "root/bin/current").symlink_to(target)
    (said,) = spacetime("list").said
    assert (
        f"current leads to {target}, which is no version: `spacetime version use VERSION` selects one" in said
    )


def test_commands_are_told_for_the_root_that_was_named(spacetime, home):
    (told,) = spacetime("+2.7.0", "list").told
    assert f"`spacetime --root-dir {home / 'root'} version install 2.7.0` installs it" in told


def test_a_variable_that_names_no_version(spacetime):
    (said,) = spacetime("list", env={"SPACETIME_VERSION": "../x"}).said
    assert (
        "`SPACETIME_VERSION=../x` does not name a version: write for example SPACETIME_VERSION=2.10.0" in said
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--root-dir"], "a value is required for '--root-dir <root_dir>' but none was supplied"),
        (["--root-dir="], "a value is required for '--root-dir <root_dir>' but none was supplied"),
        (
            ["--root-dir=a", "--root-dir", "b"],
            "the argument '--root-dir <root_dir>' cannot be used multiple times",
        ),
    ],
)
def test_a_wrong_root(home, arguments, text):
    system = FakeSystem(["spacetime", *arguments], {}, str(home))
    assert run(system) == 2
    assert system.said[0].startswith(f"error: {text}")


# --- what is passed on ---


@pytest.mark.parametrize("argv0", ["spacetime", "/usr/local/bin/spacetime", "./spacetime"])
def test_arguments_and_the_own_name_are_passed_on_untouched(home, argv0):
    arguments = [f"--root-dir={home / 'root'}", "sql", "db", "select '+1'", "--", "+x", "", "ü"]
    system = FakeSystem([argv0, *arguments], {}, str(home))
    run(system)
    assert system.executed == (f"{home}/root/bin/current/spacetimedb-cli", [argv0, *arguments])


def test_both_forms_of_the_root_option(home):
    for form in (["--root-dir", str(home / "root")], [f"--root-dir={home / 'root'}"]):
        system = FakeSystem(["spacetime", "--unknown", *form, "list"], {}, str(home))
        assert run(system) == 0


def test_a_root_behind_the_command_is_the_commands_own(home):
    env = {"XDG_DATA_HOME": str(home / "data"), "HOME": str(home)}
    system = FakeSystem(["spacetime", "list", "--root-dir", str(home / "root")], env, str(home))
    assert run(system) == 1
    assert f"exec failed for {home}/data/spacetime/bin/current/spacetimedb-cli" in system.said[0]


# --- several names ---


@pytest.fixture
def managed(monkeypatch):
    """What the version manager would have been told."""
    calls = []
    monkeypatch.setattr(proxy_main, "manage", lambda arguments: calls.append(arguments) or 0)
    return calls


@pytest.mark.parametrize(
    ("argv", "env", "told"),
    [
        (["spacetime", "version", "list"], {}, ["version", "list"]),
        (["spacetime.exe", "version", "list"], {}, ["version", "list"]),
        (["/opt/x/spacetimedb-update", "version", "list"], {}, ["version", "list"]),
        (["spacetimedb-update", "--root-dir", "/r", "version"], {}, ["--root-dir", "/r", "version"]),
        (["spacetime-install", "-y"], {}, ["self-install", "-y"]),
        (["spacetime", "self-uninstall"], {}, ["self-uninstall"]),
        (["spacetime", "--root-dir", "/r", "self-uninstall"], {}, ["--root-dir", "/r", "self-uninstall"]),
        (["spacetime", "+2.9.0", "version", "list"], {}, ["version", "list"]),
        (["x", "-y"], {"SPACETIMEDB_UPDATE_MULTICALL_APPLET": "spacetime-install"}, ["self-install", "-y"]),
        (
            ["spacetimedb-update", "self-install", "--root-dir", "/r"],
            {},
            ["self-install", "--root-dir", "/r"],
        ),
    ],
)
def test_the_name_it_is_called_by_decides(managed, argv, env, told):
    assert run(FakeSystem(argv, env, "/")) == 0
    assert managed == [told]


def test_the_hidden_command_cli_is_the_proxy_with_its_root_in_front(home):
    for argv in (
        ["spacetimedb-update", "--root-dir", str(home / "root"), "cli", "list", "--json"],
        ["spacetimedb-update", f"--root-dir={home / 'root'}", "cli", "list", "--json"],
    ):
        system = FakeSystem(argv, {}, str(home))
        run(system)
        assert system.executed[1] == ["spacetime", f"--root-dir={home / 'root'}", "list", "--json"]


def test_a_root_named_cli(home):
    system = FakeSystem(["spacetimedb-update", "--root-dir", "cli", "cli", "x"], {}, str(home))
    run(system)
    assert "cli/bin/current/spacetimedb-cli" in system.said[0]


@pytest.mark.parametrize(("argv0", "text"), [("bash", ": bash"), ("", "argv0 must have a filename")])
def test_an_unknown_name(argv0, text):
    system = FakeSystem([argv0], {}, "/")
    assert run(system) == 1
    assert text in system.said[0]


def test_version_behind_the_root_goes_to_the_command_line_which_hands_it_back(spacetime, home):
    system = spacetime("version", "list")
    assert system.executed[1] == ["spacetime", f"--root-dir={home / 'root'}", "version", "list"]


def test_version_works_without_a_command_line(spacetime, home, managed):
    (home / "root/bin/current").unlink()
    assert spacetime("version", "list").code == 0
    assert managed == [[f"--root-dir={home / 'root'}", "version", "list"]]


def test_the_manager_of_the_same_installation_needs_none_of_its_versions(spacetime, home, released, managed):
    (home / "root/bin/2.10.0/spacetimedb-cli").write_bytes(b"damaged")
    system = spacetime("version", "install", "2.10.0")
    assert (system.executed, released) == (None, [])
    assert managed == [[f"--root-dir={home / 'root'}", "version", "install", "2.10.0"]]


def test_what_stands_behind_an_option_of_the_command_line_is_not_taken_for_the_command(
    spacetime, released, managed
):
    spacetime("--config-path", "version", "list")
    assert managed == []
    assert len(released) == 1


def test_a_pin_that_cannot_be_understood_does_not_stand_in_the_way_of_the_manager(spacetime, home, managed):
    (home / "work" / ".spacetime-version").write_text("two point ten")
    assert spacetime("version", "list").code == 0
    assert len(managed) == 1


# --- Windows ---


def test_on_windows_programs_end_in_exe(home):
    system = FakeSystem(
        ["spacetime.exe", "--root-dir", str(home / "root"), "list"], {}, str(home), windows=True
    )
    assert run(system) == 1
    assert system.said[0].count("spacetimedb-cli.exe") == 1


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("C:\\x y\\", '"C:\\x y\\\\"'),
        ('back\\"slash', '"back\\\\\\"slash"'),
        ("C:\\plain\\", "C:\\plain\\"),
    ],
)
def test_arguments_survive_a_windows_command_line(argument, text):
    assert quoted(argument) == text
