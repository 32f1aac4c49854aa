"""`spacetime version …`: the forms and outputs that users of the public tool know, and what is added to them."""

from __future__ import annotations

import json
import os
import re

import pytest

from .world import NOW, FakeProcesses, Publisher, release_archive


def test_version_alone_prints_its_help_and_fails(tool):
    outcome = tool.raw("version")
    assert outcome.exit == 2
    assert outcome.out == ""
    for command in ("list", "use", "upgrade", "install", "uninstall", "rollback", "verify", "gc", "doctor"):
        assert re.search(rf"^ +{command}\b", outcome.err, re.MULTILINE), command
    assert not re.search(r"^ +link ", outcome.err, re.MULTILINE)  # there, but not shown


def test_help_goes_to_standard_output(tool):
    outcome = tool.raw("version", "install", "--help")
    assert outcome.exit == 0
    assert outcome.out.startswith("Usage: spacetime version install ")


def test_an_unknown_command_is_an_argument_error(tool):
    outcome = tool("frobnicate")
    assert outcome.exit == 2
    assert outcome.err.startswith("error: unrecognized subcommand 'frobnicate'\n\nUsage: spacetime version")


def test_the_root_comes_before_the_command(tool):
    assert tool.raw("--root-dir", str(tool.root), "version", "list").exit == 0
    outcome = tool.raw("version", "list", "--root-dir", str(tool.root))
    assert (outcome.exit, outcome.err.split("\n")[0]) == (2, "error: unexpected argument '--root-dir' found")


def test_a_root_behind_version_is_not_taken_for_a_command(tool):
    outcome = tool.raw("version", "--root-dir", str(tool.root), "list")
    assert outcome.exit == 2
    assert outcome.err.startswith(
        "error: unexpected argument '--root-dir' found: it comes before `version`\n"
    )


def test_a_root_needs_a_name(tool):
    for arguments in (("--root-dir=", "version", "list"), ("self-install", "--root-dir", "", "-y")):
        outcome = tool.raw(*arguments)
        assert outcome.exit == 2
        assert outcome.err.startswith("error: a value is required for '--root-dir <root_dir>'")


def test_too_many_arguments_show_the_usage_of_the_command(tool):
    outcome = tool("use", "2.10.0", "2.9.0")
    assert outcome.exit == 2
    assert outcome.err.startswith("error: unexpected argument '2.9.0' found\n\nUsage: spacetime version use ")


def test_nothing_is_written_by_looking(tool):
    assert tool("list").out == ""
    assert not tool.root.exists()


# --- list ---


def test_list_is_one_name_a_line_newest_first_with_other_names_behind(tool):
    for version in ("2.9.0", "2.10.0", "2.10.0-rc1", "dev", "1.99.99"):
        tool.put(version)
    (tool.bin / "current").symlink_to("2.9.0")
    assert tool("list").out == "2.10.0\n2.10.0-rc1\n2.9.0 (current)\n1.99.99\ndev\n"


def test_list_reads_the_absolute_link_of_an_old_installation(tool):
    (tool.bin / "current").parent.mkdir(parents=True)
    (tool.bin / "current").symlink_to(tool.put("2.9.0"))
    assert tool("list").out == "2.9.0 (current)\n"


def test_list_all_shows_every_release(tool):
    assert tool("list", "--all").out == "2.10.0\n2.9.0\n"


def test_list_all_marks_the_current_one(installed):
    assert installed("2.9.0")("list", "--all").out == "2.10.0\n2.9.0 (current)\n"


def test_list_as_json(installed):
    tool = installed("2.9.0", "2.10.0")
    assert json.loads(tool("list", "--json").out) == [
        {"version": "2.10.0", "current": True, "installed": True},
        {"version": "2.9.0", "current": False, "installed": True},
    ]


