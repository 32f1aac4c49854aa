"""The directory hierarchy of SpacetimeDB as types.

Start with `SpacetimePaths.from_root_dir` or `SpacetimePaths.from_platform`; every other path is
reached from there through methods, so no other house joins strings.
"""

from spacetimedb_paths.platform import Platform
from spacetimedb_paths.roots import SpacetimePaths

__all__ = ["Platform", "SpacetimePaths"]
