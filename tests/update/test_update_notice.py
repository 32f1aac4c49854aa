"""The note that a newer version exists: once a day, on standard error, never waiting."""

from __future__ import annotations

import json

import pytest

from spacetimedb_update.proxy import notice
from spacetimedb_update.proxy.notice import DAY_SECONDS, Cache
from spacetimedb_update.proxy.places import places

from .test_proxy import FakeSystem
from .world import MIRROR

NOW = 1_800_000_000
NOTE = (
    "A new version of SpacetimeDB is available: v2.11.0 (current: v2.10.0)\n"
    "Run `spacetime version upgrade` to update.\n"
)


@pytest.fixture
def config(tmp_path):
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / ".update_check_cache"


@pytest.fixture
def tell(tmp_path, config):
    def run(now=NOW, **env):
        env.setdefault("SPACETIME_UPDATE_RELEASES_URL", "https://releases.test")
        system = FakeSystem(["spacetime"], env, str(tmp_path))
        system.time, system.version = now, "2.10.0"
        notice.tell(system, places(str(tmp_path), env, windows=False), str(tmp_path))
        return system

    return run


def known(config, last_check=NOW, latest="2.11.0", last_notice=0, noticed=""):
    config.write_text(Cache(last_check, latest, last_notice, noticed).to_json())


def test_a_newer_version_is_told_of(tell, config):
    known(config)
    assert tell().said == [NOTE]


def test_at_most_once_a_day(tell, config):
    known(config)
    tell()
    assert tell(NOW + DAY_SECONDS - 1).said == []
    assert tell(NOW + DAY_SECONDS).said == [NOTE]


def test_a_still_newer_version_is_told_of_at_once(tell, config):
    known(config, last_notice=NOW, noticed="2.10.5")
    assert tell().said == [NOTE]


@pytest.mark.parametrize("latest", ["2.10.0", "2.9.9", "2.10.0-rc1", "", "rubbish"])
def test_nothing_newer_nothing_said(tell, config, latest):
    known(config, latest=latest)
    assert tell().said == []


def test_silence_on_request(tell, config):
    known(config, last_check=0)
    system = tell(SPACETIME_NO_UPDATE_CHECK="1")
    assert system.said == [] and system.started == []
    assert Cache.parse(config.read_text()).last_check == 0


def test_an_old_cache_starts_a_check_in_the_background_and_waits_for_nothing(tell, config, tmp_path):
    system = tell()
    ((command, env),) = system.started
    assert command[-2:] == [f"--root-dir={tmp_path}", "check-for-update"]
    assert env["SPACETIMEDB_UPDATE_MULTICALL_APPLET"] == "spacetimedb-update"
    assert tell(NOW + 60).started == []  # one attempt a day, whatever came of it
    assert len(tell(NOW + DAY_SECONDS + 1).started) == 1


def test_a_clock_that_was_set_back_does_not_silence_the_check(tell, config):
    known(config, last_check=NOW + 10 * DAY_SECONDS)
    assert len(tell().started) == 1


def test_without_a_repository_nothing_is_asked(tell, config):
    assert tell(SPACETIME_UPDATE_RELEASES_URL="").started == []


def test_a_cache_that_cannot_be_written_starts_nothing(tmp_path):
    """Otherwise every command would start a process."""
    env = {"SPACETIME_UPDATE_RELEASES_URL": "https://releases.test"}
    system = FakeSystem(["spacetime"], env, str(tmp_path))
    notice.tell(system, places(str(tmp_path), env, windows=False), None)
    assert system.started == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"last_check_secs": "soon"}', "\0" * 100])
def test_a_damaged_cache_counts_as_none(tell, config, text):
    config.write_text(text)
    system = tell()
    assert system.said == [] and len(system.started) == 1


def test_the_cache_has_the_public_fields(tell, config):
    known(config)
    tell()
    assert json.loads(config.read_text()) == {
        "last_check_secs": NOW,
        "latest_version": "2.11.0",
        "last_notice_secs": NOW,
        "notice_latest_version": "2.11.0",
    }


# --- the check itself ---


def check(tool):
    (tool.root / "config").mkdir(parents=True, exist_ok=True)
    outcome = tool.raw("--root-dir", str(tool.root), "check-for-update")
    assert outcome.out == outcome.err == ""
    return outcome.exit, tool.root / "config" / ".update_check_cache"


def test_the_check_notes_the_latest_release(tool):
    code, cache = check(tool)
    assert code == 0
    assert Cache.parse(cache.read_text()).latest == "2.10.0"
    assert not (tool.root / "update").exists()


def test_the_check_keeps_what_was_told_already(tool):
    (tool.root / "config").mkdir(parents=True)
    (tool.root / "config" / ".update_check_cache").write_text(Cache(1, "2.9.0", 7, "2.9.0").to_json())
    cache = Cache.parse(check(tool)[1].read_text())
    assert (cache.latest, cache.last_notice, cache.noticed) == ("2.10.0", 7, "2.9.0")


def test_the_check_gives_up_after_two_seconds(tool):
    tool.net.down.add("https://")
    code, cache = check(tool)
    assert code == 1
    assert sum(tool.clock.slept) < 2
    assert not cache.exists()


def test_the_check_believes_nothing_that_is_not_signed(tool, tmp_path):
    from .world import BASE, Publisher

    other = Publisher.create(tmp_path / "other")
    other.release("6.6.6")
    tool.net.files.clear()
    tool.net.serve(BASE, other.files())
    tool.net.serve(MIRROR, other.files())
    code, cache = check(tool)
    assert code == 1
    assert not cache.exists()
