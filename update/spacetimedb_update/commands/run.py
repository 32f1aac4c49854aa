"""One run of the version manager: its installation, its machine, and where releases come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spacetimedb_update.changes.journal import Journal
from spacetimedb_update.errors import DamageError, HostError, RepositoryError, UserError
from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import Site
from spacetimedb_update.installation.survey import Installation, survey
from spacetimedb_update.proxy.advice import command_for_root

if TYPE_CHECKING:
    from spacetimedb_update.changes.arrival import Supply
    from spacetimedb_update.changes.steps import Plan
    from spacetimedb_update.releases.catalogue import Artifact, Catalogue
    from spacetimedb_update.releases.repository import Releases
    from spacetimedb_update.releases.store import MetadataStore
    from spacetimedb_update.releases.tuf_roles import Root


@dataclass(frozen=True)
class Run:
    """What a command is given. `root`: the folder of the installation, where one was named."""

    host: Host
    site: Site
    root: str | None = None

    def advised(self, command: str) -> str:
        """A command of ours to tell, for this installation."""
        return command_for_root(command, self.root)

    def survey(self) -> Installation:
        return survey(self.site, self.host)

    @contextmanager
    def change(self, purpose: str) -> Iterator[Journal | None]:
        """Hold the lock over a mended installation; gives the journal of an interrupted run."""
        from spacetimedb_update.changes.lock import locked
        from spacetimedb_update.changes.recovery import recover

        with locked(self.site, self.host, purpose):
            yield recover(self.site, self.host)

    def execute(self, plan: Plan, supply: Supply | None = None) -> None:
        """Carry out a plan, within `change`."""
        from spacetimedb_update.changes.executor import Executor

        Executor(self.site, self.host, supply).run(plan)

    # --- releases ---

    def metadata_store(self) -> MetadataStore:
        from spacetimedb_update.releases.store import MetadataStore

        return MetadataStore(self.site.metadata, self.host.files)

    def anchor(self) -> bytes:
        from spacetimedb_update.releases.anchor import anchor

        host = self.host
        return anchor(host.environment, host.files, host.program.parent, self.metadata_store())

    def trusted_root(self) -> Root:
        """The keys that are trusted, as far as this machine knows."""
        from spacetimedb_update.releases.trusted import load_root

        return load_root(self.anchor(), self.metadata_store())

    def releases(self) -> Releases:
        """The release repository by its mirrors."""
        from spacetimedb_update.releases.fetcher import Fetcher
        from spacetimedb_update.releases.mirrors import mirrors
        from spacetimedb_update.releases.repository import Releases

        host = self.host
        bases = mirrors(host.environment, host.files, host.program.parent)
        fetcher = Fetcher(host.net, host.clock)
        return Releases(bases, fetcher, self.metadata_store(), self.anchor())

    def artifact(self, catalogue: Catalogue, version: str, name: str | None = None) -> Artifact:
        """The archive of a release that runs on this machine. Raises an error that says why there is none."""
        machine = self.host.machine
        if name is None and (reason := machine.unsupported()) is not None:
            raise HostError(reason)
        artifact = catalogue.artifact(version, name or machine.archive_name, is_default=name is None)
        if artifact.target != machine.triple:
            raise RepositoryError(
                f"{artifact.file_name} is for {artifact.target}, this machine is {machine.triple}: "
                "nothing was installed"
            )
        if (reason := machine.too_old_for(artifact.glibc)) is not None:
            raise HostError(reason)
        return artifact

    # --- what is installed ---

    def is_damaged(self, there: Installation, version: str) -> bool:
        """Is an installed release not what was signed? False where nothing has that name.

        What was not installed from a release counts as damaged: a plan refuses to replace it.
        """
        from spacetimedb_update.installation.verify import problems

        found = there.find(version)
        if found is None:
            return False
        if not found.is_release:
            return True
        try:
            return bool(problems(self.site, self.host.files, version, self.trusted_root()))
        except (DamageError, RepositoryError, UserError):
            return True

    def absolute(self, path: str) -> Path:
        """A path of the command line, seen from the working directory."""
        return self.host.working_directory / path
