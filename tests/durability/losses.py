"""What may be on a medium after the power went.

* Bytes that were synced are there, and names whose directory was synced.
* Of what was written since, each sector of 512 bytes may be as it was after any of the writes, whatever its
  neighbours are; what was never written reads as zeros. The length is any that the file had, or one in between.
* Of the names that were made, replaced or removed since, any may have changed and any not, whatever came first:
  more than a journalling file system would do. A rename happens whole or not at all.

There are too many such states to try all. Of each file and directory, those are tried in which nothing or everything
arrived, all that came before a moment, one sector alone, all but one sector, and, by a seed, some at random; each with
the others as they were, as they are, and at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

from tests.durability.recording import Contents, Cut, FileOnMedium, Medium, Renamed, Wrote

SECTOR = 512
ALL_SUBSETS_OF = 4
"""Of so many changed names every choice is tried."""
UNFINISHED, FEW = ".tmp", 1
"""What is in a file that was not renamed into its place concerns nobody: one content at random will do."""
SECTORS, RANDOM = 8, 3
"""At most so many sectors are lost or kept alone; so many states at random."""


def losses(medium: Medium, choice: random.Random) -> Iterator[Contents]:
    """The disks that may be found; some of them more than once."""
    unsure = {number: variants(file, choice) for number, file in medium.files.items() if file.pending}
    others: list[dict[int, bytes]] = [
        {number: medium.files[number].kept for number in unsure},
        {number: medium.files[number].seen() for number in unsure},
        {number: choice.choice(contents) for number, contents in unsure.items()},
    ]
    for applied in subsets(medium.pending, choice):
        names = medium.named(applied)
        places = {number: path for path, number in names.items()}
        for rest in others:
            contents = {number: rest.get(number, file.kept) for number, file in medium.files.items()}
            yield {path: contents.get(number, b"") for path, number in names.items()}
            for number in places.keys() & unsure.keys():
                few = FEW if places[number].suffix == UNFINISHED else len(unsure[number])
                for content in choice.sample(unsure[number], few):
                    varied = contents | {number: content}
                    yield {path: varied.get(other, b"") for path, other in names.items()}


def subsets(pending: list[Renamed], choice: random.Random) -> list[list[Renamed]]:
    """Which changes of names may have arrived, each choice in the order in which they were made."""
    if len(pending) <= ALL_SUBSETS_OF:
        return [list(kept) for count in range(len(pending) + 1) for kept in combinations(pending, count)]
    prefixes = [pending[:count] for count in range(len(pending) + 1)]
    all_but_one = [pending[:at] + pending[at + 1 :] for at in range(len(pending))]
    some = [[entry for entry in pending if choice.random() < 0.5] for _ in range(RANDOM)]
    return prefixes + all_but_one + [[entry] for entry in pending] + some


def variants(file: FileOnMedium, choice: random.Random) -> list[bytes]:
    """What may be in a file, without repetition."""
    history = [file.seen(count) for count in range(len(file.pending) + 1)]
    found = dict.fromkeys(history)
    for before, operation in zip(history, file.pending, strict=False):
        found.update(dict.fromkeys(_torn(before, operation, choice)))
    found.update(dict.fromkeys(_sector_by_sector(history[0], history[-1])))
    found.update(dict.fromkeys(_at_random(history, choice) for _ in range(RANDOM)))
    return list(found)


def _torn(before: bytes, operation: Wrote | Cut, choice: random.Random) -> Iterator[bytes]:
    """The write arrived up to some byte."""
    if isinstance(operation, Cut):
        return
    size, at = len(operation.data), operation.offset
    for count in {1, size // 2, size - 1, choice.randint(0, size), SECTOR - at % SECTOR}:
        if 0 < count < size:
            start = before.ljust(at, b"\0")
            yield start[:at] + operation.data[:count] + start[at + count :]


def _sector_by_sector(old: bytes, new: bytes) -> Iterator[bytes]:
    """As long as the new content, with all but one of its sectors, or one of them alone."""
    old = old[: len(new)].ljust(len(new), b"\0")
    changed = [at for at in range(0, len(new), SECTOR) if new[at : at + SECTOR] != old[at : at + SECTOR]]
    for at in changed[: SECTORS // 2] + changed[SECTORS // 2 :][-SECTORS // 2 :]:
        yield new[:at] + old[at : at + SECTOR] + new[at + SECTOR :]
        yield old[:at] + new[at : at + SECTOR] + old[at + SECTOR :]


def _at_random(history: list[bytes], choice: random.Random) -> bytes:
    """Any length, and each sector of any time."""
    lengths = sorted(len(content) for content in history)
    length = choice.choice([*lengths, choice.randint(lengths[0], lengths[-1])])
    padded = [content[:length].ljust(length, b"\0") for content in history]
    return b"".join(choice.choice(padded)[at : at + SECTOR] for at in range(0, length, SECTOR))


class Nothing(random.Random):
    """For `MemoryFiles.crash`: nothing has reached the disk that was not synced."""

    def random(self) -> float:
        return 1.0

    def randint(self, a: int, b: int) -> int:
        return a

    def choice(self, seq):  # type: ignore[no-untyped-def]
        return seq[0]
