"""From what is there and what is wanted to a plan. Nothing here touches anything.

Each function takes an `Installation` and raises `UserError` where the wish cannot be granted. A plan for
what is already so is empty: running a command again, also after a crash, is always right.
"""

from __future__ import annotations

from spacetimedb_update.changes.steps import (
    BackUp,
    DeleteBackup,
    Download,
    Link,
    Place,
    Plan,
    PointCommand,
    PutBack,
    Select,
    Step,
    Tidy,
    Unpack,
    Withdraw,
)
from spacetimedb_update.errors import UserError
from spacetimedb_update.installation.formats import can_open
from spacetimedb_update.installation.survey import Backup, Installation, Installed
from spacetimedb_update.proxy.names import CURRENT, is_version_name
from spacetimedb_update.proxy.semver import Version, version_or_none
from spacetimedb_update.releases.catalogue import Artifact


class NeedsBackup(UserError):
    """A rollback is refused because of the data; `backup` would make it possible, if there is one."""

    def __init__(self, reason: str, advice: str, backup: Backup | None) -> None:
        super().__init__(f"{reason}{advice}")
        self.reason = reason
        self.backup = backup


def nothing(operation: str, version: str) -> Plan:
    """Nothing is left to do: an interrupted run had come far enough."""
    return Plan(operation, version, ())


def already_installed(there: Installation, version: str, select: bool) -> Plan:
    """For a release that is there and sound."""
    return Plan("install", version, (*_clear(there), *(_select(there, version) if select else ())))


def install(there: Installation, artifact: Artifact, is_damaged: bool, select: bool) -> Plan:
    """Bring a release in, and select it if asked to. `is_damaged`: what has its name is to be replaced."""
    version = artifact.version
    steps: list[Step] = _bring_in(there, artifact, is_damaged)
    if select:
        steps += _select(there, version)
    return Plan("install", version, tuple(steps))


def upgrade(there: Installation, artifact: Artifact, is_damaged: bool, with_backup: bool) -> Plan:
    """Bring the latest release in, back up the data where its format may change, select it, update itself."""
    version = artifact.version
    steps: list[Step] = _bring_in(there, artifact, is_damaged)
    if with_backup and there.current not in (None, version):
        steps += _back_up(there, version)
    steps += _select(there, version)
    if _is_newer_command(there, version):
        steps.append(PointCommand(version))
    return Plan("upgrade", version, tuple(steps))


def _bring_in(there: Installation, artifact: Artifact, is_damaged: bool) -> list[Step]:
    found = there.find(artifact.version)
    if found is not None:
        if not is_damaged:
            return _clear(there)
        _refuse_to_replace(found)
    return [Download(artifact), Unpack(artifact), Place(artifact.version, found is not None), Tidy()]


def _clear(there: Installation) -> list[Step]:
    """A run that was stopped after the version was in place has left what it was made from."""
    return [Tidy()] if there.has_downloads else []


def _refuse_to_replace(found: Installed) -> None:
    if found.link is not None:
        raise UserError(
            f"{found.name} is a link to {found.link}: remove it first with "
            f"`spacetime version uninstall {found.name}`"
        )
    if not found.is_release:
        raise UserError(
            f"bin/{found.name} was placed there by hand: remove it first with "
            f"`spacetime version uninstall {found.name}`"
        )


def _back_up(there: Installation, version: str) -> list[Step]:
    written_by, current = there.data_written_by(), there.current
    if written_by is None or current is None or can_open(current, version):
        return []
    return [BackUp(written_by, version, current)]


def _select(there: Installation, version: str) -> list[Step]:
    return [] if there.current == version and not there.has_whole_path else [Select(version)]


def _is_newer_command(there: Installation, version: str) -> bool:
    """Never back to an older update program: it may not know what the newer one left."""
    mine = version_or_none(there.command or "")
    return mine is None or Version(version) > mine or there.find(there.command or "") is None


def use(there: Installation, name: str) -> Plan:
    """Select a version that is installed."""
    _check_runnable(there, name)
    return Plan("use", name, tuple(_select(there, name)))


def _check_runnable(there: Installation, name: str) -> None:
    found = there.find(name)
    if found is None:
        raise UserError(
            f"v{name} is not installed: `spacetime version install {name} --use` installs and selects it"
        )
    if found.has_cli:
        return
    mend = f"`spacetime version install {name}` installs it again"
    if found.link is None and not found.is_release:
        mend = f"build it once more into bin/{name}, or remove it with `spacetime version uninstall {name}`"
    if found.link is not None:
        mend = f"`spacetime version link {name} PATH` corrects the link to {found.link}"
    raise UserError(f"v{name} is damaged, it has no spacetimedb-cli: {mend}")


