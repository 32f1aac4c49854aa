"""Checks of names: PATH, the command, the link `current`, pins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from spacetimedb_update.commands.run import Run
from spacetimedb_update.doctor.finding import Finding
from spacetimedb_update.installation.links import link_text
from spacetimedb_update.installation.survey import Installation
from spacetimedb_update.proxy.advice import quoted
from spacetimedb_update.proxy.failure import Failure
from spacetimedb_update.proxy.pins import nearest_pin
from spacetimedb_update.proxy.selection import VARIABLE
from spacetimedb_update.proxy.semver import version_or_none
from spacetimedb_update.selfinstall.search_path import export


def check_path(run: Run, there: Installation) -> Iterator[Finding]:
    """Is our command the one that a shell finds?"""
    command, separator = run.site.command, ";" if run.site.windows else ":"
    folders = [Path(text) for text in run.host.environment.get("PATH", "").split(separator) if text]
    ours = _same_folder(command.parent)
    for folder in folders:
        if _same_folder(folder) == ours:
            yield Finding("path", "ok", f"{command.parent} is on PATH")
            return
        if run.host.files.is_executable(folder / command.name):
            yield Finding(
                "path",
                "problem",
                f"{folder / command.name} comes before {command} on PATH, so it is what runs",
                export(command.parent),
            )
            return
    mend = f"{_self_install(run, command)} --modify-path"
    yield Finding("path", "warning", f"{command.parent} is not on PATH", mend)


def _self_install(run: Run, program: Path) -> str:
    """By the program's path: its name would not be found."""
    root = f" --root-dir {quoted(run.root)}" if run.root is not None else ""
    return f"{quoted(str(program.absolute()))}{root} self-install"


def _same_folder(folder: Path) -> str:
    return os.path.realpath(folder)


def check_command(run: Run, there: Installation) -> Iterator[Finding]:
    """Is `spacetime` the update program of an installed version?"""
    command, files = run.site.command, run.host.files
    if files.kind(command) is None:
        yield Finding("command", "problem", f"{command} is missing", _self_install(run, run.host.program))
    elif there.command is None:
        yield Finding(
            "command",
            "warning",
            f"{command} is no program of an installed version: it is not updated with them",
            "spacetime version upgrade",
        )
    elif (home := there.find(there.command)) is None or not home.has_update:
        yield Finding(
            "command",
            "problem",
            f"{command} leads to version {there.command}, which has no spacetimedb-update",
            f"spacetime version install {there.command}",
        )
    else:
        yield Finding("command", "ok", f"{command} is the update program of {there.command}")


def check_current(run: Run, there: Installation) -> Iterator[Finding]:
    """Does `current` lead to a version that can run?"""
    site = run.site
    if there.current is None:
        yield _no_current(run, there)
        return
    found = there.find(there.current)
    if found is None or not found.has_cli:
        state = "not installed" if found is None else "damaged"
        mend = f"spacetime version install {there.current} --use"
        if version_or_none(there.current) is None:
            mend = _select_another(there)
        yield Finding("current", "problem", f"version {there.current} is selected, but {state}", mend)
    elif there.has_whole_path:
        text = link_text(run.host.files, site.current)
        yield Finding(
            "current",
            "warning",
            f"{site.current} holds the whole path {text}: it breaks when the folder is moved",
            f"spacetime version use {there.current}",
        )
    else:
        yield Finding("current", "ok", f"version {there.current} is selected")


def _no_current(run: Run, there: Installation) -> Finding:
    current = run.site.current
    kind = run.host.files.kind(current)
    text = "no version is selected" if kind is None else f"{current} is no link"
    mend = f"mv '{current}' '{current}.old'" if kind == "directory" else _select_another(there)
    return Finding("current", "problem", text, mend)


def _select_another(there: Installation) -> str:
    """Without a network, if a version is there."""
    for version in there.versions:
        if version.has_cli and version_or_none(version.name):
            return f"spacetime version use {version.name}"
    return "spacetime version upgrade"


def check_links(run: Run, there: Installation) -> Iterator[Finding]:
    """Do the names that stand for programs elsewhere still lead there?"""
    links = [version for version in there.versions if version.link is not None]
    if all(version.has_cli for version in links):
        yield Finding("links", "ok", f"{len(links)} links to programs elsewhere, each leads there")
    for version in links:
        if not version.has_cli:
            yield Finding(
                "links",
                "problem",
                f"{version.name} leads to {version.link}, where no spacetimedb-cli is",
                f"spacetime version uninstall {version.name}",
            )


def check_request(run: Run, there: Installation) -> Iterator[Finding]:
    """Do the environment and the project around here ask for a version that is there?"""
    name, source = run.host.environment.get(VARIABLE, ""), f"the environment variable {VARIABLE}"
    try:
        pin = nearest_pin(str(run.host.working_directory))
    except Failure as failure:
        yield Finding("pin", "problem", str(failure), "correct or remove the file")
        return
    if not name and pin is not None:
        name, source = pin
    if name and there.find(name) is None:
        yield Finding(
            "pin",
            "problem",
            f"{source} asks for version {name}, which is not installed",
            f"spacetime version install {name}",
        )
    elif name:
        yield Finding("pin", "ok", f"{source} asks for version {name}")
    else:
        yield Finding("pin", "ok", "neither the environment nor a project around here asks for a version")
