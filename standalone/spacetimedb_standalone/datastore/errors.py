"""What keeps a database from being opened, created or updated."""

from __future__ import annotations


class StorageError(Exception):
    """The data of the database cannot be used: damaged, foreign, locked, or refused by the disk."""


class WrongDatabase(StorageError):
    """The directory holds another database, or another owner's, than was asked for."""


class UpdateError(Exception):
    """The new definition of a module cannot be carried out on the data there is. The publisher's fault."""


class InitError(Exception):
    """A new module asks for something that cannot be created. The publisher's fault."""
