"""Every commit of a log looked at: which transactions are there whole, and where the log is broken.

A start of the server reads a log only from its newest snapshot on, and stops at the first damage. This one goes
on behind it, so that what is lost can be told from what is not. Nothing is judged here that a reader does not
need: what a break means is a matter for `log_check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from spacetimedb_standalone.care.breaks import Break, BreakKind
from spacetimedb_standalone.care.index_check import IndexCheck
from spacetimedb_standalone.care.stretches import LogSurvey, Part, Stretch
from spacetimedb_standalone.commitlog.errors import BadHeader, LogDamage
from spacetimedb_standalone.commitlog.format import (
    CRC_SIZE,
    FRAME_SIZES,
    SEGMENT_HEADER_SIZE,
    StoredCommit,
)
from spacetimedb_standalone.commitlog.reader import SegmentFile, list_segments
from spacetimedb_standalone.commitlog.segment import CommitWalk, Segment, open_readable
from spacetimedb_standalone.commitlog.torn_tail import (
    SearchBudget,
    TooManyLookAlikes,
    intact_commit_behind,
    proof_of_damage,
)
from spacetimedb_standalone.ports import Files


def survey_log(files: Files, directory: Path, *, only_synced_is_indexed: bool = True) -> LogSurvey:
    """Read all of a log, whatever state it is in. Raises only the `OSError`s of the host.

    `only_synced_is_indexed`: was it written by this server? Others may index a commit before it is synced, so that their
    indexes prove no loss.
    """
    segments = list_segments(files, directory)
    walk = _Surveyor(LogSurvey(segments), files, only_synced_is_indexed)
    for segment, following in pairwise([*segments, None]):
        if segment is not None:
            walk.through(segment, following)
    return walk.survey


def commits_of(files: Files, stretch: Stretch) -> Iterator[StoredCommit]:
    """The commits of a stretch, read and checked again. Raises `LogDamage` if the disk now says otherwise."""
    for part in stretch.parts:
        with Segment.open(files, part.path) as segment:
            walk = CommitWalk(segment.source, part.version, part.begin)
            for position, commit in walk:
                yield commit
                if position + len(commit.body) + CRC_SIZE >= part.stop:
                    break


class _Surveyor:
    """Goes through the segments in their order."""

    def __init__(self, survey: LogSurvey, files: Files, only_synced_is_indexed: bool) -> None:
        self.survey = survey
        self._files = files
        self._only_synced_is_indexed = only_synced_is_indexed
        self._next = survey.first
        """The transaction that is due."""
        self._last: tuple[int, int] | None = None
        """Offset and checksum of the last commit."""
        self._epoch: int | None = None
        self._budget = SearchBudget(0)
        """For all breaks of one segment."""

    def through(self, file: SegmentFile, following: SegmentFile | None) -> None:
        try:
            segment, header = open_readable(self._files, file.path)
        except LogDamage as error:
            self._unreadable(file, following, error)
            return
        with segment:
            self.survey.last_version = header.version
            index = IndexCheck.open(self._files, file.path)
            self.survey.entries += index.count
            self._budget = SearchBudget.for_bytes(segment.source.size())
            position: int | None = SEGMENT_HEADER_SIZE
            while position is not None:
                position = self._stretch(file, following, segment, header.version, position, index)
            index.ended()
            self.survey.bad_entries += index.bad

    def _unreadable(self, file: SegmentFile, following: SegmentFile | None, error: LogDamage) -> None:
        """The header is no header. A last segment with nothing behind it was being made when power was lost."""
        self.survey.last_version = None
        handle = self._files.open(file.path)
        try:
            empty = handle.size() <= SEGMENT_HEADER_SIZE
        finally:
            handle.close()
        if following is None and empty and isinstance(error, BadHeader):
            index = IndexCheck.open(self._files, file.path)
            self.survey.entries += index.count
            self._end(file.path, 0, index, error)
            index.ended()
            self.survey.bad_entries += index.bad
            return
        if following is not None and following.offset == self._next:
            kind = BreakKind.HEALED
        else:
            kind = BreakKind.DAMAGE
        self._break(kind, file.path, 0, None if following is None else following.offset, error)

    def _stretch(
        self,
        file: SegmentFile,
        following: SegmentFile | None,
        segment: Segment,
        version: int,
        position: int,
        index: IndexCheck,
    ) -> int | None:
        """Walk from a position to the end or to a break. Where to go on behind that; None: nowhere."""
        walk = CommitWalk(segment.source, version, position)
        walk.expected = self._next
        try:
            for at, commit in walk:
                index.passed(at, commit.min_tx_offset)
                self._take(file.path, at, walk.position, commit)
        except LogDamage as error:
            return self._behind(file, following, segment, walk.position, index, error)
        if following is None:
            left, head = segment.source.size() - walk.position, FRAME_SIZES[version]
            cause = None
            if 0 < left < head:  # for the walk, as for a start, that is the end of the log
                cause = f"the head of transaction {self._next} is cut short: {left} of {head} bytes are there"
            if cause is not None and segment.sealed:  # it was whole when it was sealed
                self._break(BreakKind.DAMAGE, file.path, walk.position, None, cause)
            else:
                self._end(file.path, walk.position, index, cause)
        elif following.offset > self._next:
            cause = f"the segment ends here, and the next one begins with transaction {following.offset}"
            self._break(BreakKind.DAMAGE, file.path, walk.position, following.offset, cause)
        return None

    def _end(self, path: Path, position: int, index: IndexCheck, cause: object | None) -> None:
        """The log ends at `position`, where a power loss may have torn it (`cause`; None: behind a whole commit)."""
        durable = index.proves(position, self._next) if self._only_synced_is_indexed else None
        if durable is not None:
            known = f"the log ends here, but its offset index says that transaction {durable} was durable"
            self._break(BreakKind.SHORT, path, position, None, known)
        elif cause is not None:
            self._break(BreakKind.TORN, path, position, None, cause)

    def _take(self, path: Path, at: int, stop: int, commit: StoredCommit) -> None:
        self.survey.commits += 1
        if self._last == (commit.min_tx_offset, commit.checksum):
            self.survey.repeated += 1
            return
        if commit.min_tx_offset != self._next:
            cause = f"transaction {self._next} is due, but {commit.min_tx_offset} stands here"
            self._break(BreakKind.DAMAGE, path, at, commit.min_tx_offset, cause)
        self._last = commit.min_tx_offset, commit.checksum
        self._epoch = commit.epoch
        self._next = commit.end_offset
        stretches = self.survey.stretches
        if not stretches or stretches[-1].end != commit.min_tx_offset:
            stretches.append(Stretch(commit.min_tx_offset, commit.min_tx_offset))
        _extend(stretches[-1], path, commit.version, at, stop)
        stretches[-1].end = commit.end_offset

    def _behind(
        self,
        file: SegmentFile,
        following: SegmentFile | None,
        segment: Segment,
        position: int,
        index: IndexCheck,
        error: LogDamage,
    ) -> int | None:
        """A commit is broken at `position`: what that is, and where the next whole one begins."""
        if following is not None and following.offset == self._next:
            self._break(BreakKind.HEALED, file.path, position, following.offset, error)
            return None
        place = segment.source, position, self._next, self._epoch
        torn, behind, given_up = False, None, False
        try:
            may_be_torn = following is None and not segment.sealed
            torn = may_be_torn and proof_of_damage(*place) is None
            behind = None if torn else intact_commit_behind(*place, self._budget)
        except TooManyLookAlikes:
            given_up = True
        except LogDamage:  # a compressed frame that cannot be read hides what is behind it
            torn = False
        if torn:
            self._end(file.path, position, index, error)
            return None
        if behind is not None:
            resumes: int | None = behind[1].min_tx_offset
        else:
            resumes = None if following is None else following.offset
        self._break(BreakKind.DAMAGE, file.path, position, resumes, error, given_up)
        return None if behind is None else behind[0]

    def _break(
        self,
        kind: BreakKind,
        path: Path,
        position: int,
        resumes: int | None,
        cause: object,
        given_up: bool = False,
    ) -> None:
        self.survey.breaks.append(Break(kind, path, position, self._next, resumes, str(cause), given_up))
        if resumes is not None:
            self._next = resumes
            self._last = None


def _extend(stretch: Stretch, path: Path, version: int, at: int, stop: int) -> None:
    """Add the bytes of a commit to the last part, if they follow it."""
    if stretch.parts:
        last = stretch.parts[-1]
        if last.path == path and last.stop == at:
            stretch.parts[-1] = Part(path, version, last.begin, stop)
            return
    stretch.parts.append(Part(path, version, at, stop))
