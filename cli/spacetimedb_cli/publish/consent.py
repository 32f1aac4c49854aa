"""The questions before publishing, and what `--yes` answers beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spacetimedb_cli.client.publishing import AutoMigration, ManualMigration
from spacetimedb_cli.errors import ArgumentError, UserError
from spacetimedb_cli.publish.requests import ClearMode
from spacetimedb_cli.terminal import Terminal

QUESTIONS = ("remote", "migrate", "break-clients", "skip-login", "delete-data")
LOCAL_HOSTS = ("localhost", "127.0.0.1")
UPGRADE = """\
This database was made by a module for SpacetimeDB 1.0, and the new module is for version 2.0.
Please read https://spacetimedb.com/docs/upgrade before you go on.
WARNING: Once you publish you cannot revert back to version 1.0.
"""


def parse_yes(values: Iterable[str]) -> frozenset[str]:
    """The questions that need no answer, from the lists given to `--yes`."""
    answered: set[str] = set()
    for word in (word for value in values for word in value.split(",")):
        if word not in ("all", *QUESTIONS):
            raise ArgumentError(
                f"invalid value '{word}' for '--yes[=<yes>]'\n"
                f"  [possible values: all, {', '.join(QUESTIONS)}]"
            )
        answered |= set(QUESTIONS) if word == "all" else {word}
    return frozenset(answered)


@dataclass(frozen=True, slots=True)
class Consent:
    """Asks at `terminal`, except what is in `answered`. A refusal raises `UserError`."""

    terminal: Terminal
    answered: frozenset[str]

    def to_publish_on(self, host: str) -> None:
        """Databases on servers elsewhere may matter to other people."""
        if host in LOCAL_HOSTS:
            return
        self.terminal.out(f"You are about to publish to a non-local server: {host}")
        if not self._agreed("Are you sure you want to proceed?", "remote"):
            raise UserError("Publish aborted by user.")

    def to_destroy(self, name: str) -> None:
        self.terminal.out(f"This will DESTROY the current {name} module, and ALL corresponding data.")
        if not self._agreed(f"Are you sure you want to proceed? [deleting {name}]", "delete-data"):
            raise UserError("Aborted.")

    def to_migrate(self, migration: AutoMigration, break_clients: bool) -> None:
        """Shows the plan. Clients that break are only agreed to in so many words, or by an option."""
        self.terminal.out(migration.plan)
        self._to_upgrade(migration)
        if not migration.breaks_clients:
            return
        question = "The above changes will BREAK existing clients. Do you want to proceed?"
        if not self.terminal.confirm(question, break_clients or "break-clients" in self.answered):
            self.terminal.out("Aborting")
            raise UserError("Publishing aborted by user")

    def to_clear_instead(self, migration: ManualMigration, clear: ClearMode) -> None:
        """Where data cannot be carried over it may go, if that was allowed beforehand."""
        self.terminal.out(migration.reason)
        if clear != "on-conflict":
            self.terminal.out("Aborting publish due to required manual migration.")
            raise UserError(
                "Aborting because publishing would require manual migration or deletion of data and "
                "--delete-data was not specified."
            )
        self._to_upgrade(migration)
        self.terminal.out("Proceeding with database clear due to --delete-data=on-conflict.")

    def _to_upgrade(self, migration: AutoMigration | ManualMigration) -> None:
        if not migration.major_version_upgrade:
            return
        self.terminal.out(UPGRADE)
        if "migrate" in self.answered:
            self.terminal.out("Skipping confirmation due to --yes")
            return
        self.terminal.out("Please type 'upgrade' to accept this change: ", end="")
        try:
            accepted = self.terminal.read_line().strip() == "upgrade"
        except EOFError:
            accepted = False
        if not accepted:
            raise UserError("Aborting because major version upgrade was not accepted.")

    def _agreed(self, question: str, kind: str) -> bool:
        return self.terminal.confirm(question, kind in self.answered)
