"""Rules for names: identifiers of a module, conversion of their case, names of databases.

Identifiers follow Unicode (XID, normalization form C) as the running Python knows it, and the joiners that
Unicode 15.1 added. There are no reserved words.

Conversion splits a name into words: at `_`, `-` and blanks, which vanish; from lower to upper case; between
letters and (ASCII) digits; and before the last capital of an acronym that a lower-case letter follows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from spacetimedb_lib.hex import HexError
from spacetimedb_lib.identity import Identity

_LATE_CONTINUE: Final = frozenset("\u200c\u200d\u30fb\uff65")
_SEPARATORS: Final = frozenset("_- ")
_DATABASE_NAME_START: Final = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*)?")


class IdentifierError(ValueError):
    """A name that is no identifier; `kind` is Empty, NotCanonicalized, InvalidStart or InvalidContinue."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class DatabaseNameError(ValueError):
    """A name that no database may have; `kind` is Identity, Empty, Hyphen or Invalid."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class DomainNameError(ValueError):
    """Text that is no domain name."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Error when parsing a domain, reason: {reason}")


# --- identifiers ---


def check_identifier(name: str) -> None:
    """Raises `IdentifierError` unless `name` may name a table, column, function or type of a module."""
    if not name:
        raise IdentifierError("Empty", "Empty identifiers are forbidden.")
    if not unicodedata.is_normalized("NFC", name):
        raise IdentifierError(
            "NotCanonicalized",
            f"Identifier `{name}` is not in normalization form C according to Unicode Standard Annex 15 "
            "(http://www.unicode.org/reports/tr15/) and cannot be used for entities in a module.",
        )
    if not name[0].isidentifier():
        raise IdentifierError(
            "InvalidStart",
            f"Identifier `{name}`'s starting character '{name[0]}' is neither an underscore ('_') nor a "
            "Unicode XID_start character (according to Unicode Standard Annex 31, "
            "https://www.unicode.org/reports/tr31/) and cannot be used for entities in a module.",
        )
    for char in name:
        if not f"_{char}".isidentifier() and char not in _LATE_CONTINUE:
            raise IdentifierError(
                "InvalidContinue",
                f"Identifier `{name}` contains a character '{char}' that is not an XID_continue character "
                "(according to Unicode Standard Annex 31, https://www.unicode.org/reports/tr31/) "
                "and cannot be used for entities in a module.",
            )


# --- case ---


@lru_cache(maxsize=8192)
def snake_case(name: str) -> str:
    """`playerID2` -> `player_id_2`."""
    return "_".join(word.lower() for word in words(name))


@lru_cache(maxsize=8192)
def camel_case(name: str) -> str:
    """`GRANNY_smith` -> `grannySmith`."""
    first, *rest = words(name) or [""]
    return first.lower() + "".join(map(_capitalized, rest))


@lru_cache(maxsize=8192)
def pascal_case(name: str) -> str:
    """`granny_smith` -> `GrannySmith`."""
    return "".join(map(_capitalized, words(name)))


def words(name: str) -> list[str]:
    """The words of a name, as they stand in it; empty ones are left out."""
    found = [""]
    letters = list(_letters(name))
    for i, letter in enumerate(letters):
        if letter in _SEPARATORS:
            found.append("")
            continue
        following = letters[i + 1 : i + 3]
        found[-1] += letter
        if following and _is_boundary(letter, *following):
            found.append("")
    return [word for word in found if word]


def _letters(name: str) -> Iterator[str]:
    """Characters together with the marks combined with them."""
    start = 0
    for i in range(1, len(name) + 1):
        if i == len(name) or not unicodedata.category(name[i]).startswith("M"):
            yield name[start:i]
            start = i


def _is_boundary(left: str, middle: str, right: str = "") -> bool:
    """Does a word end between `left` and `middle`?"""
    if _is_digit(left):
        return _is_upper(middle) or _is_lower(middle)
    if _is_lower(left):
        return _is_upper(middle) or _is_digit(middle)
    if _is_upper(left):
        return _is_digit(middle) or (_is_upper(middle) and _is_lower(right))
    return False


def _is_digit(letter: str) -> bool:
    return letter.isascii() and letter.isdigit()


def _is_upper(letter: str) -> bool:
    return letter != letter.lower() and letter == letter.upper()


def _is_lower(letter: str) -> bool:
    return letter != letter.upper() and letter == letter.lower()


def _capitalized(word: str) -> str:
    return word[0].upper() + word[1:].lower()


# --- databases ---


def check_database_name(name: str) -> None:
    """Raises `DatabaseNameError` unless `name` is lower-case letters and digits, single hyphens between."""
    if is_identity(name):
        raise DatabaseNameError("Identity", "database names cannot be identities")
    if not name:
        raise DatabaseNameError("Empty", "database names cannot be empty")
    good = _DATABASE_NAME_START.match(name)
    rest = name[good.end() :] if good else name
    if rest.startswith("-"):
        raise DatabaseNameError("Hyphen", "invalid hyphen in database name")
    if rest:
        raise DatabaseNameError("Invalid", "invalid characters in database name")


def is_identity(text: str) -> bool:
    """Is the text an identity in hex, so that it names a database by itself?"""
    try:
        Identity.from_hex(text)
    except HexError:
        return False
    return True


def split_domain(domain: str) -> tuple[str, str | None]:
    """(first part, the rest if any) of a name with parts between slashes. Raises `DomainNameError`."""
    if not domain:
        raise DomainNameError("Database names cannot be empty")
    if domain.startswith("/"):
        raise DomainNameError(f"Database names must not start with a slash: `{domain}`")
    if domain.endswith("/"):
        raise DomainNameError(f"Database names must not end with a slash: `{domain}`")
    if "//" in domain:
        raise DomainNameError(f"Database names must not have 2 consecutive slashes: `{domain}`")
    if domain.count("/") > 256:
        raise DomainNameError(f"Domains cannot have more the 256 subdomains: `{domain}`")
    top, *others = domain.split("/")
    if is_identity(top):
        raise DomainNameError(f"Identities cannot be database names: `{top}`")
    for part in (top, *others):
        if any(char.isspace() for char in part):
            raise DomainNameError(f"Database names must not contain whitespace: `{part}`")
        if len(part) > 64:
            raise DomainNameError(f"Domain name parts must be shorter than 64 characters: `{part}`")
    return top, "/".join(others) if others else None
