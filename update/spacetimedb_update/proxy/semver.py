"""Semantic versions (semver.org 2.0.0): reading and ordering them."""


class NotAVersion(ValueError):
    """The text is no semantic version; says why, for a sentence that begins with the text."""


class Version:
    """A semantic version. Ordered by precedence; build metadata counts for equality only.

    `key` is (major, minor, patch, is a release, identifiers of the pre-release).
    """

    __slots__ = ("key", "text")

    def __init__(self, text: str) -> None:
        """Read `text`. Raises `NotAVersion`."""
        self.text = text
        self.key = _key(text)

    @property
    def numbers(self) -> tuple[int, int, int]:
        return self.key[0], self.key[1], self.key[2]

    @property
    def is_prerelease(self) -> bool:
        return not self.key[3]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: "Version") -> bool:
        return self.key < other.key

    def __gt__(self, other: "Version") -> bool:
        return self.key > other.key

    def __le__(self, other: "Version") -> bool:
        return self.key <= other.key

    def __ge__(self, other: "Version") -> bool:
        return self.key >= other.key


def version_or_none(text: str) -> Version | None:
    """The version that `text` is, None if it is none."""
    try:
        return Version(text)
    except NotAVersion:
        return None


def _key(text: str) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
    core, plus, build = text.partition("+")
    core, dash, prerelease = core.partition("-")
    if plus:
        _identifiers(build, "build metadata")
    if text[:1] in ("v", "V"):
        raise NotAVersion(f"versions are written without the letter, as in {text[1:]}")
    numbers = core.split(".")
    if len(numbers) != 3:
        raise NotAVersion("a version has three numbers, as in 2.10.0")
    major, minor, patch = (_number(number) for number in numbers)
    if not dash:
        return major, minor, patch, True, ()
    return major, minor, patch, False, tuple(map(_ranked, _identifiers(prerelease, "pre-release")))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise NotAVersion(f"{text!r} is no number: a version has three, as in 2.10.0")
    if len(text) > 1 and text[0] == "0":
        raise NotAVersion(f"{text!r} has a leading zero")
    if len(text) > 19:
        raise NotAVersion(f"{text!r} is too large")
    return int(text)


def _identifiers(text: str, part: str) -> list[str]:
    identifiers = text.split(".")
    for identifier in identifiers:
        if not identifier or not (identifier.isascii() and identifier.replace("-", "a").isalnum()):
            raise NotAVersion(f"{identifier!r} cannot stand in its {part}")
    return identifiers


def _ranked(identifier: str) -> tuple[bool, int, str]:
    """Numbers are ordered as such and come before words."""
    if not identifier.isdigit():
        return True, 0, identifier
    if len(identifier) > 1 and identifier[0] == "0":
        raise NotAVersion(f"{identifier!r} in its pre-release has a leading zero")
    return False, int(identifier), ""