def test_list_all_as_json_says_what_is_installed(installed):
    entries = json.loads(installed("2.9.0")("list", "--all", "--json").out)
    assert [(entry["version"], entry["installed"]) for entry in entries] == [
        ("2.10.0", False),
        ("2.9.0", True),
    ]


# --- install, use ---


def test_install_unpacks_a_version_and_selects_nothing(tool):
    outcome = tool("install", "2.10.0")
    assert (outcome.exit, outcome.out, outcome.err) == (0, "", "Installing v2.10.0: done!\n")
    assert tool.has_whole("2.10.0")
    assert tool.current() is None
    assert tool.leftovers() == []


def test_install_use_selects_it(tool):
    assert tool("install", "2.10.0", "--use").exit == 0
    assert tool.current() == "2.10.0"


def test_install_accepts_yes_and_the_only_edition(tool):
    assert tool("install", "2.10.0", "--edition", "standalone", "-y").exit == 0


@pytest.mark.parametrize("editions", ["cloud", "standalone,cloud", ""])
def test_install_refuses_other_editions(tool, editions):
    outcome = tool("install", "2.10.0", "--edition", editions)
    assert (outcome.exit, outcome.err) == (
        1,
        "Error: can only install spacetimedb-standalone at the moment\n",
    )


def test_install_of_what_was_never_released(tool):
    outcome = tool("install", "9.9.9")
    assert outcome.exit == 1
    assert outcome.err.startswith("Error: No release found for version 9.9.9: ")


@pytest.mark.parametrize("text", ["2.10", "v2.10.0", "latest", "2.10.0.0", "02.1.0", "2.10.0-", "../2.10.0"])
@pytest.mark.parametrize("command", ["install", "use"])
def test_a_version_has_three_numbers(tool, command, text):
    outcome = tool(command, text)
    assert outcome.exit == 2
    assert outcome.err.startswith(f"error: invalid value '{text}' for '<VERSION>': ")


def test_an_artifact_of_another_name_is_looked_up_as_it_is(tool):
    outcome = tool("install", "2.10.0", "--artifact-name", "odd.tar.gz")
    assert outcome.err == (
        "Error: artifact named odd.tar.gz not found in version 2.10.0\n\nCaused by:\n"
        "    2.10.0 was released as spacetime-x86_64-unknown-linux-gnu.tar.gz\n"
    )
    outcome = tool("install", "2.10.0", "--artifact-name", "odd.rar")
    assert outcome.err.startswith("Error: Unknown archive type")


def test_what_is_installed_and_sound_is_not_downloaded_again(installed):
    tool = installed("2.10.0")
    tool.net.requests.clear()
    assert tool("install", "2.10.0").exit == 0
    assert tool.net.requests == []


def test_a_damaged_version_is_replaced(installed):
    tool = installed("2.10.0")
    (tool.bin / "2.10.0" / "spacetimedb-cli").write_bytes(b"#!/bin/sh\necho owned\n")
    (tool.bin / "2.10.0" / "more").write_bytes(b"")
    assert tool("install", "2.10.0").exit == 0
    assert tool.has_whole("2.10.0")
    assert tool.leftovers() == []


def test_what_was_placed_by_hand_is_not_overwritten(tool):
    tool.put("2.10.0", {"spacetimedb-cli": b"mine"})
    outcome = tool("install", "2.10.0")
    assert outcome.exit == 1
    assert "placed there by hand" in outcome.err
    assert (tool.bin / "2.10.0" / "spacetimedb-cli").read_bytes() == b"mine"


def test_a_plan_can_be_printed_instead(tool):
    outcome = tool("install", "2.10.0", "--use", "--plan")
    assert [line.split(" ")[1] for line in outcome.out.splitlines()] == [
        "download",
        "unpack",
        "move",
        "delete",
        "let",
    ]
    assert not tool.bin.exists()


