"""One run of the tool: where its files are, its settings, and ready-made connections to servers."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from spacetimedb_cli.config.file import Settings
from spacetimedb_cli.host import Host
from spacetimedb_cli.terminal import Terminal
from spacetimedb_paths import SpacetimePaths

if TYPE_CHECKING:
    from spacetimedb_cli.client.api import Api
    from spacetimedb_cli.client.databases import DatabaseRef
    from spacetimedb_cli.project.targets import Target


class Invocation:
    """What a command is given. `config_path` overrides where `cli.toml` lies, and only that."""

    def __init__(self, host: Host, paths: SpacetimePaths, config_path: Path | None = None):
        self.host = host
        self.paths = paths
        self.config_path = config_path or paths.cli_config_dir.cli_toml().path

    @property
    def terminal(self) -> Terminal:
        return self.host.terminal

    @cached_property
    def settings(self) -> Settings:
        """The settings; the first look at them creates the file where there is none."""
        return Settings.load(self.config_path, self.terminal)

    def server(self, name: str | None, anonymous: bool = False, interactive: bool = True) -> Api:
        """The server that `--server` named, with the login of the user (`auth.login.token_for`).

        Anonymous requests carry no token. Otherwise a missing login is repaired: by asking, or
        without a question where the run is not `interactive`.
        """
        from spacetimedb_cli.auth.login import token_for
        from spacetimedb_cli.client.api import Api

        api = Api.connect(self.settings.values.server_url(name), self.host.transport)
        return api if anonymous else api.with_token(token_for(self, api, interactive))

    def database(
        self,
        command: str,
        name: str | None,
        server: str | None,
        no_config: bool,
        interactive: bool = True,
    ) -> tuple[Api, DatabaseRef]:
        """The database that the only argument of `command`, or the project around, means."""
        from spacetimedb_cli.client.databases import resolve
        from spacetimedb_cli.project.resolution import the_database

        target = the_database(command, self.project_databases(no_config), name)
        api = self.server(server or target.server, interactive=interactive)
        return api, resolve(api, target.database)

    def project_databases(self, no_config: bool) -> list[Target]:
        """The databases of the project around the working directory."""
        from spacetimedb_cli.project.resolution import project_databases

        return project_databases(self.host.working_directory, no_config)
