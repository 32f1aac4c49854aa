"""Tables of text cells: with a ruled header, as `psql` draws them, or with blanks alone."""

from __future__ import annotations

from collections.abc import Sequence


def ruled(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a header, a rule and one line a row, cells padded to the widest and one blank
    beside each; without any column an empty text.

    >>> print(ruled(["id", "name"], [["1", "ann"]]).replace(" \\n", "|\\n"))
     id | name|
    ----+------
     1  | ann
    """
    if not headers:
        return ""
    widths = _widths([headers, *rows])
    lines = [_line(headers, widths), "+".join("-" * (width + 2) for width in widths)]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def plain(rows: Sequence[Sequence[str]]) -> str:
    """Columns with blanks between them, the first one aligned to the right."""
    widths = _widths(rows)
    return "\n".join(
        " "
        + "  ".join(
            cell.rjust(width) if column == 0 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " "
        for row in rows
    )


def byte_size(count: int) -> str:
    """
    >>> byte_size(999), byte_size(1024), byte_size(1536 * 1024)
    ('999 B', '1.0 KiB', '1.5 MiB')
    """
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1024:.1f} TiB"


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "|".join(f" {cell.ljust(width)} " for cell, width in zip(row, widths, strict=True))