def test_a_plan_for_what_is_installed_does_nothing_either(installed):
    tool = installed("2.10.0", "2.9.0")
    assert tool("install", "2.10.0", "--use", "--plan").out == "1. let bin/current lead to 2.10.0\n"
    assert tool("install", "2.10.0", "--plan").out == "nothing is left to do\n"
    assert tool.current() == "2.9.0"


def test_use_says_nothing_and_writes_a_relative_link(installed):
    tool = installed("2.9.0", "2.10.0")
    outcome = tool("use", "2.9.0")
    assert (outcome.exit, outcome.out, outcome.err) == (0, "", "")
    assert str((tool.bin / "current").readlink()) == "2.9.0"


def test_use_refuses_what_is_not_installed_and_tells_the_command(installed):
    tool = installed("2.9.0")
    outcome = tool("use", "2.10.0")
    assert outcome.exit == 1
    assert outcome.err == (
        "Error: v2.10.0 is not installed: `spacetime version install 2.10.0 --use` installs and selects it\n"
    )
    assert tool.current() == "2.9.0"


def test_use_refuses_a_folder_without_a_program(installed):
    tool = installed("2.9.0")
    (tool.bin / "2.10.0").mkdir()
    outcome = tool("use", "2.10.0")
    assert outcome.exit == 1
    assert "damaged" in outcome.err and "spacetime version uninstall 2.10.0" in outcome.err


def test_use_does_not_touch_a_folder_in_the_place_of_the_link(installed):
    tool = installed("2.10.0", "2.9.0")
    (tool.bin / "current").unlink()
    (tool.bin / "current").mkdir()
    outcome = tool("use", "2.10.0")
    assert outcome.exit == 1
    assert "bin/current is a folder where a link should be: move it away (mv '" in outcome.err
    assert tool.leftovers() == []


def test_use_accepts_a_version_placed_by_hand(tool):
    tool.put("2.11.0-dev")
    assert tool("use", "2.11.0-dev").exit == 0
    assert tool.current() == "2.11.0-dev"


# --- link ---


def test_link_serves_a_development_tree(tool, tmp_path):
    build = tool.put("2.11.0")
    outcome = tool("link", "dev", os.path.relpath(build, tmp_path), "--use")
    assert (outcome.exit, outcome.out) == (0, "")
    assert str((tool.bin / "dev").readlink()) == str(build)
    assert tool.current() == "dev"


def test_link_replaces_a_link(tool):
    first, second = tool.put("2.11.0"), tool.put("2.12.0")
    tool("link", "dev", str(first))
    tool("link", "dev", str(second))
    assert str((tool.bin / "dev").readlink()) == str(second)


def test_link_refuses_the_name_current(tool):
    assert tool("link", "current", "/opt").err == "Error: name cannot be `current`\n"


def test_link_refuses_the_name_of_a_real_version(installed):
    tool = installed("2.9.0")
    outcome = tool("link", "2.9.0", str(tool.bin / "2.9.0"))
    assert outcome.err == "Error: could not link custom version\n\nCaused by:\n    version already exists\n"


@pytest.mark.parametrize("name", ["../evil", ".hidden", "a/b", "", "-x"])
def test_link_refuses_names_that_lead_elsewhere(tool, name):
    outcome = tool("link", "--", name, str(tool.put("2.11.0")))
    assert outcome.exit == 1
    assert "cannot be the name of a version" in outcome.err


def test_link_to_a_checkout_tells_where_the_programs_are(tool, tmp_path):
    build = tmp_path / "checkout" / ".venv" / "bin"
    build.mkdir(parents=True)
    (build / "spacetimedb-cli").write_bytes(b"")
    (build / "spacetimedb-cli").chmod(0o755)
    outcome = tool("link", "dev", str(tmp_path / "checkout"))
    assert outcome.exit == 1
    assert f"did you mean {build}?" in outcome.err


