"""Commands that messages advise, written so that they work where they are read."""

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_")


def for_root(text: str, root: str | None) -> str:
    """`text` with the commands between its backticks for the installation below `root`, None: the default one."""
    for command in ("`spacetime version ", "`spacetime self-"):
        text = text.replace(command, _addressed(command, root))
    return text


def command_for_root(command: str, root: str | None) -> str:
    """One command for the installation below `root`; those of other programs stay as they are."""
    return _addressed(command, root) if command.startswith("spacetime ") else command


def _addressed(command: str, root: str | None) -> str:
    if root is None:
        return command
    return command.replace("spacetime ", f"spacetime --root-dir {quoted(root)} ", 1)


def quoted(argument: str) -> str:
    """One argument of a command line, as POSIX shells and PowerShell read it."""
    if argument and _PLAIN.issuperset(argument):
        return argument
    return "'" + argument.replace("'", "'\\''") + "'"
