"""From the names of a module's source to those the database uses.

A name that has an explicit entry of its kind is taken from there verbatim; any other is converted by the
module's policy. Whatever comes out must be an identifier. Names of indexes, constraints, sequences and
schedules are put together from the canonical names of their table and columns, and not converted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spacetimedb_lib.moduledef.definition import TypeName
from spacetimedb_lib.moduledef.errors import ErrorKind, Invalid, Ranked, ValidationError, validation_error
from spacetimedb_lib.moduledef.raw_v10 import CaseConversionPolicy, ExplicitNames
from spacetimedb_lib.moduledef.tables import IndexKind
from spacetimedb_lib.names import IdentifierError, camel_case, check_identifier, pascal_case, snake_case
from spacetimedb_lib.sats.resolve import is_special
from spacetimedb_lib.sats.types import AlgebraicType, Array, Element, Product, Sum, Typespace, Variant

_IDENTIFIER_RANKS = ("NotCanonicalized", "Reserved", "InvalidStart", "InvalidContinue", "Empty")


def identifier_flaw(name: str) -> IdentifierError | None:
    """Why a name is no identifier, or None when it is one."""
    try:
        check_identifier(name)
    except IdentifierError as error:
        return error
    return None


def identifier(name: str) -> str:
    """The name itself. Raises `Invalid` unless it is an identifier."""
    flaw = identifier_flaw(name)
    if flaw is not None:
        raise Invalid([_identifier_error(name, flaw)])
    return name


def _identifier_error(name: str, flaw: IdentifierError) -> ValidationError:
    ranked = Ranked((_IDENTIFIER_RANKS.index(flaw.kind), name), str(flaw))
    return validation_error(ErrorKind.IdentifierError, inner=flaw.kind, error=ranked)


@dataclass(frozen=True)
class Naming:
    """The naming rules of one module. Explicit names map source names to canonical ones, per kind."""

    policy: CaseConversionPolicy
    explicit: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, policy: CaseConversionPolicy, names: ExplicitNames) -> Naming:
        """Of two entries for one name the last counts."""
        return cls(policy, {(kind, entry.source_name): entry.canonical_name for kind, entry in names.entries})

    def converted(self, source: str) -> str:
        """Columns and parameters, which have no explicit names."""
        return identifier(self._snake(source))

    def table(self, source: str) -> str:
        return self._resolve("Table", source)

    def function(self, source: str) -> str:
        """Reducers, procedures, views and HTTP handlers, and references to them."""
        return self._resolve("Function", source)

    def explicit_index(self, source: str) -> str | None:
        return self.explicit.get(("Index", source))

    def namespace(self, accessor: str, *, convert: bool) -> str:
        """The canonical name of a submodule's namespace."""
        explicit = self.explicit.get(("Namespace", accessor))
        if explicit is not None:
            return explicit
        return self._snake(accessor) if convert else accessor

    def type_part(self, source: str) -> str:
        """The name of a type, or of one of its scopes."""
        return identifier(pascal_case(source) if self._converts else source)

    def type_name(self, scope: Sequence[str], name: str) -> TypeName:
        return TypeName(tuple(self.type_part(part) for part in scope), self.type_part(name))

    def types(self, source: Typespace) -> Typespace:
        """The typespace with canonical names of fields and variants; conventional types stay as they are."""
        return tuple(map(self._convert_type, source)) if self._converts else source

    @property
    def _converts(self) -> bool:
        return self.policy is CaseConversionPolicy.SNAKE_CASE

    def _snake(self, source: str) -> str:
        return snake_case(source) if self._converts else source

    def _resolve(self, kind: str, source: str) -> str:
        explicit = self.explicit.get((kind, source))
        return self.converted(source) if explicit is None else identifier(explicit)

    def _convert_type(self, type_: AlgebraicType) -> AlgebraicType:
        if is_special(type_):
            return type_
        match type_:
            case Array(element):
                return Array(self._convert_type(element))
            case Product(elements):
                return Product(
                    tuple(
                        Element(e.name and snake_case(e.name), self._convert_type(e.type)) for e in elements
                    )
                )
            case Sum(variants):
                return Sum(
                    tuple(
                        Variant(v.name and camel_case(v.name), self._convert_type(v.type)) for v in variants
                    )
                )
        return type_


# --- generated names ---


def column_text(row: Product, column: int) -> str:
    """A column's name for use in a generated name; its number when it has none or does not exist."""
    name = row.elements[column].name if column < len(row.elements) else None
    return f"col_{column}" if name is None else name


def _columns_text(row: Product, columns: Sequence[int]) -> str:
    return "_".join(column_text(row, column) for column in columns)


def index_name(table: str, row: Product, kind: IndexKind, columns: Sequence[int]) -> str:
    return f"{table}_{_columns_text(row, columns)}_idx_{kind.value.lower()}"


def constraint_name(table: str, row: Product, columns: Sequence[int]) -> str:
    return f"{table}_{_columns_text(row, columns)}_key"


def sequence_name(table: str, row: Product, column: int) -> str:
    return f"{table}_{column_text(row, column)}_seq"


def schedule_name(table: str) -> str:
    return f"{table}_sched"
