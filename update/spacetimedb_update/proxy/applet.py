"""One program under several names: which one it was started by."""

import os

from spacetimedb_update.proxy.failure import Failure

VARIABLE = "SPACETIMEDB_UPDATE_MULTICALL_APPLET"
UPDATE = "spacetimedb-update"
PROXY = "spacetime"
INSTALL = "spacetime-install"


def applet(argv0: str, env: "dict[str, str]") -> str:
    """The name in `argv0` without folder and suffix, or what the environment says instead.

    Raises `Failure` for a name that is none of ours.
    """
    name = env.get(VARIABLE) or os.path.splitext(os.path.basename(argv0))[0]
    if not name:
        raise Failure("argv0 must have a filename")
    if name not in (UPDATE, PROXY, INSTALL):
        raise Failure(f"unknown command name for spacetimedb-update multicall binary: {name}")
    return name
