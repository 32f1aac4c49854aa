"""Settings of the server: `config.toml`, the stamp of a data directory, options, the server's own log."""

from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.settings import ServerConfig

__all__ = ["ConfigError", "ServerConfig"]
