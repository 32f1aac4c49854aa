"""What modules log: JSON lines in one file a day, read back and followed."""

from spacetimedb_standalone.module_logs.module_log import Follower, ModuleLog
from spacetimedb_standalone.module_logs.records import Level, Record
from spacetimedb_standalone.module_logs.storage import stored_lines

__all__ = ["Follower", "Level", "ModuleLog", "Record", "stored_lines"]
