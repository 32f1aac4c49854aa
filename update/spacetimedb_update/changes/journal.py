"""The change that is under way, written before its first step and removed after its last.

Whoever finds one while holding the lock knows that a run was interrupted. JSON::

    {"operation": "rollback", "version": "2.9.0", "started": "2026-01-31T12:00:00+00:00",
     "backup": "before-2.10.0-…", "aside": "replaced-…"}

`backup` and `aside` are there only while a backup is put back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import Site
from spacetimedb_update.ports.file_trees import read_or_none, replace_file
from spacetimedb_update.proxy.names import is_version_name


@dataclass(frozen=True, slots=True)
class Journal:
    operation: str
    version: str
    started: datetime
    backup: str | None = None
    aside: str | None = None

    def write(self, site: Site, host: Host) -> None:
        table: dict[str, str] = {
            "operation": self.operation,
            "version": self.version,
            "started": self.started.isoformat(),
        }
        if self.backup is not None and self.aside is not None:
            table |= {"backup": self.backup, "aside": self.aside}
        replace_file(host.files, site.journal, (json.dumps(table) + "\n").encode())


def read_journal(site: Site, host: Host) -> Journal | None:
    """The interrupted change, None without one; a journal that cannot be read says nothing."""
    data = read_or_none(host.files, site.journal)
    if data is None:
        return None
    try:
        table = json.loads(data)
        operation, version = str(table["operation"]), table["version"]
        backup, aside = table.get("backup"), table.get("aside")
        started = datetime.fromisoformat(table["started"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if not all(_is_name_or_nothing(name) for name in (version, backup, aside)):
        return None
    return Journal(operation, version or "", started, backup or None, aside or None)


def _is_name_or_nothing(name: object) -> bool:
    """`gc` names no version, and most changes no backup; anything else becomes a part of paths."""
    return not name or (isinstance(name, str) and is_version_name(name))


def remove_journal(site: Site, host: Host) -> None:
    """One that comes back after a power failure does no harm: it names a change that was made."""
    if host.files.kind(site.journal) is not None:
        host.files.remove_file(site.journal)
