"""`check-for-update`, started in the background by the proxy: look for the latest release, note it down.

Two seconds at most, nothing printed, nothing stored but the note: the metadata is verified like any
other, so the note cannot be made to name a version that was never released.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import UpdateError
from spacetimedb_update.ports.file_trees import read_or_none, replace_file
from spacetimedb_update.ports.net import NetError, RealNet
from spacetimedb_update.proxy.notice import Cache
from spacetimedb_update.releases.catalogue import Catalogue

SECONDS = 2.0


def run(run: Run, arguments: Namespace) -> int:
    host = run.host
    if isinstance(host.net, RealNet):
        net = RealNet(SECONDS)
        net.prepare()
        run = replace(run, host=replace(host, net=net))
    try:
        releases = run.releases()
        fetcher = replace(releases.fetcher, deadline=host.clock.monotonic() + SECONDS)
        trusted = replace(releases, fetcher=fetcher).trusted(host.clock.now())
        latest = str(Catalogue(trusted).latest())
    except (UpdateError, NetError, OSError):
        return 1
    path = run.site.paths.cli_config_dir.update_check_cache().path
    if host.files.kind(path.parent) is None:
        return 1
    known = Cache.parse((read_or_none(host.files, path) or b"").decode(errors="replace"))
    known.last_check, known.latest = int(host.clock.now().timestamp()), latest
    replace_file(host.files, path, known.to_json().encode())
    return 0
