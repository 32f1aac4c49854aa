"""Named places between the steps of a change, where a test can stop the process for good."""

from __future__ import annotations

from typing import Protocol

POINTS = (
    "locked",  # nothing else changes the installation now
    "recovered",  # what an interrupted run left is mended
    "journaled",  # the journal names the change
    "fetching",  # a part of the archive is here
    "fetched",  # the archive is here, and is what the metadata names
    "unpacking",  # a part of the files is in staging
    "unpacked",  # all files are in staging, checked against the signed list
    "synced",  # and on the disk
    "displaced",  # a damaged version with the same name is out of the way
    "placed",  # the version has its final name
    "backing-up",  # a part of the data directory is copied
    "backed-up",  # the backup is whole
    "data-set-aside",  # the data directory has another name
    "data-put-back",  # the backup has its name
    "link-prepared",  # the new link exists under another name
    "selected",  # `current` leads to the version
    "recorded",  # the history knows it
    "command-prepared",  # the new `spacetime` exists under another name
    "command-retired",  # on Windows: the old `spacetime` has another name
    "command-pointed",  # `spacetime` is the update program of the version
    "withdrawn",  # the version is in the trash
    "deleted",  # and gone
    "tidied",  # downloads and staging are empty
    "finished",  # the journal is removed
)


class CrashPoints(Protocol):
    def reached(self, point: str) -> None:
        """The process has come to one of `POINTS`."""
        ...


class NoCrashPoints:
    """Production: nothing happens there."""

    def reached(self, point: str) -> None:
        return None