def test_a_link_cannot_be_used_by_name_but_the_tip_tells_how(tool):
    tool("link", "dev", str(tool.put("2.11.0")))
    outcome = tool("use", "dev")
    assert outcome.exit == 2
    assert outcome.err.startswith("error: invalid value 'dev' for '<VERSION>'")
    assert (
        f"spacetime version link dev {tool.bin / '2.11.0'} --use".replace(str(tool.root), "{root}")
        in outcome.err
    )


# --- uninstall ---


def test_uninstall_asks_and_takes_no_answer_for_no(installed):
    tool = installed("2.9.0", "2.10.0")
    outcome = tool("uninstall", "2.9.0", stdin="\n")
    assert (outcome.exit, outcome.out) == (0, "")
    assert outcome.err.startswith("Uninstall v2.9.0? [y/N]")
    assert tool.has_whole("2.9.0")


def test_where_nobody_can_answer_the_way_without_a_question_is_told(installed):
    tool = installed("2.10.0", "2.9.0")
    outcome = tool("uninstall", "2.10.0", stdin="")
    assert outcome.exit == 1
    assert "Error: nobody answered, so nothing was changed: --yes goes on without asking" in outcome.err
    assert tool.has_whole("2.10.0")


def test_uninstall_removes_after_a_yes(installed):
    tool = installed("2.9.0", "2.10.0")
    assert tool("uninstall", "2.9.0", stdin="y\n").exit == 0
    assert not (tool.bin / "2.9.0").exists()
    assert tool.has_whole("2.10.0")
    assert tool.leftovers() == []


def test_uninstall_yes_does_not_ask(installed):
    tool = installed("2.9.0", "2.10.0")
    assert tool("uninstall", "2.9.0", "-y").err == ""
    assert not (tool.bin / "2.9.0").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("current", "cannot remove `current` version"),
        ("2.10.0", "cannot uninstall currently used version"),
        ("1.2.3", "v1.2.3 is not installed"),
        ("..", "v.. is not installed"),
    ],
)
def test_uninstall_refusals_come_before_the_question(installed, name, text):
    outcome = installed("2.9.0", "2.10.0")("uninstall", name)
    assert (outcome.exit, outcome.err) == (1, f"Error: {text}\n")


def test_uninstalling_a_link_leaves_what_it_leads_to(installed):
    tool = installed("2.10.0")
    build = tool.root.parent / "build"
    tool.put("dev2")
    (tool.bin / "dev2").rename(build)
    tool("link", "dev", str(build))
    assert tool("uninstall", "dev", "-y").exit == 0
    assert not (tool.bin / "dev").is_symlink()
    assert (build / "spacetimedb-cli").exists()


def test_uninstalling_the_home_of_the_command_moves_the_command(installed):
    tool = installed("2.9.0")
    tool("upgrade")
    tool("use", "2.9.0")
    assert str((tool.root / "spacetime").readlink()) == "bin/2.10.0/spacetimedb-update"
    assert tool("uninstall", "2.10.0", "-y").exit == 0
    assert str((tool.root / "spacetime").readlink()) == "bin/2.9.0/spacetimedb-update"


def test_the_only_home_of_the_command_stays(installed):
    tool = installed("2.10.0")
    tool("upgrade")
    tool.put("2.8.0", {"spacetimedb-cli": b"official"})
    tool("use", "2.8.0")
    outcome = tool("uninstall", "2.10.0", "-y")
    assert outcome.exit == 1
    assert "`spacetime` itself is a program of v2.10.0" in outcome.err
    assert tool.has_whole("2.10.0")


def test_the_version_of_a_running_server_stays(installed):
    tool = installed("2.9.0", "2.10.0")
    _run_server(tool, "2.9.0")
    outcome = tool("uninstall", "2.9.0", "-y")
    assert outcome.exit == 1
    assert "a server (process 77) of v2.9.0 is running" in outcome.err


# --- upgrade ---


