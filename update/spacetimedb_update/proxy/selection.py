"""Which installed version runs: the first of these that says anything.

1. `+VERSION` as the first argument, 2. the environment variable SPACETIME_VERSION,
3. the nearest pin of a project (`pins`), 4. the link `bin/current`.
"""

import os

from spacetimedb_update.proxy.failure import Failure
from spacetimedb_update.proxy.names import CURRENT, is_version_name
from spacetimedb_update.proxy.pins import nearest_pin
from spacetimedb_update.proxy.places import Places

VARIABLE = "SPACETIME_VERSION"
NO_CURRENT = (
    "It seems like the spacetime version set as current may not exist. Try using `spacetime version`\n"
    "to set a different version as default or to install a new version altogether."
)


class Selection:
    """The name of a version, and who asked for it: None for the link `current`."""

    __slots__ = ("asked_by", "name")

    def __init__(self, name: str, asked_by: str | None) -> None:
        self.name = name
        self.asked_by = asked_by


def select(plus: str | None, env: "dict[str, str]", directory: str | None) -> Selection:
    """The selection for a command started in `directory` (None where that is gone).

    Raises `Failure` for a request that cannot be the name of a version.
    """
    if plus is not None:
        return Selection(_checked(plus, "+"), f"the argument +{plus}")
    value = env.get(VARIABLE, "")
    if value:
        return Selection(_checked(value, f"{VARIABLE}="), f"the environment variable {VARIABLE}")
    pin = nearest_pin(directory) if directory is not None else None
    if pin is not None:
        return Selection(pin[0], pin[1])
    return Selection(CURRENT, None)


def _checked(name: str, before: str) -> str:
    """`before` is what stands before the name where it is asked for."""
    if not is_version_name(name):
        raise Failure(
            f"`{before}{name}` does not name a version: write for example {before}2.10.0, or list what is there "
            "with `spacetime version list`"
        )
    return name


def missing(selection: Selection, places: Places, *causes: str) -> Failure:
    """The failure to tell when the selected version cannot be started; `causes` are the system's words."""
    if selection.asked_by is None:
        return Failure(NO_CURRENT, *_about_current(places), *causes)
    name = selection.name
    if os.path.isdir(places.version_dir(name)):
        return Failure(
            f"version {name}, asked for by {selection.asked_by}, is damaged: `spacetime version verify {name}` "
            f"tells how, `spacetime version install {name}` installs it again",
            *causes,
        )
    return Failure(f"version {name} is not installed, but {selection.asked_by} asks for it: {_remedy(name)}")


def _remedy(name: str) -> str:
    """What brings in something of that name: only versions are released."""
    from spacetimedb_update.proxy.semver import version_or_none

    if name[0] in "vV" and version_or_none(name[1:]) is not None:
        return f"versions are written without the letter, as in {name[1:]}"
    if version_or_none(name) is None:
        return f"`spacetime version link {name} PATH` gives this name to programs elsewhere"
    return f"`spacetime version install {name}` installs it"


def _about_current(places: Places) -> list[str]:
    """What is wrong with the link `current`, and the command that mends it."""
    try:
        text = os.readlink(places.current())
    except FileNotFoundError:
        return ["no version is selected: `spacetime version upgrade` installs and selects the latest"]
    except NotADirectoryError:
        return [f"a file stands where {places.bin_dir} should be: choose another root with --root-dir"]
    except OSError:
        if not os.path.isdir(places.current()):
            return []
        return [
            f"{places.current()} is a folder where a link to a version should be: move it away, then "
            "`spacetime version use VERSION` selects one"
        ]
    name = os.path.basename(text)
    if name == CURRENT or not is_version_name(name):
        return [
            f"{places.current()} leads to {text}, which is no version: `spacetime version use VERSION` selects one"
        ]
    if os.path.isdir(os.path.join(places.bin_dir, text)):
        return [f"version {name} is damaged: `spacetime version verify {name}` tells how"]
    return [f"{places.current()} selects {name}, which is not installed: {_remedy(name)}"]