def rollback(there: Installation, to: str | None = None) -> Plan:
    """Select the version before the current one; `to`, where an interrupted rollback had chosen it.

    Raises `UserError` with the reason where that version cannot open the data any more.
    """
    previous = to or there.previous()
    if previous is None:
        raise UserError(
            "there is nothing to go back to: no other version that is still installed was selected before"
        )
    _check_runnable(there, previous)
    written_by = there.data_written_by()
    if written_by is not None and not can_open(previous, written_by):
        raise _why_not_back(there, previous)
    return Plan("rollback", previous, tuple(_select(there, previous)))


def _why_not_back(there: Installation, previous: str) -> NeedsBackup:
    reason = (
        f"cannot go back to {previous}: the data directory was already written by {there.data_version}, "
        f"whose format {previous} cannot open"
    )
    backup = there.newest_backup(previous)
    if backup is None:
        advice = f", and there is no backup from before: stay, or start {previous} with another --data-dir"
        return NeedsBackup(reason, advice, None)
    advice = (
        f". A backup from before the upgrade to {backup.before} exists ({backup.taken:%Y-%m-%d %H:%M} UTC, "
        f"{backup.folder}): `spacetime version rollback --restore-backup` puts it back and sets the present "
        "data aside"
    )
    return NeedsBackup(reason, advice, backup)


def rollback_with_backup(there: Installation, to: str | None = None) -> Plan:
    """Go back with the data from before the upgrade, if the data is in the way; what was written since is kept."""
    previous = to or there.previous()
    written_by = there.data_written_by()
    if previous is None or written_by is None or can_open(previous, written_by):
        return rollback(there, to)
    _check_runnable(there, previous)
    backup = there.newest_backup(previous)
    if backup is None:
        raise _why_not_back(there, previous)
    if there.server is not None:
        raise UserError(
            f"a server (process {there.server.pid}) uses the data directory: stop it, then run the command again"
        )
    return Plan("rollback", previous, (PutBack(backup), *_select(there, previous)))


def uninstall(there: Installation, name: str) -> Plan:
    """Remove a version that nothing needs."""
    if name == CURRENT:
        raise UserError("cannot remove `current` version")
    if name == there.current:
        raise UserError("cannot uninstall currently used version")
    found = there.find(name) if is_version_name(name) else None
    if found is None:
        raise UserError(f"v{name} is not installed")
    if there.server is not None and there.server.version == name:
        raise UserError(
            f"a server (process {there.server.pid}) of v{name} is running: stop it, then run the command again"
        )
    steps: list[Step] = []
    if there.command == name:
        steps.append(PointCommand(_other_home(there, name)))
    return Plan("uninstall", name, (*steps, Withdraw(name, found.link is not None)))


def _other_home(there: Installation, name: str) -> str:
    """The newest other version that `spacetime` can be the update program of."""
    for other in there.versions:
        if other.name != name and other.has_update and other.link is None:
            return other.name
    raise UserError(
        f"`spacetime` itself is a program of v{name}, and no other version has it: install another version "
        "first, or remove everything with `spacetime self-uninstall`"
    )


def link(there: Installation, name: str, target: str, select: bool) -> Plan:
    """Let a name stand for a folder elsewhere."""
    if name == CURRENT:
        raise UserError("name cannot be `current`")
    if not is_version_name(name):
        raise UserError(
            f"`{name}` cannot be the name of a version: use letters, digits, `.`, `_`, `+` and `-`"
        )
    found = there.find(name)
    if found is not None and found.link is None:
        raise UserError("could not link custom version") from UserError("version already exists")
    steps: list[Step] = [] if found is not None and found.link == target else [Link(name, target)]
    if select:
        steps += _select(there, name)
    return Plan("link", name, tuple(steps))


def gc(there: Installation, keep: frozenset[str], keep_backups: int = 1) -> Plan:
    """Remove every version that nothing selects.

    Kept are: the current version, the one before it (for `rollback`), the home of `spacetime`, the one of a
    running server, links, versions placed by hand, and `keep` (pins and requests that the caller knows of).
    Backups but the newest go too.
    """
    server = there.server.version if there.server is not None else None
    needed = {there.current, there.previous(), there.command, server, *keep}
    steps: list[Step] = [
        Withdraw(entry.name, False)
        for entry in there.versions
        if entry.is_release and entry.name not in needed
    ]
    steps += [DeleteBackup(backup) for backup in _old_backups(there.backups, keep_backups)]
    return Plan("gc", "", (*steps, Tidy()))


def _old_backups(backups: tuple[Backup, ...], keep: int) -> list[Backup]:
    newest_first = sorted(backups, key=lambda backup: backup.taken, reverse=True)
    return newest_first[keep:]
