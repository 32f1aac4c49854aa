"""What is trusted of the release repository, as it stands on this machine.

::

    {update}/metadata/  {N}.root.json …  targets.json  snapshot.json  timestamp.json

Nothing is believed because it lies here: everything is verified again, from the anchor on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_update.ports.file_trees import read_or_none, replace_file
from spacetimedb_update.ports.files import Files
from spacetimedb_update.releases.layout import versioned

ROLES_STORED = ("snapshot", "targets", "timestamp")


@dataclass(frozen=True, slots=True)
class MetadataStore:
    folder: Path
    files: Files

    def root(self, version: int) -> bytes | None:
        return read_or_none(self.files, self.folder / versioned("root", version))

    def newest_root(self) -> bytes | None:
        """The root with the highest number."""
        numbers = [int(name.split(".")[0]) for name in self.files.names(self.folder) if _is_root(name)]
        return self.root(max(numbers)) if numbers else None

    def role(self, name: str) -> bytes | None:
        return read_or_none(self.files, self.folder / f"{name}.json")

    def keep_root(self, version: int, data: bytes) -> None:
        self._keep(versioned("root", version), data)

    def keep(self, documents: Mapping[str, bytes]) -> None:
        """Store the newest metadata, the timestamp last: it says what belongs together."""
        for role in ROLES_STORED:
            self._keep(f"{role}.json", documents[role])

    def _keep(self, name: str, data: bytes) -> None:
        path = self.folder / name
        if read_or_none(self.files, path) != data:
            replace_file(self.files, path, data)


def _is_root(name: str) -> bool:
    number, _, rest = name.partition(".")
    return number.isdigit() and rest == "root.json"
