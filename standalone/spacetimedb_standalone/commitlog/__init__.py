"""The commit log of a database: its files, its recovery, and group commit."""

from spacetimedb_standalone.commitlog.durability import Durability, InlineLog, NoLog
from spacetimedb_standalone.commitlog.errors import (
    CannotResume,
    DamagedInside,
    LogDamage,
    LogError,
    LogFailed,
    LogLocked,
)
from spacetimedb_standalone.commitlog.lock import lock_database
from spacetimedb_standalone.commitlog.opening import Driver, OpenedLog, open_log
from spacetimedb_standalone.commitlog.reader import read_commits, replay_commits
from spacetimedb_standalone.commitlog.recovery import TailPolicy

__all__ = [
    "CannotResume",
    "DamagedInside",
    "Driver",
    "Durability",
    "InlineLog",
    "LogDamage",
    "LogError",
    "LogFailed",
    "LogLocked",
    "NoLog",
    "OpenedLog",
    "TailPolicy",
    "lock_database",
    "open_log",
    "read_commits",
    "replay_commits",
]
