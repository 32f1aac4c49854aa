"""What a check of a data directory has found, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    DAMAGE = "damage"
    """Something is lost or unreadable that was there once; the exit status tells it."""
    WARNING = "warning"
    """Nothing is lost, but somebody should look."""
    NOTE = "note"
    """As it may well be; said for completeness."""


@dataclass(frozen=True, slots=True)
class Span:
    """Transactions `first` to `last`; `last` None: to the end of the log, whose number nobody knows."""

    first: int
    last: int | None

    def __str__(self) -> str:
        if self.last is None:
            return f"transactions from {self.first} on"
        return (
            f"transaction {self.first}"
            if self.first == self.last
            else f"transactions {self.first} to {self.last}"
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, where it is, and what to do about it."""

    severity: Severity
    path: Path
    what: str
    advice: str
    position: int | None = None
    """In bytes from the beginning of the file (of the uncompressed segment, for a sealed one)."""
    transactions: Span | None = None


@dataclass(slots=True)
class Findings:
    """Collects what is found, and how much was looked at."""

    found: list[Finding] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)
    """How many of what were checked, by the plural of the thing."""

    def damage(
        self, path: Path, what: str, advice: str, position: int | None = None, span: Span | None = None
    ) -> None:
        self.found.append(Finding(Severity.DAMAGE, path, what, advice, position, span))

    def warning(
        self, path: Path, what: str, advice: str, position: int | None = None, span: Span | None = None
    ) -> None:
        self.found.append(Finding(Severity.WARNING, path, what, advice, position, span))

    def note(self, path: Path, what: str, advice: str = "nothing needs to be done") -> None:
        self.found.append(Finding(Severity.NOTE, path, what, advice))

    def count(self, things: str, number: int = 1) -> None:
        self.checked[things] = self.checked.get(things, 0) + number

    @property
    def is_damaged(self) -> bool:
        return any(finding.severity is Severity.DAMAGE for finding in self.found)
