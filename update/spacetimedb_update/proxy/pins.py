"""A project's own choice of a version.

A folder pins a version by `"spacetime-version": "2.10.0"` in its `spacetime.json`, or by a file
`.spacetime-version` whose first line that is neither empty nor a comment names it. The nearest folder
at or above the working directory decides; in one folder `spacetime.json` comes first.
"""

import os

from spacetimedb_update.proxy.failure import Failure, reason
from spacetimedb_update.proxy.names import is_version_name

PROJECT_FILE = "spacetime.json"
PIN_FILE = ".spacetime-version"
KEY = "spacetime-version"
_SIZE_LIMIT = 1 << 20
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
"""Whatever has the name of a pin may be no file: nothing is waited for."""
_BYTE_ORDER_MARK = "\ufeff"


def nearest_pin(directory: str) -> tuple[str, str] | None:
    """The version that the project around `directory` pins, and the file that does; None without one.

    Raises `Failure` naming a file that should pin a version but cannot be understood.
    """
    while True:
        for name, read in ((PROJECT_FILE, _in_project), (PIN_FILE, _in_pin_file)):
            file = os.path.join(directory, name)
            text = _text(file)
            version = read(file, text) if text is not None else None
            if version is not None:
                return version, file
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent


def _text(file: str) -> str | None:
    """What a file holds, None if there is none."""
    try:
        descriptor = os.open(file, os.O_RDONLY | _NO_WAITING)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if os.path.isdir(file):
            return None
        raise Failure(
            f"cannot read {file}, which may pin a version: make it readable", reason(error)
        ) from None
    try:
        return os.read(descriptor, _SIZE_LIMIT).decode("utf-8", "replace").removeprefix(_BYTE_ORDER_MARK)
    except IsADirectoryError:
        return None
    except OSError as error:
        raise Failure(
            f"cannot read {file}, which may pin a version: make it readable", reason(error)
        ) from None
    finally:
        os.close(descriptor)


def _in_project(file: str, text: str) -> str | None:
    if KEY not in text:
        return None
    from spacetimedb_update.proxy.flat_json import members

    try:
        found = members(text)
    except ValueError as error:
        raise Failure(f"cannot read the pin `{KEY}` in {file}: {error}; correct the file") from None
    if KEY not in found:
        return None
    return _checked(file, found[KEY])


def _in_pin_file(file: str, text: str) -> str | None:
    lines = (line.strip() for line in text.splitlines())
    return _checked(file, next((line for line in lines if line and not line.startswith("#")), ""))


def _checked(file: str, value: object) -> str:
    if isinstance(value, str) and is_version_name(value.strip()):
        return value.strip()
    shown = f"{value!r} is no version" if value else "it names no version"
    raise Failure(f"cannot tell which version {file} pins: {shown}; write for example 2.10.0, or remove it")
