"""The file behind the settings: created with defaults, changed in place, replaced atomically."""

from __future__ import annotations

from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from spacetimedb_cli.config import toml_form
from spacetimedb_cli.config.values import Values
from spacetimedb_cli.errors import UserError
from spacetimedb_cli.terminal import Terminal
from spacetimedb_paths.cli import CliTomlPath


class Settings:
    """The settings of one run. `save` changes memory and file together; the last writer wins."""

    def __init__(self, path: Path, document: tomlkit.TOMLDocument, terminal: Terminal):
        self._path = CliTomlPath(path)
        self._document = document
        self._terminal = terminal
        self.values = toml_form.read(document)

    @classmethod
    def load(cls, path: Path, terminal: Terminal) -> Settings:
        """Read the file, or create it with the defaults.

        Raises `UserError` where it is no TOML or holds values of the wrong type.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            settings = cls(path, tomlkit.document(), terminal)
            settings.save(toml_form.DEFAULTS)
            return settings
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"config file {path} is invalid") from error
        try:
            return cls(path, tomlkit.parse(text), terminal)
        except TOMLKitError as error:
            raise UserError(f"config file {path} is invalid") from error

    def save(self, values: Values) -> None:
        """Make `values` the settings. A file that cannot be written is told of, but no error."""
        self.values = values
        toml_form.apply(self._document, values)
        self._terminal.err(f"Saving config to {self._path}.")
        try:
            self._path.write(tomlkit.dumps(self._document))
        except OSError as error:
            self._terminal.err(f"Could not save config file: {error}")