def test_upgrade_installs_selects_and_updates_itself(installed):
    tool = installed("2.9.0")
    outcome = tool("upgrade")
    assert (outcome.exit, outcome.out, outcome.err) == (0, "", "Installing v2.10.0: done!\n")
    assert tool.current() == "2.10.0"
    assert str((tool.root / "spacetime").readlink()) == "bin/2.10.0/spacetimedb-update"


def test_upgrade_passes_over_pre_releases(tmp_path, tool):
    publisher = Publisher.create(tmp_path / "p")
    for version in ("2.10.0", "2.11.0-rc.1"):
        publisher.release(version)
    tool.anchor = publisher.anchor
    tool.net.serve("https://releases.test/stdb", publisher.files())
    tool("upgrade")
    assert tool.current() == "2.10.0"


def test_upgrade_does_not_go_back_from_something_newer(tool):
    tool.put("2.11.0-dev")
    tool("use", "2.11.0-dev")
    outcome = tool("upgrade")
    assert outcome.exit == 0
    assert "newer than the latest release v2.10.0: nothing to do" in outcome.err
    assert tool.current() == "2.11.0-dev"


def test_the_command_is_never_updated_backwards(installed):
    tool = installed("2.10.0")
    tool.put("2.12.0")
    (tool.root / "spacetime").symlink_to("bin/2.12.0/spacetimedb-update")
    tool("upgrade")
    assert str((tool.root / "spacetime").readlink()) == "bin/2.12.0/spacetimedb-update"


# --- rollback ---


def test_rollback_goes_to_the_version_selected_before(installed):
    tool = installed("2.9.0", "2.10.0")
    outcome = tool("rollback")
    assert (outcome.exit, outcome.out) == (0, "")
    assert tool.current() == "2.9.0"


def test_rollback_twice_returns(installed):
    tool = installed("2.9.0", "2.10.0")
    tool("rollback")
    tool("rollback")
    assert tool.current() == "2.10.0"


def test_rollback_knows_versions_that_others_selected(installed):
    tool = installed("2.9.0")
    (tool.root / "update" / "history.json").unlink()
    tool("upgrade")
    assert tool("rollback").exit == 0
    assert tool.current() == "2.9.0"


def test_rollback_passes_over_what_was_uninstalled(installed):
    tool = installed("2.9.0", "2.10.0")
    tool.put("2.8.0")
    tool("use", "2.8.0")
    tool("use", "2.9.0")
    tool("uninstall", "2.8.0", "-y")
    tool("rollback")
    assert tool.current() == "2.10.0"


def test_rollback_without_a_before(installed):
    outcome = installed("2.10.0")("rollback")
    assert outcome.exit == 1
    assert "there is nothing to go back to" in outcome.err


# --- verify ---


def test_verify_compares_every_file(installed):
    tool = installed("2.9.0", "2.10.0")
    assert tool("verify").out == "2.10.0: ok\n2.9.0: ok\n"


def test_verify_names_what_is_wrong(installed):
    tool = installed("2.10.0")
    folder = tool.bin / "2.10.0"
    (folder / "cli.default.toml").unlink()
    (folder / "config.default.toml").write_bytes(b"# defaults of 2.10.1\n")
    (folder / "spacetimedb-cli").chmod(0o644)
    (folder / "runtime" / "extra").write_bytes(b"")
    (folder / "runtime/lib/link").unlink()
    (folder / "runtime/lib/link").symlink_to("text.py")
    outcome = tool("verify", "2.10.0")
    assert outcome.exit == 1
    assert outcome.out.splitlines() == [
        "2.10.0: cli.default.toml is missing",
        "2.10.0: config.default.toml has other content",
        "2.10.0: runtime/extra does not belong there",
        "2.10.0: runtime/lib/link leads to text.py instead of numbers.bin",
        "2.10.0: spacetimedb-cli is not executable",
    ]
    assert "`spacetime version install 2.10.0` installs it again" in outcome.err


