"""Why metadata of a release repository is not believed; each is an attack, or looks like one."""

from __future__ import annotations

from datetime import datetime, timedelta

from spacetimedb_update.errors import RepositoryError


class MetadataRefused(RepositoryError):
    """The metadata must not be used; what is installed stays as it is."""


class Expired(MetadataRefused):
    """Nobody vouches for it any more: it may be old on purpose."""

    def __init__(self, role: str, expires: datetime, now: datetime) -> None:
        super().__init__(
            f"the {role} metadata of the release repository expired {ago(now - expires)} "
            f"(on {expires:%Y-%m-%d %H:%M} UTC), so newer releases may be withheld: if your clock is right "
            f"({now:%Y-%m-%d %H:%M} UTC), try another mirror, or again later"
        )
        self.role = role
        self.expires = expires


class RolledBack(MetadataRefused):
    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the release repository offers older metadata than this machine has seen ({detail}): "
            "versions never go back, use a mirror or bundle that is up to date"
        )


class BadlySigned(MetadataRefused):
    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the release repository's metadata is not signed by enough trusted keys ({detail}): "
            "use another mirror, and tell the maintainers if it lasts"
        )


class Inconsistent(MetadataRefused):
    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the release repository's metadata does not fit together ({detail}): "
            "use another mirror, or try again when its update is complete"
        )


class NoRepository(MetadataRefused):
    def __init__(self, place: str) -> None:
        super().__init__(
            f"there is no release repository at {place} (it has no metadata/timestamp.json): check the address, "
            "or use another mirror"
        )


def ago(age: timedelta) -> str:
    """A span of time in the largest unit that fits, as in `3 days ago`."""
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or size == 1:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    raise AssertionError("seconds always fit")
