"""`spacetime replay`."""

from __future__ import annotations

from spacetimedb_cli.commands.handed_over import handed_over

app = handed_over("replay", "Copy a database, as it was behind a transaction, into a new directory")
