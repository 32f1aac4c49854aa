"""`python -m spacetimedb_update …` is the version manager under its own name."""

import sys

from spacetimedb_update.proxy.main import run
from spacetimedb_update.proxy.system import System

if __name__ == "__main__":
    sys.exit(run(System.current(["spacetimedb-update", *sys.argv[1:]])))
