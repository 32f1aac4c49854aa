"""What the server takes from its host, as small interfaces that tests replace: time, files, randomness."""

from spacetimedb_standalone.ports.clock import Clock, ManualClock, SystemClock
from spacetimedb_standalone.ports.crash_points import CrashPoint
from spacetimedb_standalone.ports.disk_files import DiskFiles
from spacetimedb_standalone.ports.files import File, FileLock, FileLocked, Files, write_replacing
from spacetimedb_standalone.ports.memory_files import MemoryFiles, PowerLoss
from spacetimedb_standalone.ports.random import Random, SeededRandom, SystemRandom

__all__ = [
    "Clock",
    "CrashPoint",
    "DiskFiles",
    "File",
    "FileLock",
    "FileLocked",
    "Files",
    "ManualClock",
    "MemoryFiles",
    "PowerLoss",
    "Random",
    "SeededRandom",
    "SystemClock",
    "SystemRandom",
    "write_replacing",
]
