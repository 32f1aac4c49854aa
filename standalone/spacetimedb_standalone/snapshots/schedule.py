"""When the next snapshot is due."""

from __future__ import annotations

from dataclasses import dataclass

from spacetimedb_standalone.config.settings import SnapshotSettings


@dataclass(slots=True)
class Progress:
    """What has been logged since the last snapshot was begun. A new one is due by whichever limit comes first.

    A limit of zero is none. `began` is when the first transaction came, on the clock of `is_due`'s caller.
    """

    settings: SnapshotSettings
    logged_bytes: int = 0
    transactions: int = 0
    began: float | None = None

    def logged(self, size: int, transactions: int, now: float) -> None:
        """So many bytes and transactions went to the log."""
        if self.began is None:
            self.began = now
        self.logged_bytes += size
        self.transactions += transactions

    def is_due(self, now: float) -> bool:
        if not self.settings.enabled or self.began is None:
            return False
        limits = self.settings
        return (
            0 < limits.every_bytes <= self.logged_bytes
            or 0 < limits.every_transactions <= self.transactions
            or 0 < limits.every <= now - self.began
        )

    def restart(self) -> None:
        """A snapshot holds all that was logged so far, or could not be taken now."""
        self.logged_bytes = self.transactions = 0
        self.began = None
