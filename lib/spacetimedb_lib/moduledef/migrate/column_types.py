"""Which changes of a column's type leave the rows as they are.

A sum may get more variants at its end, at any depth, as long as its size and alignment in a row stay;
everything else must stay, names of fields and variants included. Types are compared with references inlined.
"""

from __future__ import annotations

from spacetimedb_lib.moduledef.migrate.errors import MigrationError
from spacetimedb_lib.sats.layout import layout_align, layout_size
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import AlgebraicType, Array, Product, Sum

_MANUAL = " requires a manual migration"
_ENDINGS = {
    "": _MANUAL,
    "FewerVariants": f", with fewer variants,{_MANUAL}",
    "RenamedVariant": f", with a renamed variant,{_MANUAL}",
    "SizeMismatch": f",{_MANUAL}, due to size mismatch",
    "AlignMismatch": f",{_MANUAL}, due to alignment mismatch",
    "FewerFields": f", with fewer fields,{_MANUAL}",
    "RenamedField": f", with a renamed field,{_MANUAL}",
}


class TypeComparison:
    """The old and the new type of one column.

    `changed` tells whether rows have to be given the new type, `errors` what forbids it.
    """

    def __init__(self, table: str, column: str, old: AlgebraicType, new: AlgebraicType) -> None:
        self.errors: list[MigrationError] = []
        self.changed = False
        self._where = f"column {column} in table {table}"
        self._compare(old, new, within=False)

    def _compare(self, old: AlgebraicType, new: AlgebraicType, *, within: bool) -> None:
        match old, new:
            case Sum(), Sum():
                self._compare_sums(old, new, within)
            case Product(), Product():
                self._compare_products(old, new, within)
            case Array(old_element), Array(new_element):
                self._compare(old_element, new_element, within=True)
            case _ if old != new:
                self._refuse("", old, new, within)

    def _compare_sums(self, old: Sum, new: Sum, within: bool) -> None:
        if len(old.variants) > len(new.variants):
            self._refuse("FewerVariants", old, new, within)
        self.changed |= len(old.variants) < len(new.variants)
        for before, after in zip(old.variants, new.variants, strict=False):
            self._compare(before.type, after.type, within=True)
            if before.name != after.name:
                self._refuse("RenamedVariant", old, new, within)
        if layout_size(old) != layout_size(new):
            self._refuse("SizeMismatch", old, new, within)
        if layout_align(old) != layout_align(new):
            self._refuse("AlignMismatch", old, new, within)

    def _compare_products(self, old: Product, new: Product, within: bool) -> None:
        if len(old.elements) != len(new.elements):
            self._refuse("FewerFields", old, new, within)
        for before, after in zip(old.elements, new.elements, strict=False):
            self._compare(before.type, after.type, within=True)
            if before.name != after.name:
                self._refuse("RenamedField", old, new, within)

    def _refuse(self, reason: str, old: AlgebraicType, new: AlgebraicType, within: bool) -> None:
        # The texts about names do not say that the type lies deeper.
        what = "a type within" if within and not reason.startswith("Renamed") else "the type of"
        kind = f"Change{'Within' if within else ''}ColumnType{reason}"
        types = f"from {type_text(old)} to {type_text(new)}"
        self.errors.append(MigrationError(kind, f"Changing {what} {self._where} {types}{_ENDINGS[reason]}"))
