"""What the installer put outside of its own folders, so that exactly that can be taken away.

JSON: `{"completions": ["/home/ann/…"], "start_up_files": ["/home/ann/.bashrc"], "user_path": ""}`; `user_path`
is the folder that was added to the user's PATH on Windows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_update.ports.file_trees import read_or_none, replace_file
from spacetimedb_update.ports.files import Files


@dataclass(frozen=True, slots=True)
class InstallRecord:
    completions: tuple[str, ...] = ()
    start_up_files: tuple[str, ...] = ()
    user_path: str = ""

    @classmethod
    def read(cls, files: Files, path: Path) -> InstallRecord:
        """Nothing, where there is no record or none that can be read."""
        try:
            table = json.loads(read_or_none(files, path) or b"{}")
            return cls(tuple(table["completions"]), tuple(table["start_up_files"]), str(table["user_path"]))
        except (ValueError, KeyError, TypeError):
            return cls()

    def including(self, other: InstallRecord) -> InstallRecord:
        """What either knows: an earlier installation's traces stay known."""
        return InstallRecord(
            tuple(dict.fromkeys((*self.completions, *other.completions))),
            tuple(dict.fromkeys((*self.start_up_files, *other.start_up_files))),
            other.user_path or self.user_path,
        )

    def write(self, files: Files, path: Path) -> None:
        table = {
            "completions": self.completions,
            "start_up_files": self.start_up_files,
            "user_path": self.user_path,
        }
        replace_file(files, path, (json.dumps(table) + "\n").encode())
