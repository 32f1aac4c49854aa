"""`cli.toml`: the known servers, which of them is the default, and the login."""
