"""Entry point of `spacetimedb-cli`."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the command line of this process and exit."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # answered without loading anything: scripts ask it often
        from spacetimedb_cli.version import VERSION, version_text

        long = sys.argv[1] == "--version"
        print(version_text(Path(sys.argv[0]).absolute()) if long else f"spacetime {VERSION}")
        return
    from spacetimedb_cli.app import run
    from spacetimedb_cli.terminal import print_anything

    print_anything(sys.stdin, sys.stdout, sys.stderr)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
