"""Writing a release repository: keys, signed metadata, and the files of releases.

What `releases` reads, this writes (`releases/__init__.py` has the layout). Everything is static files, so
a copy of the folder is a mirror. Targets are written first and the timestamp last: a client that reads
while a release is added sees the old state or the new one.
"""

from spacetimedb_update.publish.keys import KeyRing
from spacetimedb_update.publish.policy import Policy, RolePolicy
from spacetimedb_update.publish.repository import ReleasedArchive, ReleaseRepository

__all__ = ["KeyRing", "Policy", "ReleaseRepository", "ReleasedArchive", "RolePolicy"]
