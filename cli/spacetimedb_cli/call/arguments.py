"""Words of the command line as the JSON of a function's arguments.

Each word is JSON and goes with the parameter at its place. Two kinds of parameters are lenient, for
the shell has eaten the quotes: a String takes any word as it is, an Identity takes its hex digits.
"""

from __future__ import annotations

from collections.abc import Sequence

from spacetimedb_cli.schema.definition import Function
from spacetimedb_lib.sats.resolve import is_identity, target
from spacetimedb_lib.sats.types import STRING, AlgebraicType, Ref, Typespace


def arguments_json(function: Function, words: Sequence[str]) -> str:
    """The body of a call. Words beyond the last parameter are left out; the server tells of missing ones."""
    pairs = zip(function.params.elements, words, strict=False)
    return "[" + ", ".join(_fragment(param.type, word, function.typespace) for param, word in pairs) + "]"


def _fragment(type_: AlgebraicType, word: str, typespace: Typespace) -> str:
    while isinstance(type_, Ref):
        type_ = target(type_, typespace)
    if is_identity(type_):
        digits = word.strip('"')
        if digits.startswith("0x"):
            return f'["{digits}"]'
        return f'["0x{digits}"]' if digits.startswith("c200") else word
    if type_ == STRING and not (len(word) > 1 and word.startswith('"') and word.endswith('"')):
        return f'"{word}"'
    return word
