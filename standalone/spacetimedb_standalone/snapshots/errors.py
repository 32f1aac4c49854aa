"""What can be wrong with a snapshot."""

from __future__ import annotations

from pathlib import Path


class SnapshotError(Exception):
    """Anything that keeps a snapshot from being written or used."""


class SnapshotDamage(SnapshotError):
    """The bytes of a snapshot are not what was written. `position` is where the first bad chunk begins."""

    def __init__(self, path: Path, position: int, cause: str) -> None:
        super().__init__(f"{path.name} is damaged at byte {position}: {cause}")
        self.path = path
        self.position = position


class SnapshotTooNew(SnapshotError):
    """A server of a later version has written it. It is not touched."""

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(f"{path.name} is of format version {version}; start the server that wrote it")
