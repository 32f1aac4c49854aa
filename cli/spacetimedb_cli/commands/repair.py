"""`spacetime repair`."""

from __future__ import annotations

from spacetimedb_cli.commands.handed_over import handed_over

app = handed_over("repair", "Let a database with a damaged log go on with what is left")
