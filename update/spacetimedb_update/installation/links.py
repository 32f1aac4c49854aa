"""The link `current` and the command `spacetime`: how each is read, and how it is switched.

On Unix both are symbolic links, and switching one is a rename over the old one: whoever looks sees the
old or the new. Windows has neither of that: `current` is a junction, which must go before the new one
can come, and `spacetime.exe` is a copy, whose running predecessor can be renamed but not removed. A run
that is stopped in between leaves no `current` or no command; the next one mends that.
"""

from __future__ import annotations

import os
from pathlib import Path

from spacetimedb_update.errors import UserError
from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import UPDATE, Site
from spacetimedb_update.ports.file_trees import (
    TEMPORARY,
    read_or_none,
    remove_entry,
    remove_if_there,
    replace_file,
)
from spacetimedb_update.ports.files import Files

RETIRED = ".old"


def current_name(site: Site, files: Files) -> str | None:
    """The version that `current` leads to, whether it is there or not. Old installs hold a whole path."""
    text = link_text(files, site.current)
    return base_name(text) if text is not None else None


def link_text(files: Files, link: Path) -> str | None:
    """What a link leads to, None where there is no link."""
    return files.link_text(link) if files.kind(link) == "link" else None


def base_name(text: str) -> str:
    return text.replace("\\", "/").rstrip("/").rpartition("/")[2]


def select_version(site: Site, host: Host, name: str) -> None:
    """Let `current` lead to `name`."""
    files = host.files
    if site.windows:
        if files.kind(site.current) is not None:
            remove_entry(files, site.current)
        host.crash_points.reached("link-prepared")
        files.make_junction(site.current, site.version_dir(name))
        return
    _switch(host, site.current, name, "link-prepared")


def point_command(site: Site, host: Host, version: str) -> None:
    """Let `spacetime` be the update program of `version`."""
    host.files.make_directory(site.command.parent)
    if site.windows:
        _copy_command(site, host, version)
    else:
        _switch(host, site.command, command_text(site, version), "command-prepared")


def command_text(site: Site, version: str) -> str:
    """The text of the link: relative within one root, so that the root can be moved."""
    program = site.program(version, UPDATE)
    if program.is_relative_to(site.command.parent):
        return str(program.relative_to(site.command.parent))
    return str(program.absolute())


def _switch(host: Host, link: Path, text: str, prepared: str) -> None:
    files = host.files
    if link_text(files, link) == text:
        return
    if files.kind(link) == "directory":
        raise UserError(
            f"{link} is a folder where a link should be: move it away (mv '{link}' '{link}.old'), then run the "
            "command again"
        )
    temporary = link.with_name(f".{link.name}{TEMPORARY}")
    remove_if_there(files, temporary)
    files.make_link(temporary, text)
    host.crash_points.reached(prepared)
    files.rename(temporary, link)
    files.sync_directory(link.parent)


def _copy_command(site: Site, host: Host, version: str) -> None:
    files = host.files
    temporary = site.command.with_name(f".{site.command.name}{TEMPORARY}")
    remove_if_there(files, temporary)
    files.copy(site.program(version, UPDATE), temporary)
    host.crash_points.reached("command-prepared")
    if files.kind(site.command) is not None:
        files.rename(site.command, _free_name(files, site.command))
        host.crash_points.reached("command-retired")
    files.rename(temporary, site.command)
    replace_file(files, site.command_origin, version.encode())
    remove_retired(site, files)


def _free_name(files: Files, path: Path) -> Path:
    """Programs that still run keep their retired names, so there may be several."""
    number = 0
    while files.kind(candidate := path.with_name(f"{path.name}{RETIRED}{number}")) is not None:
        number += 1
    return candidate


def remove_retired(site: Site, files: Files) -> None:
    """Remove earlier copies of the command, as far as they do not run any more."""
    for name in files.names(site.command.parent):
        if name.startswith(f"{site.command.name}{RETIRED}"):
            try:
                files.remove_file(site.command.with_name(name))
            except PermissionError:
                continue  # it runs: a later sweep gets it


def bring_back_command(site: Site, files: Files) -> None:
    """After a copy that was stopped when its predecessor was out of the way already."""
    if not site.windows or files.kind(site.command) is not None:
        return
    retired = [
        name for name in files.names(site.command.parent) if name.startswith(f"{site.command.name}{RETIRED}")
    ]
    if retired:
        files.rename(site.command.with_name(retired[-1]), site.command)


def remove_temporaries(site: Site, files: Files) -> None:
    """What a switch that was stopped halfway leaves behind."""
    for path in (site.current, site.command):
        remove_if_there(files, path.with_name(f".{path.name}{TEMPORARY}"))


def command_version(site: Site, files: Files) -> str | None:
    """The version whose update program `spacetime` is, None if it is none of ours."""
    if site.windows:
        return (read_or_none(files, site.command_origin) or b"").decode() or None
    text = link_text(files, site.command)
    if text is None:
        return None
    program = Path(os.path.normpath(site.command.parent / text))
    folder = Path(os.path.normpath(site.bin_dir.absolute()))
    return program.parent.name if program.absolute().parent.parent == folder else None
