"""Checks of content: versions, permissions, disk, clock, metadata, the server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spacetimedb_update.changes.journal import read_journal
from spacetimedb_update.commands.run import Run
from spacetimedb_update.doctor.finding import Finding
from spacetimedb_update.errors import UpdateError
from spacetimedb_update.installation.survey import Installation, pid_in_file
from spacetimedb_update.installation.verify import problems
from spacetimedb_update.ports.files import Files
from spacetimedb_update.proxy.advice import quoted
from spacetimedb_update.proxy.semver import version_or_none

NEEDED_BYTES = 512 << 20
"""A release, packed and unpacked, with some room."""

CLOCK_TOLERANCE = timedelta(minutes=10)


def check_versions(run: Run, there: Installation) -> Iterator[Finding]:
    """Is every installed release what was signed?"""
    releases = [version for version in there.versions if version.is_release]
    if not releases:
        yield Finding("versions", "ok", "no release is installed")
    for version in releases:
        try:
            wrong = problems(run.site, run.host.files, version.name, run.trusted_root())
        except UpdateError as error:
            wrong = [str(error)]
        if wrong:
            text = f"{version.name} is damaged: {wrong[0]}" + (
                f" ({len(wrong)} findings)" if len(wrong) > 1 else ""
            )
            yield Finding("versions", "problem", text, f"spacetime version install {version.name}")
        else:
            yield Finding("versions", "ok", f"every file of {version.name} is as it was signed")


def check_interrupted(run: Run, there: Installation) -> Iterator[Finding]:
    """Was a change interrupted and not mended yet?"""
    journal = read_journal(run.site, run.host)
    if journal is None:
        yield Finding("interrupted", "ok", "no change was interrupted")
    else:
        yield Finding(
            "interrupted",
            "warning",
            f"`{journal.operation} {journal.version}` was interrupted at {journal.started:%Y-%m-%d %H:%M} UTC",
            "run it again; any other change sweeps what it left as well",
        )


def check_data(run: Run, there: Installation) -> Iterator[Finding]:
    """Can it be told who wrote the data, which a rollback depends on?"""
    if there.data_trouble is not None:
        yield Finding("data", "problem", str(there.data_trouble), "restore the file from a backup")
    elif there.data_version is None:
        yield Finding("data", "ok", f"there are no databases in {run.site.data_dir}")
    else:
        yield Finding("data", "ok", f"version {there.data_version} wrote {run.site.data_dir}")


def check_permissions(run: Run, there: Installation) -> Iterator[Finding]:
    """May we change what is ours?"""
    site, files = run.site, run.host.files
    for folder in (site.bin_dir, site.update_dir, site.command.parent, site.config_dir, site.data_dir):
        if files.kind(folder) is not None and not files.may_write(folder):
            yield Finding("permissions", "problem", f"{folder} cannot be written", _let_write(files, folder))
            return
    yield Finding("permissions", "ok", "all folders can be written")


def _let_write(files: Files, folder: Path) -> str:
    """What removes the obstacle."""
    path = quoted(str(folder))
    match files.obstacle(folder):
        case "file system":
            return f"mount the file system of {path} so that it can be written, or use another root"
        case "owner":
            return f'sudo chown -R "$(id -un)" {path}'
        case "mode":
            return f"chmod u+rwx {path}"


def check_disk(run: Run, there: Installation) -> Iterator[Finding]:
    """Would another version fit?"""
    free = run.host.files.free_bytes(run.site.bin_dir)
    text = f"{free >> 20} MiB are free at {run.site.bin_dir}"
    if free < NEEDED_BYTES:
        yield Finding("disk", "warning", f"only {text}: another version may not fit", "spacetime version gc")
    else:
        yield Finding("disk", "ok", text)


def check_metadata(run: Run, there: Installation) -> Iterator[Finding]:
    """Is what we know of the release repository still good?"""
    from spacetimedb_update.releases.refusals import Expired, MetadataRefused
    from spacetimedb_update.releases.trusted import stored

    store, now = run.metadata_store(), run.host.clock.now()
    if store.role("timestamp") is None:
        yield Finding("metadata", "ok", "the release repository was not asked yet")
        return
    try:
        expires = min(stored(run.anchor(), store, now).expires.values())
    except Expired as error:
        yield Finding(
            "metadata",
            "warning",
            f"the stored {error.role} metadata expired on {error.expires:%Y-%m-%d %H:%M} UTC",
            "spacetime version list --all",
        )
    except (MetadataRefused, UpdateError) as error:
        yield Finding(
            "metadata", "problem", f"the stored metadata is damaged: {error}", "spacetime version list --all"
        )
    else:
        yield Finding("metadata", "ok", f"the stored metadata is good until {expires:%Y-%m-%d %H:%M} UTC")


def check_clock(run: Run, there: Installation) -> Iterator[Finding]:
    """Is the clock behind something that certainly happened?"""
    now = run.host.clock.now()
    for role in ("timestamp.json", "targets.json"):
        path = run.site.metadata / role
        if run.host.files.kind(path) is None:
            continue
        written = datetime.fromtimestamp(run.host.files.modified(path), UTC)
        if now < written - CLOCK_TOLERANCE:
            yield Finding(
                "clock",
                "problem",
                f"the clock says {now:%Y-%m-%d %H:%M} UTC, but {path} was written at {written:%Y-%m-%d %H:%M} UTC",
                "timedatectl set-ntp true",
            )
            return
    yield Finding("clock", "ok", f"the clock says {now:%Y-%m-%d %H:%M} UTC")


def check_server(run: Run, there: Installation) -> Iterator[Finding]:
    """Is the running server as new as the selected version?"""
    server = there.server
    if server is None:
        yield Finding("server", "ok", f"no server runs on {run.site.data_dir}")
        return
    mine, theirs = version_or_none(there.current or ""), version_or_none(server.version or "")
    if mine is not None and theirs is not None and theirs < mine:
        yield Finding(
            "server",
            "warning",
            f"the running server (process {server.pid}) is version {theirs}, older than the selected {mine}",
            f"kill {server.pid} && {run.advised('spacetime start')}",
        )
    else:
        yield Finding("server", "ok", f"a server runs (process {server.pid})")


def check_pid(run: Run, there: Installation) -> Iterator[Finding]:
    """Is the pid file one of a server that runs?"""
    pid, path = pid_in_file(run.site, run.host.files), run.site.paths.data_dir.pid_file()
    if pid is not None and there.server is None:
        text = f"{path} names process {pid}, which is no server any more"
        yield Finding("pid", "warning", text, f"rm '{path}'")
    else:
        yield Finding("pid", "ok", "no server left its process id behind")
