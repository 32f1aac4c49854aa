"""The note that a newer version exists: at most once a day, on standard error, without waiting.

What is known stands in `{config}/.update_check_cache`, a JSON object with `last_check_secs`,
`latest_version`, `last_notice_secs` and `notice_latest_version`. The proxy only reads it, and when it
is a day old starts `CHECK_COMMAND` in the background, which asks the release repository (for two
seconds at most) and writes what it finds. The note about it comes with the next command.
"""

import os

from spacetimedb_update.proxy import applet
from spacetimedb_update.proxy.flat_json import members
from spacetimedb_update.proxy.places import Places
from spacetimedb_update.proxy.semver import version_or_none
from spacetimedb_update.proxy.system import System

SILENCE = "SPACETIME_NO_UPDATE_CHECK"
CHECK_COMMAND = "check-for-update"
DAY_SECONDS = 24 * 60 * 60


class Cache:
    """What the cache file says; zero and empty where it does not."""

    __slots__ = ("last_check", "last_notice", "latest", "noticed")

    def __init__(
        self, last_check: int = 0, latest: str = "", last_notice: int = 0, noticed: str = ""
    ) -> None:
        self.last_check = last_check
        self.latest = latest
        self.last_notice = last_notice
        self.noticed = noticed

    @classmethod
    def parse(cls, text: str | None) -> "Cache":
        """Anything unreadable counts as nothing known."""
        try:
            found = members(text or "{}")
        except ValueError:
            found = {}

        def number(key: str) -> int:
            value = found.get(key)
            return value if isinstance(value, int) else 0

        def word(key: str) -> str:
            value = found.get(key)
            return value if isinstance(value, str) and version_or_none(value) else ""

        return cls(
            number("last_check_secs"),
            word("latest_version"),
            number("last_notice_secs"),
            word("notice_latest_version"),
        )

    def to_json(self) -> str:
        return (
            f'{{"last_check_secs":{self.last_check},"latest_version":"{self.latest}",'
            f'"last_notice_secs":{self.last_notice},"notice_latest_version":"{self.noticed}"}}'
        )


def tell(system: System, places: Places, root: str | None) -> None:
    """Print the note if one is due, and see to it that the cache stays fresh. Never fails, never waits."""
    if system.env.get(SILENCE):
        return
    path = places.update_check_cache()
    cache = Cache.parse(system.read(path))
    now = system.now()
    changed = False
    if is_due(cache, system.version, now):
        system.say(note(cache.latest, system.version, system.shows_colors()))
        cache.last_notice, cache.noticed = now, cache.latest
        changed = True
    check = _is_old(cache.last_check, now) and _knows_a_repository(system)
    if check:
        cache.last_check = now  # also if it fails: one attempt a day
    # A cache that cannot be written would start a process with every command.
    if (changed or check) and system.write(path, cache.to_json()) and check:
        _start_check(system, root)


def is_due(cache: Cache, own: str, now: int) -> bool:
    latest, mine = version_or_none(cache.latest), version_or_none(own)
    if latest is None or mine is None or not latest > mine:
        return False
    return cache.latest != cache.noticed or _is_old(cache.last_notice, now)


def note(latest: str, own: str, colors: bool) -> str:
    news = f"A new version of SpacetimeDB is available: v{latest} (current: v{own})"
    news = f"\x1b[33m{news}\x1b[0m" if colors else news
    return f"{news}\nRun `spacetime version upgrade` to update.\n"


def _is_old(then: int, now: int) -> bool:
    """A day ago, or in the future: somebody set the clock back."""
    return not now - DAY_SECONDS < then <= now


def _knows_a_repository(system: System) -> bool:
    if any(system.env.get(name) for name in ("SPACETIME_UPDATE_RELEASES_URL", "SPACETIME_DOWNLOAD_ROOT")):
        return True
    return os.path.exists(os.path.join(system.program_folder(), "mirrors"))


def _start_check(system: System, root: str | None) -> None:
    arguments = [f"--root-dir={root}"] if root is not None else []
    env = {**system.env, applet.VARIABLE: applet.UPDATE}
    try:
        system.start_in_background([*system.own_command(), *arguments, CHECK_COMMAND], env)
    except OSError:
        return  # no process to be had: tomorrow, then
