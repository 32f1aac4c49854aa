"""`spacetime version bundle install`: a release from a file, verified like one from the network."""

from __future__ import annotations

from argparse import Namespace

from spacetimedb_update.bundles.net import BASE, BundleNet
from spacetimedb_update.changes import plans
from spacetimedb_update.changes.arrival import Supply
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import UserError
from spacetimedb_update.releases.fetcher import Fetcher
from spacetimedb_update.releases.layout import ARCHIVE_SUFFIXES, TARGETS
from spacetimedb_update.releases.refusals import Expired, ago
from spacetimedb_update.releases.repository import Releases
from spacetimedb_update.releases.trusted import AcceptStale


def run(run: Run, arguments: Namespace) -> int:
    with run.change("spacetime version bundle install"):
        net = BundleNet.open(run.absolute(arguments.file), run.host.files)
        version = version_in(net)
        releases = releases_in(run, net, arguments.allow_expired)
        catalogue = releases.catalogue(run.host.clock.now())
        there = run.survey()
        if there.find(version) is not None and not run.is_damaged(there, version):
            run.execute(plans.already_installed(there, version, arguments.use))
        else:
            artifact = run.artifact(catalogue, version)
            plan = plans.install(there, artifact, True, arguments.use)
            run.execute(plan, Supply(releases, catalogue.trusted.documents["targets"]))
    run.host.terminal.err(f"Installing v{version}: done!")
    return 0


def version_in(net: BundleNet) -> str:
    """The version that a bundle carries. Raises `UserError` where it is not exactly one."""
    versions = {
        name.split("/")[1]
        for name in net.names()
        if name.startswith(f"{TARGETS}/") and name.count("/") == 2 and name.endswith(ARCHIVE_SUFFIXES)
    }
    if len(versions) != 1:
        raise UserError(f"{net.path} holds {len(versions)} releases instead of one: make it again")
    return versions.pop()


def releases_in(run: Run, net: BundleNet, allow_expired: bool) -> Releases:
    """A bundle as the release repository."""
    fetcher = Fetcher(net, run.host.clock)
    return Releases((BASE,), fetcher, run.metadata_store(), run.anchor(), _ask_about_age(run, allow_expired))


def _ask_about_age(run: Run, allow_expired: bool) -> AcceptStale:
    def accept(expired: Expired) -> bool:
        age = ago(run.host.clock.now() - expired.expires)
        run.host.terminal.err(
            f"The bundle's timestamp expired {age} (on {expired.expires:%Y-%m-%d %H:%M} UTC): "
            "there may be newer releases, with corrections, that it does not know."
        )
        question = "Install from it all the same?"
        return allow_expired or run.host.terminal.confirm(question, unasked="--allow-expired")

    return accept
