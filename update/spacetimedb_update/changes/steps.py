"""What a plan is made of. A step says what it does; how is the executor's business."""

from __future__ import annotations

from dataclasses import dataclass

from spacetimedb_update.installation.survey import Backup
from spacetimedb_update.releases.catalogue import Artifact


@dataclass(frozen=True, slots=True)
class Download:
    """Get the archive and its signed list, or what is missing of them."""

    artifact: Artifact

    def __str__(self) -> str:
        return (
            f"download {self.artifact.archive.name} ({self.artifact.archive.size} bytes) and check its hash"
        )


@dataclass(frozen=True, slots=True)
class Unpack:
    """Unpack into staging, against the signed list, and bring everything to the disk."""

    artifact: Artifact

    def __str__(self) -> str:
        return f"unpack {self.artifact.file_name} beside, checking every file"


@dataclass(frozen=True, slots=True)
class Place:
    """Give the staged version its name; `displaces`: a damaged one with that name goes first."""

    version: str
    displaces: bool

    def __str__(self) -> str:
        return f"move it to bin/{self.version}" + (", replacing the damaged one" if self.displaces else "")


@dataclass(frozen=True, slots=True)
class BackUp:
    """Copy the data directory, because `before` may write what `readable_by` cannot read."""

    written_by: str
    before: str
    readable_by: str

    def __str__(self) -> str:
        return f"back up the data directory: {self.readable_by} cannot open what {self.before} writes"


@dataclass(frozen=True, slots=True)
class Select:
    version: str

    def __str__(self) -> str:
        return f"let bin/current lead to {self.version}"


@dataclass(frozen=True, slots=True)
class PointCommand:
    """The self-update: `spacetime` becomes the update program of a version."""

    version: str

    def __str__(self) -> str:
        return f"let `spacetime` be the update program of {self.version}"


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take a version, or a link to one, out of `bin/` and delete it."""

    name: str
    is_link: bool

    def __str__(self) -> str:
        return f"remove the link bin/{self.name}" if self.is_link else f"delete bin/{self.name}"


@dataclass(frozen=True, slots=True)
class Link:
    """Let `bin/{name}` lead to a folder elsewhere."""

    name: str
    target: str

    def __str__(self) -> str:
        return f"let bin/{self.name} lead to {self.target}"


@dataclass(frozen=True, slots=True)
class PutBack:
    """Set the data directory aside and give a backup its name."""

    backup: Backup

    def __str__(self) -> str:
        return f"set the data directory aside and put back the backup {self.backup.name}"


@dataclass(frozen=True, slots=True)
class DeleteBackup:
    backup: Backup

    def __str__(self) -> str:
        return f"delete the backup {self.backup.name}"


@dataclass(frozen=True, slots=True)
class Tidy:
    """Delete downloads, staging and trash."""

    def __str__(self) -> str:
        return "delete what is left of downloads"


Step = (
    Download
    | Unpack
    | Place
    | BackUp
    | Select
    | PointCommand
    | Withdraw
    | Link
    | PutBack
    | DeleteBackup
    | Tidy
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order. `operation` and `version` are what the journal and other processes are told."""

    operation: str
    version: str
    steps: tuple[Step, ...]

    def lines(self) -> list[str]:
        """The plan for people, a line for each step."""
        return [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]

    @property
    def only_makes_room(self) -> bool:
        """Does it only remove? Such a plan is the way out of a full disk."""
        return all(isinstance(step, Withdraw | DeleteBackup | Tidy) for step in self.steps)

    @property
    def disk_bytes(self) -> int:
        """What downloading and unpacking take; a backup is counted by whoever copies it."""
        return sum(
            step.artifact.archive.size + step.artifact.unpacked_bytes
            for step in self.steps
            if isinstance(step, Download)
        )
