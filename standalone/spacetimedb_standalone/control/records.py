"""What control state is about, as frozen values, and the errors of changing it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from spacetimedb_lib.identity import Identity


class HostType(Enum):
    """Which kind of program a database runs; the values are the names used on the wire."""

    WASM = "Wasm"
    JS = "Js"


@dataclass(frozen=True, slots=True)
class Database:
    """`initial_program` is the hash (32 bytes) of the program that made it, not of its latest update."""

    id: int
    identity: Identity
    owner: Identity
    host_type: HostType
    initial_program: bytes


@dataclass(frozen=True, slots=True)
class Replica:
    """One incarnation of a database; its id names the directory. Emptying a database gives it a new one."""

    id: int
    database_id: int


class ControlError(Exception):
    """The change is not possible as control state stands: the caller's fault."""


class NameTaken(ControlError):
    """The name leads somewhere already."""

    def __init__(self, name: str):
        super().__init__(f"record with the name {name} already exists")
        self.name = name


class NameOfAnother(ControlError):
    """The name belongs to somebody else, whether it leads anywhere or not."""

    def __init__(self, name: str):
        super().__init__(f"the name {name} belongs to another identity")
        self.name = name


class DatabaseExists(ControlError):
    def __init__(self, identity: Identity):
        super().__init__(f"database with identity {identity} already exists")
