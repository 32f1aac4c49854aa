"""Collecting everything that is wrong instead of stopping at the first thing.

problems = Problems()
with problems:
    name = naming.table(source)
with problems:
    columns = each(elements, column)
problems.raise_any()        # from here on everything above has its value
return TableDef(name, columns)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TypeVar

from spacetimedb_lib.moduledef.errors import Invalid, ValidationError

T = TypeVar("T")
U = TypeVar("U")


class Problems:
    """Records the errors of the blocks it guards; each block runs whether or not the others failed."""

    def __init__(self) -> None:
        self.errors: list[ValidationError] = []

    def __enter__(self) -> Problems:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if isinstance(error, Invalid):
            self.errors.extend(error.errors)
            return True
        return False

    def add(self, error: ValidationError) -> None:
        self.errors.append(error)

    def raise_any(self) -> None:
        """Raise `Invalid` if anything was recorded."""
        if self.errors:
            raise Invalid(self.errors)


def each(items: Iterable[T], build: Callable[[T], U]) -> list[U]:
    """What `build` makes of the items; raises `Invalid` with the errors of all that failed."""
    problems = Problems()
    built = []
    for item in items:
        with problems:
            built.append(build(item))
    problems.raise_any()
    return built
