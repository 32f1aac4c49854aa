"""Names of installed versions: folders below `bin/`, and links to elsewhere such as `dev`."""

CURRENT = "current"
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-")


def is_version_name(text: str) -> bool:
    """Can this be the name of an installed version? Nothing that leaves the folder, nothing hidden."""
    return 0 < len(text) <= 128 and text[0] not in ".-+" and _ALLOWED.issuperset(text)


def program_name(name: str, windows: bool) -> str:
    """The file name of one of our programs."""
    return f"{name}.exe" if windows else name
