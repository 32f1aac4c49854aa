"""`spacetime doctor`."""

from __future__ import annotations

from spacetimedb_cli.commands.handed_over import handed_over

app = handed_over("doctor", "Check every checksum of a data directory")