def test_verify_is_not_fooled_by_a_list_that_was_changed_as_well(installed):
    tool = installed("2.10.0")
    receipt = tool.bin / "2.10.0" / ".release" / "files.json"
    receipt.write_bytes(receipt.read_bytes().replace(b"cli.default.toml", b"cli.defoult.toml"))
    outcome = tool("verify", "2.10.0")
    assert outcome.exit == 1
    assert "is not the one that was signed" in outcome.out


def test_verify_is_not_fooled_by_a_receipt_signed_by_somebody_else(installed, tmp_path):
    tool = installed("2.10.0")
    other = Publisher.create(tmp_path / "other")
    other.release("2.10.0", release_archive("2.10.0"))
    receipt = tool.bin / "2.10.0" / ".release" / "targets.json"
    receipt.write_bytes((other.folder / "repository/metadata/2.targets.json").read_bytes())
    outcome = tool("verify", "2.10.0")
    assert outcome.exit == 1
    assert "not signed by keys that are trusted today" in outcome.out


def test_verify_needs_no_network_and_no_fresh_metadata(installed):
    tool = installed("2.10.0")
    tool.net.down.add("https://")
    tool.clock.advance(days=800)
    assert tool("verify").exit == 0


def test_verify_says_what_it_cannot_judge(tool):
    tool.put("2.8.0")
    tool("link", "dev", str(tool.put("2.11.0")))
    outcome = tool("verify", "2.8.0")
    assert (outcome.exit, outcome.out) == (0, "2.8.0: placed by hand, nothing to compare with\n")
    assert "a link to" in tool("verify", "dev").out


# --- gc ---


def test_gc_removes_what_nothing_selects(installed):
    tool = installed("2.9.0", "2.10.0")
    tool.put("2.11.0")
    tool("use", "2.11.0")  # 2.10.0 is what rollback would go to
    outcome = tool("gc", "-y")
    assert outcome.exit == 0
    assert outcome.out == "delete bin/2.9.0\n"
    assert tool("list").out == "2.11.0 (current)\n2.10.0\n"


def test_gc_asks(installed):
    tool = installed("2.9.0", "2.10.0")
    tool.put("2.11.0")
    tool("use", "2.11.0")
    assert tool("gc", stdin="n\n").exit == 0
    assert tool.has_whole("2.9.0")


def test_gc_dry_run_only_tells(installed):
    tool = installed("2.9.0", "2.10.0")
    tool.put("2.11.0")
    tool("use", "2.11.0")
    assert tool("gc", "--dry-run").out == "delete bin/2.9.0\n"
    assert tool.has_whole("2.9.0")


@pytest.mark.parametrize("wanted_by", ["environment", "pin", "server", "command"])
def test_gc_keeps_what_something_selects(installed, wanted_by):
    tool = installed("2.9.0", "2.10.0")
    tool.put("2.11.0")
    tool("use", "2.11.0")
    if wanted_by == "environment":
        tool.environment["SPACETIME_VERSION"] = "2.9.0"
    elif wanted_by == "pin":
        (tool.root.parent / ".spacetime-version").write_text("2.9.0\n")
    elif wanted_by == "server":
        _run_server(tool, "2.9.0")
    else:
        (tool.root / "spacetime").symlink_to("bin/2.9.0/spacetimedb-update")
    tool("gc", "-y")
    assert tool.has_whole("2.9.0")


def test_gc_keeps_what_was_placed_by_hand_and_says_so(installed):
    tool = installed("2.9.0")
    tool.put("2.8.0")
    outcome = tool("gc", "-y")
    assert "2.8.0 was placed by hand and stays" in outcome.err
    assert (tool.bin / "2.8.0").exists()


def _run_server(tool, version):
    (tool.root / "data").mkdir()
    (tool.root / "data" / "spacetime.pid").write_text("77")
    tool.processes = FakeProcesses({77: f"{tool.bin.resolve()}/{version}/spacetimedb-standalone start"})


def test_the_clock_of_these_tests_stands_still(tool):
    assert tool.clock.now() == NOW
