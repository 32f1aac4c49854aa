"""References may stand for more than fits into memory, or for something without an end."""

from __future__ import annotations

import pytest

from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.resolve import MOST_PARTS, resolve
from spacetimedb_lib.sats.types import U8, AlgebraicType, Array, Element, Product, Ref


def doubling(depth: int) -> tuple[AlgebraicType, ...]:
    """Slot 0 is a number, every other one two of the slot before it."""
    pairs = (Product((Element("a", Ref(slot)), Element("b", Ref(slot)))) for slot in range(depth))
    return (U8, *pairs)


def test_what_fits_is_made() -> None:
    two = Product((Element("a", U8), Element("b", U8)))
    assert resolve(Ref(2), doubling(2)) == Product((Element("a", two), Element("b", two)))


@pytest.mark.parametrize("depth", [17, 60])
def test_what_does_not_is_refused_at_once(depth: int) -> None:
    with pytest.raises(TypeRefError, match=f"more than {MOST_PARTS} types"):
        resolve(Ref(depth), doubling(depth))


def test_a_type_that_contains_itself_is_refused() -> None:
    with pytest.raises(TypeRefError, match="Found recursive type reference &0"):
        resolve(Array(Ref(0)), (Product((Element("kids", Array(Ref(0))),)),))
