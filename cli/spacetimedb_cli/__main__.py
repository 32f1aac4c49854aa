"""Entry point of `spacetimedb-cli`."""

from __future__ import annotations

import os
import sys

from spacetimedb_cli.help_pages import page
from spacetimedb_cli.program import started_program, without_places


def main() -> None:
    """Run the command line of this process and exit."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from spacetimedb_paths.standard_streams import fill_standard_streams

        fill_standard_streams()
    arguments = without_places(sys.argv[1:])
    if arguments in (["--version"], ["-V"]):  # answered without loading anything: scripts ask it often
        from spacetimedb_cli.version import VERSION, version_text

        long = arguments == ["--version"]
        show(f"{version_text(started_program())}\n" if long else f"spacetime {VERSION}\n")
        return
    if (text := page(arguments)) is not None:
        show(text)
        return
    from spacetimedb_cli.app import run
    from spacetimedb_cli.terminal import print_anything

    print_anything(sys.stdin, sys.stdout, sys.stderr)
    sys.exit(run(sys.argv[1:]))


def show(text: str) -> None:
    """Print to standard output, without a word if its reader has left."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        left = isinstance(error, BrokenPipeError)
        sys.exit(1 if left else f"Error: standard output takes nothing: {error.strerror}")


if __name__ == "__main__":
    main()
