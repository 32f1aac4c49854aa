"""What can go wrong, by whose fault it is, and how it is told.

An error's text is one sentence with the cause and what to do next. Its `__cause__` chain, where one
was given with `raise … from …`, is printed below it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator


class UpdateError(Exception):
    """Ends the command with `exit_code` after its text was printed."""

    exit_code = 1


class ArgumentError(UpdateError):
    """The command line itself is wrong."""

    exit_code = 2


class UserError(UpdateError):
    """What the user asked for, or wrote into a file, cannot be."""


class RepositoryError(UpdateError):
    """The release repository, or a mirror or bundle of it, offers something that must not be used."""


class NetworkError(UpdateError):
    """The release repository cannot be reached."""


class DamageError(UpdateError):
    """Something installed here is not what it was."""


class HostError(UpdateError):
    """This machine cannot do it."""


class DiskError(HostError):
    """The file system refuses."""


_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space (`spacetime version gc` helps), then run the command again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the command again",
    errno.EROFS: "the file system is read-only: make it writable, or choose another place with --root-dir",
    errno.EACCES: "permission denied: give yourself the right to read and write there, or choose another place with --root-dir",
    errno.EPERM: "not permitted: give yourself the right to write there, or choose another place with --root-dir",
    errno.ENOENT: "there is no such file or folder: check its path, then run the command again",
    errno.EISDIR: "a folder stands where a file should be: name another path, or move it away",
    errno.ENOTDIR: "a file stands where a folder should be: remove it, or choose another place with --root-dir",
    errno.EEXIST: "something else stands there already: move it away, then run the command again",
    errno.ELOOP: "the links there lead in a circle: remove them, then run the command again",
    errno.EIO: "the disk failed to read or write: check it, then run the command again",
    errno.EXDEV: "it lies on another file system than its neighbours: move it beside them",
    errno.EBUSY: "it is in use: stop what uses it, then run the command again",
    errno.ETXTBSY: "it is in use: stop what uses it, then run the command again",
}


def is_full(error: OSError) -> bool:
    """Is there no room left? Then what makes room must go on all the same."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def disk_error(error: OSError) -> DiskError:
    """An error of the file system as a sentence with what to do next; nothing was half-changed by it."""
    where = error.filename if error.filename is not None else "the installation"
    if isinstance(where, bytes):
        where = where.decode(errors="replace")
    advice = _ADVICE.get(
        error.errno or 0, f"{error.strerror or error}: mend that, then run the command again"
    )
    return DiskError(f"cannot work on {where}: {advice}")


def report(error: BaseException) -> str:
    """`Error: …`, and the causes behind it if there are any, as it is shown on standard error."""
    causes = [describe(cause) for cause in _causes(error)]
    if not causes:
        return f"Error: {describe(error)}"
    numbers = [""] if len(causes) == 1 else [f"{number}: " for number in range(len(causes))]
    lines = [f"    {number}{text}" for number, text in zip(numbers, causes, strict=True)]
    return "\n".join([f"Error: {describe(error)}", "", "Caused by:", *lines])


def describe(error: BaseException) -> str:
    """An error's own sentence, without its causes."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} (os error {error.errno})"
    return str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__
