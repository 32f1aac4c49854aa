"""What a survey of a log means: where it is damaged, which transactions that costs, and what to do."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from spacetimedb_standalone.care.breaks import Break, BreakKind
from spacetimedb_standalone.care.findings import Findings, Span
from spacetimedb_standalone.care.log_survey import survey_log
from spacetimedb_standalone.care.stretches import LogSurvey
from spacetimedb_standalone.commitlog.format import VERSION
from spacetimedb_standalone.commitlog.reader import SUFFIX
from spacetimedb_standalone.commitlog.recovery import ASIDE
from spacetimedb_standalone.ports import Files
from spacetimedb_standalone.snapshots import SnapshotFile

_RESTORE = (
    "restore the file from a backup; if there is none, `spacetime repair` makes a copy of the database "
    "without the transactions that are lost"
)


def check_log(files: Files, directory: Path, snapshots: list[SnapshotFile], findings: Findings) -> LogSurvey:
    """Check all segments and indexes of a log, given the good snapshots of the database, newest first."""
    survey = survey_log(files, directory)
    findings.count("segments", len(survey.segments))
    findings.count("commits", survey.commits)
    findings.count("index entries", survey.entries)
    held = snapshots[0].next_offset if snapshots else 0
    for broken in survey.breaks:
        _tell(broken, held, findings)
    _tell_of_indexes(survey, findings)
    _tell_of_ends(survey, directory, snapshots, findings)
    for name in sorted(files.names(directory)):
        if name.endswith(SUFFIX + ASIDE):
            what = "a start found nothing but a torn commit in this segment and put it aside"
            findings.warning(directory / name, what, "delete it once nobody wants to look at it")
    return survey


def _tell(broken: Break, held: int, findings: Findings) -> None:
    """`held`: transactions before this one are in a good snapshot."""
    if broken.kind is BreakKind.HEALED:
        what = f"torn at byte {broken.position}, and continued by the next segment: {broken.cause}"
        findings.note(broken.path, what)
    elif broken.kind is BreakKind.TORN:
        what = f"the log ends with a commit that is not whole: {broken.cause}"
        advice = (
            "the next start cuts it off; a power loss leaves such ends, and nothing of it was acknowledged"
        )
        findings.warning(broken.path, what, advice, broken.position, Span(broken.first, None))
    elif broken.kind is BreakKind.SHORT:
        advice = (
            "restore the file from a backup before the next start, which goes on without these transactions; "
            "if there is none, `spacetime repair` goes on without them in a copy and keeps the files as they are"
        )
        findings.damage(broken.path, broken.cause, advice, broken.position, Span(broken.first, None))
    else:
        span = _lost(broken)
        if span.last is not None and span.last < held:
            advice = (
                "a good snapshot holds what these transactions did, and the database starts from there; "
                "restore the file from a backup if their history is wanted"
            )
        else:
            advice = _RESTORE
        findings.damage(broken.path, broken.cause, advice, broken.position, span)
        if broken.given_up:
            what = (
                "the search for whole commits behind this byte was given up: too much of the file looks like "
                "the beginning of one, so more transactions may be there than this report and a repair find"
            )
            findings.warning(broken.path, what, "restore the file from a backup", broken.position)


def _lost(broken: Break) -> Span:
    if broken.resumes is None:
        return Span(broken.first, None)
    if broken.resumes <= broken.first:  # two histories
        return Span(broken.resumes, None)
    return Span(broken.first, broken.resumes - 1)


def _tell_of_indexes(survey: LogSurvey, findings: Findings) -> None:
    wrong = [entry for entry in survey.bad_entries if not any(b.hides(entry) for b in survey.breaks)]
    for index, entries in groupby(wrong, key=lambda entry: entry.index):
        first, *others = listed = list(entries)
        what = f"{len(others) + 1} of its entries point at no commit of theirs; the first is of transaction {first.transaction}"
        if any(survey.ends_before(entry) for entry in listed):
            what += ". Either only the index is damaged, or the log has lost its end"
            advice = (
                "see whether a backup has more of the log before the next start, which drops these entries"
            )
        else:
            advice = "delete it, if the server is stopped: it only makes reading faster"
        findings.warning(index, what, advice, first.position)


def _tell_of_ends(
    survey: LogSurvey, directory: Path, snapshots: list[SnapshotFile], findings: Findings
) -> None:
    """The log against the snapshots, and against what can be written to."""
    end = survey.end
    if survey.first > 0 and not any(survey.first <= snapshot.next_offset for snapshot in snapshots):
        what = f"the log begins with transaction {survey.first}, and no good snapshot holds what was before"
        advice = "restore the snapshots or the older segments from a backup"
        findings.damage(directory, what, advice, span=Span(0, survey.first - 1))
    if snapshots and snapshots[0].next_offset > end:
        what = (
            f"the log ends before transaction {end}, but {snapshots[0].path.name} shows that more was durable"
        )
        advice = (
            "restore the log from a backup; if there is none, `spacetime repair` makes a copy of the database "
            "as the log has it"
        )
        findings.damage(directory, what, advice, span=Span(end, snapshots[0].offset))
    if survey.last_version is not None and survey.last_version != VERSION:
        what = f"its format is version {survey.last_version}, which is read but not written any more"
        findings.warning(survey.segments[-1].path, what, "`spacetime import-data` makes a log of today of it")
