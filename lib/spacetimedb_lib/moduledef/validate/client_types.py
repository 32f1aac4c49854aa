"""Which types clients can be told about.

A client's language needs a name for every record and enum. So wherever a type is *used* (a column, a
parameter, a field), a record or enum of the module's own must be a reference to a slot that has a type
definition; and what a type definition names must be a record or enum whose members have names and are uses
themselves. The conventional types (identity, option, ...) are known to every client and may stand anywhere.

Names are judged as the source has them, before any conversion.
"""

from __future__ import annotations

from spacetimedb_lib.moduledef.errors import ErrorKind, Invalid, Ranked, ValidationError, validation_error
from spacetimedb_lib.moduledef.validate.naming import identifier_flaw
from spacetimedb_lib.sats.resolve import is_special, option_inner, result_inner
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import (
    NEVER,
    UNIT,
    AlgebraicType,
    Array,
    Element,
    Primitive,
    Product,
    Ref,
    Sum,
    Typespace,
    Variant,
)


def argument_of(function: str, name: str, position: int, argument: str | None) -> Ranked:
    """The place of a parameter. `function` is reducer, procedure or view."""
    rank = (("reducer", "procedure", "view").index(function), name, position, argument or "")
    return Ranked(rank, f"{function} `{name}` argument {position}" + (f" (`{argument}`)" if argument else ""))


def return_of(function: str, name: str) -> Ranked:
    """The place of a return type. `function` is procedure or view."""
    return Ranked((3 if function == "procedure" else 4, name), f"{function} `{name}` return value")


def in_typespace(ref: int) -> Ranked:
    return Ranked((5, ref), f"typespace ref `&{ref}`")


_INTERNAL = "internal codegen error: "
_FLAWS = {
    "NonSpecialTypeNotAUse": _INTERNAL
    + "non-special product or sum type {type} cannot be used to generate a client type use",
    "TypeRefError": _INTERNAL + "invalid AlgebraicTypeRef",
    "NamelessTypeDefElement": _INTERNAL + "all type elements require names: {type}",
    "NamelessReducerParam": _INTERNAL + "all reducer parameters require names",
    "NotValidForDefinition": _INTERNAL + "type {type} is not valid for generating a definition",
    "NotValidIdentifier": "type {type} contains identifier error {error}",
}
_FLAW_RANKS = {name: rank for rank, name in enumerate(_FLAWS)}


def flaw(location: Ranked, name: str, type_: AlgebraicType = UNIT, error: str = "") -> ValidationError:
    """The error that says what is wrong with a type at a place."""
    shown = type_text(type_)
    text = _FLAWS[name].format(type=shown, error=error)
    cause = Ranked((_FLAW_RANKS[name], shown, error), text)
    return validation_error(ErrorKind.ClientCodegenError, inner=name, location=location, error=cause)


class ClientTypes:
    """The types of one module, from a client's point of view. `named` are the slots with type definitions."""

    def __init__(self, typespace: Typespace, named: frozenset[int]) -> None:
        self._typespace = typespace
        self._named = named

    def check_use(self, type_: AlgebraicType, location: Ranked) -> None:
        """Raises `Invalid` unless the type may be used at this place."""
        self._raise(location, self._use_flaws(type_, frozenset()))

    def check_definition(self, ref: int) -> None:
        """Raises `Invalid` unless the slot may be given a name. The slot must exist."""
        type_ = self._typespace[ref]
        location = in_typespace(ref)
        if is_special(type_):
            return
        match type_:
            case Product(elements):
                self._raise(location, self._member_flaws(type_, elements))
            case Sum(variants):
                self._raise(location, self._member_flaws(type_, variants))
            case _:
                raise Invalid([flaw(location, "NotValidForDefinition", type_)])

    def _raise(self, location: Ranked, flaws: list[tuple[str, AlgebraicType, str]]) -> None:
        if flaws:
            raise Invalid(flaw(location, *parts) for parts in flaws)

    def _member_flaws(
        self, type_: AlgebraicType, members: tuple[Element, ...] | tuple[Variant, ...]
    ) -> list[tuple[str, AlgebraicType, str]]:
        flaws = []
        for member in members:
            if member.name is None:
                flaws.append(("NamelessTypeDefElement", type_, ""))
            elif problem := identifier_flaw(member.name):
                flaws.append(("NotValidIdentifier", type_, str(problem)))
            flaws += self._use_flaws(member.type, frozenset())
        return flaws

    def _use_flaws(
        self, type_: AlgebraicType, open_refs: frozenset[int]
    ) -> list[tuple[str, AlgebraicType, str]]:
        match type_:
            case Primitive():
                return []
            case Array(element):
                return self._use_flaws(element, open_refs)
            case Ref(index):
                return self._ref_flaws(index, open_refs)
        if (some := option_inner(type_)) is not None:
            return self._use_flaws(some, open_refs)
        if (pair := result_inner(type_)) is not None:
            return self._use_flaws(pair[0], open_refs) + self._use_flaws(pair[1], open_refs)
        if is_special(type_) or type_ in (UNIT, NEVER):
            return []
        return [("NonSpecialTypeNotAUse", type_, "")]

    def _ref_flaws(self, index: int, open_refs: frozenset[int]) -> list[tuple[str, AlgebraicType, str]]:
        if index in self._named:
            return []
        if index >= len(self._typespace) or index in open_refs:
            return [("TypeRefError", UNIT, "")]
        return self._use_flaws(self._typespace[index], open_refs | {index})
