"""Keeping the log from growing for ever: what it holds twice, and what nobody will ask it for.

Everything here leaves the segment alone that is being written, which is the last one; it may run in another
process while the log grows.
"""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import Path

from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.offset_index import INDEX_SUFFIX, index_path
from spacetimedb_standalone.commitlog.reader import SUFFIX, SegmentFile, list_segments
from spacetimedb_standalone.commitlog.sealing import UNFINISHED, seal
from spacetimedb_standalone.ports import Files

logger = logging.getLogger(__name__)


def segments_below(files: Files, directory: Path, offset: int) -> list[SegmentFile]:
    """The segments that hold only transactions in front of this one, oldest first."""
    return [
        segment
        for segment, following in pairwise(list_segments(files, directory))
        if following.offset <= offset
    ]


def remove_below(files: Files, directory: Path, offset: int) -> list[SegmentFile]:
    """Delete the segments that hold only transactions in front of this one; which they were.

    The oldest goes first, so that what is left is one piece whenever the power goes.
    """
    removed = segments_below(files, directory, offset)
    for segment in removed:
        files.remove(segment.path)
        if index_path(segment.path).name in files.names(directory):
            files.remove(index_path(segment.path))
        logger.info("removed %s: two snapshots hold all of it", segment.path.name)
    if removed:
        files.sync_directory(directory)
    return removed


def seal_finished(files: Files, directory: Path) -> list[SegmentFile]:
    """Compress all segments but the last that are not compressed yet; which were."""
    sealed = []
    for segment, following in pairwise(list_segments(files, directory)):
        try:
            if seal(files, segment, following.offset) is not None:
                sealed.append(segment)
        except LogDamage as damage:
            logger.warning("%s is left as it is: %s", segment.path.name, damage)
    return sealed


def clear_unfinished(files: Files, directory: Path) -> None:
    """Remove what a process left that died while it was writing, and indexes without a segment."""
    names = files.names(directory)
    segments = {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)}
    for name in names:
        orphan = name.endswith(INDEX_SUFFIX) and name.removesuffix(INDEX_SUFFIX) not in segments
        if orphan or name.endswith(SUFFIX + UNFINISHED):
            files.remove(directory / name)
