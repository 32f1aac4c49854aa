"""Reading `config.toml`; on a first start the commented default file is put there and read."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from spacetimedb_paths.server import ConfigToml
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.settings import ServerConfig, read_config


def default_config_text() -> str:
    """The file that a new data directory gets."""
    return files(__package__).joinpath("default_config.toml").read_text(encoding="utf-8")


def load_config(path: ConfigToml) -> ServerConfig:
    """The settings in `path`, which is written from the default first if it is missing.

    Raises `ConfigError` naming the file, `OSError` when it can be neither read nor written.
    """
    if not path.exists():
        path.write(default_config_text())
    try:
        document = tomllib.loads(path.read_to_string())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"invalid TOML syntax in {path}: {error}") from error
    try:
        return read_config(document)
    except ConfigError as error:
        raise ConfigError(f"invalid setting in {path}: {error}") from error
