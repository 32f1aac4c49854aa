"""Carrying out a plan: one method for each kind of step.

The order within each step is what makes it safe to be killed: write elsewhere, bring it to the disk,
rename. An error takes back what is half-done and leaves the rest as it was; a kill leaves that to the
next run (`recovery`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from spacetimedb_update.changes.arrival import Arrival, Supply
from spacetimedb_update.changes.backup import back_up
from spacetimedb_update.changes.journal import Journal, remove_journal
from spacetimedb_update.changes.recovery import ASIDE_PREFIX, recover, sweep
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
from spacetimedb_update.errors import DiskError, RepositoryError, is_full
from spacetimedb_update.host import Host
from spacetimedb_update.installation.history import record_selection
from spacetimedb_update.installation.links import current_name, point_command, select_version
from spacetimedb_update.installation.site import Site
from spacetimedb_update.installation.survey import BACKUP_DATA
from spacetimedb_update.ports.file_trees import (
    remove_tree,
)

RESUMED = ("rollback", "uninstall")
"""Changes whose journal outlives an error: the same command means something else once they are made."""


class Executor:
    """Carries out plans; needs the lock and a recovered installation."""

    def __init__(self, site: Site, host: Host, supply: Supply | None = None) -> None:
        self._site = site
        self._host = host
        self._supply = supply

    def run(self, plan: Plan) -> None:
        """Carry out every step, or raise and leave what was there as it was.

        An empty plan only says that an interrupted one, if there was one, has come to its end.
        """
        if not plan.steps:
            return remove_journal(self._site, self._host)
        self._check_space(plan)
        journal = Journal(plan.operation, plan.version, self._now())
        try:
            self._announce(plan, journal)
            self._host.crash_points.reached("journaled")
            for step in plan.steps:
                self._step(step, journal)
            remove_journal(self._site, self._host)
        except Exception as error:
            self._take_back(plan, error)
            raise
        return self._host.crash_points.reached("finished")

    def _announce(self, plan: Plan, journal: Journal) -> None:
        """What only removes needs no journal: the next run deletes what has lost its name."""
        try:
            journal.write(self._site, self._host)
        except OSError as error:
            if not (is_full(error) and plan.only_makes_room):
                raise

    def _take_back(self, plan: Plan, error: Exception) -> None:
        """As far as the trouble that led here allows; the next run does the rest.

        Downloads stay, to go on with, unless they are what is wrong.
        """
        with suppress(OSError):
            if isinstance(error, RepositoryError):
                self._clear_downloads()
            recover(self._site, self._host)
            if plan.operation not in RESUMED:
                remove_journal(self._site, self._host)

    def _now(self) -> datetime:
        return self._host.clock.now()

    def _check_space(self, plan: Plan) -> None:
        needed, free = plan.disk_bytes, self._host.files.free_bytes(self._site.update_dir)
        if needed > free:
            raise DiskError(
                f"v{plan.version} needs {needed >> 20} MiB at {self._site.bin_dir}, where {free >> 20} MiB are free: "
                "free some space (`spacetime version gc` helps), then run the command again"
            )

    def _step(self, step: Step, journal: Journal) -> None:
        match step:
            case Download(artifact):
                self._arrival().download(artifact)
            case Unpack(artifact):
                self._arrival().unpack(artifact)
            case Place(version, displaces):
                self._arrival().place(version, displaces)
            case BackUp(written_by, before, _):
                back_up(self._site, self._host, written_by, before, self._now())
                self._host.crash_points.reached("backed-up")
            case Select(version):
                self._select(version)
            case PointCommand(version):
                point_command(self._site, self._host, version)
                self._host.crash_points.reached("command-pointed")
            case Withdraw(name, is_link):
                self._withdraw(name, is_link)
            case Link(name, target):
                self._link(name, target)
            case PutBack():
                self._put_back(step, journal)
            case DeleteBackup(backup):
                self._discard(backup.folder)
            case Tidy():
                self._tidy()

    def _arrival(self) -> Arrival:
        assert self._supply is not None
        return Arrival(self._site, self._host, self._supply)

    def _clear_downloads(self) -> None:
        files = self._host.files
        for name in files.names(self._site.downloads):
            remove_tree(files, self._site.downloads / name)

    def _tidy(self) -> None:
        self._clear_downloads()
        sweep(self._site, self._host)
        self._host.crash_points.reached("tidied")

    # --- selecting and removing ---

    def _select(self, version: str) -> None:
        before = current_name(self._site, self._host.files)
        if before is not None:  # it may have been selected by other means than this program
            record_selection(self._host.files, self._site.history, before)
        select_version(self._site, self._host, version)
        self._host.crash_points.reached("selected")
        record_selection(self._host.files, self._site.history, version)
        self._host.crash_points.reached("recorded")

    def _withdraw(self, name: str, is_link: bool) -> None:
        if is_link:
            remove_tree(self._host.files, self._site.version_dir(name))
        else:
            self._discard(self._site.version_dir(name))
        self._host.files.sync_directory(self._site.bin_dir)

    def _discard(self, folder: Path) -> None:
        """Delete a folder: it has lost its name before its first file goes."""
        files = self._host.files
        files.make_directory(self._site.trash)
        remove_tree(files, self._site.trash / folder.name)
        files.rename(folder, self._site.trash / folder.name)
        self._host.crash_points.reached("withdrawn")
        remove_tree(files, self._site.trash / folder.name)
        self._host.crash_points.reached("deleted")

    def _link(self, name: str, target: str) -> None:
        files, place = self._host.files, self._site.version_dir(name)
        files.make_directory(self._site.bin_dir)
        remove_tree(files, place)
        if self._site.windows:
            files.make_junction(place, Path(target))
        else:
            files.make_link(place, target)
        files.sync_directory(self._site.bin_dir)

    # --- data ---

    def _put_back(self, step: PutBack, journal: Journal) -> None:
        files, data = self._host.files, self._site.data_dir
        aside = f"{ASIDE_PREFIX}{self._now():%Y%m%dT%H%M%S.%f}"
        replace(journal, backup=step.backup.name, aside=aside).write(self._site, self._host)
        files.make_directory(self._site.backups / aside)
        if files.exchange(step.backup.data, data):
            self._host.crash_points.reached("data-put-back")
            files.rename(step.backup.data, self._site.backups / aside / BACKUP_DATA)
        else:
            files.rename(data, self._site.backups / aside / BACKUP_DATA)
            self._host.crash_points.reached("data-set-aside")
            files.rename(step.backup.data, data)
            self._host.crash_points.reached("data-put-back")
        remove_tree(files, step.backup.folder)
        self._host.terminal.err(
            f"The data from until now is kept at {self._site.backups / aside / BACKUP_DATA}"
        )
