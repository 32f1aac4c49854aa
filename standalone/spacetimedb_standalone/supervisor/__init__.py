"""One process per database: starting, watching, restarting and stopping them, and talking to them."""
