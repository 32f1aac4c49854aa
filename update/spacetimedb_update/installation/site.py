"""The places of one installation, as paths that can be worked on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacetimedb_paths import SpacetimePaths
from spacetimedb_update.proxy.names import CURRENT, program_name

CLI = "spacetimedb-cli"
UPDATE = "spacetimedb-update"
STANDALONE = "spacetimedb-standalone"
PROGRAMS = (UPDATE, CLI, STANDALONE)

RECEIPT = ".release"
"""Folder in an installed version: the signed list of its files, and the metadata that signs the list."""
FILES_JSON = "files.json"
TARGETS_JSON = "targets.json"


@dataclass(frozen=True, slots=True)
class Site:
    """`windows`: programs end in `.exe`, `current` is a junction, `spacetime` a copy."""

    paths: SpacetimePaths
    windows: bool = False

    @property
    def bin_dir(self) -> Path:
        return self.paths.cli_bin_dir.path

    @property
    def current(self) -> Path:
        return self.bin_dir / CURRENT

    @property
    def command(self) -> Path:
        """`spacetime` itself."""
        return self.paths.cli_bin_file.path

    @property
    def config_dir(self) -> Path:
        return self.paths.cli_config_dir.path

    @property
    def data_dir(self) -> Path:
        return self.paths.data_dir.path

    def version_dir(self, name: str) -> Path:
        return self.bin_dir / name

    def program(self, version: str, name: str) -> Path:
        """One of the programs of an installed version."""
        return self.bin_dir / version / program_name(name, self.windows)

    def receipt(self, version: str) -> Path:
        return self.bin_dir / version / RECEIPT

    @property
    def update_dir(self) -> Path:
        return self.paths.update_dir.path

    @property
    def lock(self) -> Path:
        return self.paths.update_dir.lock_file().path

    @property
    def lock_owner(self) -> Path:
        return self.paths.update_dir.lock_owner().path

    @property
    def journal(self) -> Path:
        return self.paths.update_dir.journal().path

    @property
    def history(self) -> Path:
        return self.paths.update_dir.history().path

    @property
    def self_install_record(self) -> Path:
        return self.paths.update_dir.self_install_record().path

    @property
    def downloads(self) -> Path:
        return self.paths.update_dir.downloads().path

    @property
    def staging(self) -> Path:
        return self.paths.update_dir.staging().path

    @property
    def trash(self) -> Path:
        return self.paths.update_dir.trash().path

    @property
    def backups(self) -> Path:
        return self.paths.update_dir.backups().path

    @property
    def metadata(self) -> Path:
        return self.paths.update_dir.trusted_metadata().path

    @property
    def command_origin(self) -> Path:
        """On Windows, where `spacetime` is a copy: the name of the version that it was copied from."""
        return self.update_dir / "command-version"
