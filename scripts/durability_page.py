"""Puts what the tests of durability have counted into their page: durability_page.py PAGE COUNTS...

The page keeps its words; what is between the two marks is made anew. COUNTS are files with lines of JSON:
["fault: result", "step", number].
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

BEGIN, END = "<!-- counts: scripts/durability-report -->", "<!-- end of counts -->"
KILL = "kill -9 "
Counts = dict[tuple[str, str], dict[str, int]]
"""(fault, step): result: how often."""


def read_counts(paths: Iterable[Path]) -> Counts:
    counts: Counts = defaultdict(lambda: defaultdict(int))
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            what, step, number = json.loads(line)
            fault, _, result = what.partition(": ")
            counts[fault, step][result] += number
    return counts


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Markdown; all columns but the first and the last hold numbers."""
    marks = ["---", *["---:"] * (len(head) - 2), "---"]
    return ["", *(f"| {' | '.join(row)} |" for row in (head, marks, *rows)), ""]


def number(value: int) -> str:
    return f"{value:,}" if value else ""


def by_step(counts: Counts, faults: dict[str, str], head: str) -> list[str]:
    """Steps down, faults (title: name) across, and how it ended."""
    rows = []
    totals = dict.fromkeys(faults, 0)
    for step in sorted({step for fault, step in counts if fault in faults.values()}):
        tried = {title: sum(counts.get((fault, step), {}).values()) for title, fault in faults.items()}
        results = {result for fault in faults.values() for result in counts.get((fault, step), {})}
        totals = {title: total + tried[title] for title, total in totals.items()}
        rows.append([step.removeprefix("after: "), *map(number, tried.values()), "; ".join(sorted(results))])
    rows.append(["**in all**", *(f"**{total:,}**" for total in totals.values()), ""])
    return table([head, *faults, "result"], rows)


def rot(counts: Counts) -> list[str]:
    """Files down; what became of the database across."""
    results = ["the same state", "its last transactions are missing", "refused, with file and place"]
    rows = []
    for fault, step in sorted(counts, key=lambda key: key[::-1]):
        if fault.startswith("rot, ") and (step != "metadata.toml"):
            found = counts[fault, step]
            harm = {"flips": "a byte changed", "cuts": "cut short"}[fault.removeprefix("rot, ")]
            rows.append([f"{step}, {harm}", *(number(found.get(result, 0)) for result in results), "0"])
    stamp = {
        result: sum(counts[key].get(result, 0) for key in counts if key[1] == "metadata.toml")
        for result in ("the same state", "another version or edition", "refused, with file")
    }
    return [
        *table(["database: file", *results, "another state"], rows),
        "`metadata.toml`, which has no checksum, cut short or a byte changed: "
        + "; ".join(f"{result}: {times:,}" for result, times in stamp.items())
        + ".",
        "",
    ]


def kills(counts: Counts) -> list[str]:
    rows = []
    for fault, step in sorted(key for key in counts if key[0].startswith(KILL)):
        for result, times in sorted(counts[fault, step].items()):
            rows.append([f"{step}, {fault.removeprefix(KILL)}", number(times), result])
    return table(["killed", "times", "result"], rows)


def page(counts: Counts) -> list[str]:
    losses = {"whole database": "power loss", "the log alone": "power loss, log alone"}
    faults = {
        "EIO": "EIO, nothing done",
        "ENOSPC": "ENOSPC, nothing done",
        "ENOSPC, half done": "ENOSPC, half done",
        "EIO for ever": "EIO, then EIO for ever",
    }
    return [
        "### Power loss",
        *by_step(counts, losses, "after this operation on"),
        "### Disk faults",
        *by_step(counts, faults, "the operation that fails"),
        "### Rot",
        *rot(counts),
        "### kill -9 of the real server",
        *kills(counts),
    ]


def main(page_path: Path, *count_paths: Path) -> None:
    words = page_path.read_text(encoding="utf-8")
    before, after = words.split(BEGIN)[0], words.split(END)[1]
    made = "\n".join(page(read_counts(count_paths))).strip()
    page_path.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
