"""`spacetime import-data`."""

from __future__ import annotations

from spacetimedb_cli.commands.handed_over import handed_over

app = handed_over("import-data", "Take over the databases of an official server's data directory")
