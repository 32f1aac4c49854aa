"""Commands that messages advise, written so that they work where they are read."""

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_")


def for_root(text: str, root: str | None) -> str:
    """`text` with its commands for the installation below `root`; None: they are, for the default one."""
    if root is None:
        return text
    for command in ("version ", "self-"):
        text = text.replace(f"spacetime {command}", f"spacetime --root-dir {quoted(root)} {command}")
    return text


def quoted(argument: str) -> str:
    """One argument of a command line, as POSIX shells and PowerShell read it."""
    if argument and _PLAIN.issuperset(argument):
        return argument
    return "'" + argument.replace("'", "'\\''") + "'"
