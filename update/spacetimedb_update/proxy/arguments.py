"""The little that the proxy reads of a command line that is not its own."""

from spacetimedb_update.proxy.failure import Failure

ROOT_DIR = "--root-dir"


def split_version(arguments: list[str]) -> tuple[str | None, list[str]]:
    """`+VERSION` in front, which is ours, and what is left for the command."""
    if arguments and arguments[0].startswith("+"):
        return arguments[0][1:], arguments[1:]
    return None, arguments


def root_named(arguments: list[str]) -> str | None:
    """The value of `--root-dir`, for messages: None also where the arguments cannot be understood."""
    try:
        return scan(split_version(arguments)[1])[0]
    except Failure:
        return None


def scan(arguments: list[str]) -> tuple[str | None, int | None]:
    """The value of `--root-dir` and where the subcommand stands, as far as the whole grammar isn't needed.

    Options end at the first argument that is not one, which is taken for the subcommand (it may be
    another option's value), and at `--`. Raises `Failure` for an option without a value, or given twice.
    """
    root: str | None = None
    words = iter(enumerate(arguments))
    for position, word in words:
        if word == "--":
            return root, None
        if word == "-" or not word.startswith("-"):
            return root, position
        name, mark, value = word.partition("=")
        if name != ROOT_DIR:
            continue
        if root is not None:
            raise Failure(f"the argument '{ROOT_DIR} <root_dir>' cannot be used multiple times", exit_code=2)
        found = value if mark else next(words, (0, None))[1]
        if not found:
            raise Failure(
                f"a value is required for '{ROOT_DIR} <root_dir>' but none was supplied", exit_code=2
            )
        root = found
    return root, None
