"""The functions a plan is made of: filters over rows, keys and projections of rows.

Rows of a join are tuples with a row of every table joined so far, in the order of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from spacetimedb_lib.sats.types import F32, F64

from .binding import Binding
from .code import RowReader, Source
from .predicates import Conditions
from .relation import Column, Typed, Variable
from .schema import TableDef

JoinedRow: TypeAlias = tuple[bytes, ...]
Filter: TypeAlias = Callable[[list[bytes]], list[bytes]]
Key: TypeAlias = Callable[[bytes], bytes]


def row_filter(variable: Variable, conditions: Sequence[Typed], binding: Binding) -> Filter | None:
    """A function that keeps the rows of one table that satisfy all conditions; None if there are none."""
    if not conditions:
        return None
    source = Source()
    reader = _reader(source, "row", variable.table)
    writer = Conditions(source, {variable.alias: reader})
    test = " and ".join(map(writer.text, conditions))
    if reader.lines:
        body = [
            "def made(rows):",
            "    kept = []",
            "    for row in rows:",
            *(f"        {line}" for line in reader.lines),
            f"        if {test}:",
            "            kept.append(row)",
            "    return kept",
        ]
    else:
        body = ["def made(rows):", f"    return [row for row in rows if {test}]"]
    made: Filter = source.build(body, binding.resolve)
    return made


def join_filter(
    variables: Sequence[Variable], conditions: Sequence[Typed], binding: Binding
) -> Callable[[Iterable[JoinedRow]], Iterator[JoinedRow]] | None:
    """A generator function that keeps the joined rows that satisfy all conditions; None if there are none."""
    if not conditions:
        return None
    source = Source()
    readers = _readers(source, variables)
    writer = Conditions(source, readers)
    test = " and ".join(map(writer.text, conditions))
    body = [
        "def made(joined):",
        "    for rows in joined:",
        *(f"        {line}" for line in _unpacked(readers, variables)),
        f"        if {test}:",
        "            yield rows",
    ]
    made: Callable[[Iterable[JoinedRow]], Iterator[JoinedRow]] = source.build(body, binding.resolve)
    return made


def column_bytes(table: TableDef, position: int) -> Key:
    """The bytes of one column of a row, as indexes are probed with them."""
    return _key(table, position, "{}")


def column_key(table: TableDef, position: int) -> Key:
    """Bytes that are equal where the values of one column are equal."""
    is_float = table.columns[position].type in (F32, F64)
    return _key(table, position, "canonical_float({})" if is_float else "{}")


def _key(table: TableDef, position: int, form: str) -> Key:
    source = Source()
    reader = _reader(source, "row", table)
    value = form.format(reader.bytes_of(position))
    made: Key = source.build(
        ["def made(row):", *(f"    {line}" for line in reader.lines), f"    return {value}"]
    )
    return made


def projection(variables: Sequence[Variable], columns: Sequence[Column]) -> Callable[[JoinedRow], bytes]:
    """The BSATN of some columns of a joined row, in the order given."""
    source = Source()
    readers = _readers(source, variables)
    values = " + ".join(readers[column.alias].bytes_of(column.position) for column in columns)
    body = [
        "def made(rows):",
        *(f"    {line}" for line in _unpacked(readers, variables)),
        f"    return {values}",
    ]
    made: Callable[[JoinedRow], bytes] = source.build(body)
    return made


def replacement(table: TableDef, values: Mapping[int, bytes]) -> Callable[[bytes], bytes]:
    """A function that puts other values (BSATN) in some columns of a row."""
    source = Source()
    reader = _reader(source, "row", table)
    pieces: list[str] = []
    kept_from = 0
    for position in sorted(values):
        if kept_from < position:
            pieces.append(f"row[{reader.start(kept_from)}:{reader.start(position)}]")
        pieces.append(source.constant(values[position]))
        kept_from = position + 1
    if kept_from < len(table.columns):
        pieces.append(f"row[{reader.start(kept_from)}:]")
    body = ["def made(row):", *(f"    {line}" for line in reader.lines), f"    return {' + '.join(pieces)}"]
    made: Callable[[bytes], bytes] = source.build(body)
    return made


def _reader(source: Source, row: str, table: TableDef) -> RowReader:
    return RowReader(source, row, table.layout)


def _readers(source: Source, variables: Sequence[Variable]) -> dict[str, RowReader]:
    return {
        variable.alias: _reader(source, f"row{i}", variable.table) for i, variable in enumerate(variables)
    }


def _unpacked(readers: dict[str, RowReader], variables: Sequence[Variable]) -> list[str]:
    """Lines that name the rows of `rows` and find the places of their columns."""
    targets = "".join(f"row{i}, " for i in range(len(variables)))
    return [f"{targets}= rows", *(line for reader in readers.values() for line in reader.lines)]
