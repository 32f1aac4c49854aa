"""Paths of the version manager's own records, beside the folder of installed versions.

::

    {update}/
      lock   lock-owner        one change at a time, and who makes it
      journal.json             the change that is under way
      history.json             the versions selected, oldest first
      metadata/                what is trusted of the release repository
      downloads/               archives, whole and partial, by their hash
      staging/   trash/        versions coming and going; always on the file system of `bin/`
      backups/{name}/          data directories from before an upgrade
      self-install.json        what the installer put outside of these folders
"""

from __future__ import annotations

from spacetimedb_paths.typed import TypedDir, TypedFile


class UpdateDir(TypedDir):
    __slots__ = ()

    def lock_file(self) -> TypedFile:
        return TypedFile(self.pure / "lock")

    def lock_owner(self) -> TypedFile:
        return TypedFile(self.pure / "lock-owner")

    def journal(self) -> TypedFile:
        return TypedFile(self.pure / "journal.json")

    def history(self) -> TypedFile:
        return TypedFile(self.pure / "history.json")

    def self_install_record(self) -> TypedFile:
        return TypedFile(self.pure / "self-install.json")

    def trusted_metadata(self) -> TypedDir:
        return TypedDir(self.pure / "metadata")

    def downloads(self) -> TypedDir:
        return TypedDir(self.pure / "downloads")

    def staging(self) -> TypedDir:
        return TypedDir(self.pure / "staging")

    def trash(self) -> TypedDir:
        return TypedDir(self.pure / "trash")

    def backups(self) -> TypedDir:
        return TypedDir(self.pure / "backups")
