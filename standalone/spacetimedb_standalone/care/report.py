"""A diagnosis as people read it, and as programs do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spacetimedb_standalone.care.doctor import Diagnosis
from spacetimedb_standalone.care.findings import Finding, Findings, Severity

_ORDER = tuple(Severity)


def as_text(diagnosis: Diagnosis) -> str:
    """What was found, the worst first; then how much was checked and the verdict."""
    findings = diagnosis.findings
    lines: list[str] = []
    for finding in _worst_first(findings):
        lines += _lines(finding, diagnosis.data_dir)
    checked = ", ".join(_counted(number, things) for things, number in findings.checked.items())
    lines.append(f"Checked {diagnosis.data_dir}: {checked}.")
    damaged = sum(finding.severity is Severity.DAMAGE for finding in findings.found)
    lines.append(
        "No damage was found." if not damaged else f"Damage was found in {_counted(damaged, 'places')}."
    )
    return "\n".join(lines) + "\n"


def as_json(diagnosis: Diagnosis) -> str:
    """The same as one JSON object, in the form that docs/data-care.md describes."""
    findings = diagnosis.findings
    document = {
        "data_dir": str(diagnosis.data_dir),
        "server": diagnosis.server,
        "sound": not findings.is_damaged,
        "checked": findings.checked,
        "findings": [_object(finding) for finding in _worst_first(findings)],
    }
    return json.dumps(document, indent=2) + "\n"


def _worst_first(findings: Findings) -> list[Finding]:
    return sorted(findings.found, key=lambda finding: _ORDER.index(finding.severity))


def _object(finding: Finding) -> dict[str, Any]:
    span = finding.transactions
    return {
        "severity": finding.severity.value,
        "file": str(finding.path),
        "position": finding.position,
        "first_transaction": None if span is None else span.first,
        "last_transaction": None if span is None else span.last,
        "what": finding.what,
        "advice": finding.advice,
    }


def _lines(finding: Finding, data_dir: Path) -> Iterator[str]:
    place = finding.path.relative_to(data_dir) if finding.path.is_relative_to(data_dir) else finding.path
    where = [str(place)]
    if finding.position is not None:
        where.append(f"byte {finding.position}")
    if finding.transactions is not None:
        where.append(str(finding.transactions))
    yield f"{finding.severity.value}: {', '.join(where)}"
    yield f"    {finding.what}"
    yield f"    -> {finding.advice}"


def _counted(number: int, things: str) -> str:
    """`things` is a plural that loses its end for one."""
    if number != 1:
        return f"{number} {things}"
    return f"1 {things.removesuffix('ies') + 'y' if things.endswith('ies') else things.removesuffix('s')}"
