"""The classes of The Update Framework's metadata, from where its library documents them.

The library's type information does not say that it exports them; this is the one place that overlooks that.
"""

from tuf.api.metadata import (  # type: ignore[attr-defined]
    Key,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

__all__ = [
    "Key",
    "MetaFile",
    "Metadata",
    "Root",
    "Signed",
    "Snapshot",
    "TargetFile",
    "Targets",
    "Timestamp",
]
