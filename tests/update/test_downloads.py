"""Getting files from a network that fails: resuming, trying again, mirrors."""

from __future__ import annotations

import hashlib

import pytest

from spacetimedb_update.errors import NetworkError, RepositoryError, UserError
from spacetimedb_update.ports.files import RealFiles
from spacetimedb_update.ports.net import NetError
from spacetimedb_update.releases.fetcher import PAUSES, Fetcher, Wanted
from spacetimedb_update.releases.mirrors import base_urls, mirrors

from .world import BASE, MIRROR, FakeClock, MemoryNet, QuickFiles

DATA = bytes(range(251)) * 13
WANTED = Wanted("2.10.0/file", len(DATA), hashlib.sha256(DATA).hexdigest())
FIRST, SECOND = f"{BASE}/file", f"{MIRROR}/file"


@pytest.fixture
def network():
    return MemoryNet({FIRST: DATA, SECOND: DATA})


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def download(network, clock, tmp_path):
    """Download from both mirrors into a file, and give its content."""

    def run(*urls: str) -> bytes:
        place = tmp_path / "part"
        fetcher = Fetcher(network, clock)
        fetcher.to_file(list(urls or (FIRST, SECOND)), WANTED, place, QuickFiles(), lambda done: None)
        return place.read_bytes()

    return run


def test_in_one_piece(download, network):
    assert download() == DATA
    assert network.requests == [(FIRST, 0)]


def test_a_network_that_cuts_at_any_byte(download, network, tmp_path):
    for cut in range(0, len(DATA), 7):
        network.cuts = [cut]
        network.requests.clear()
        assert download() == DATA
        assert network.requests == [(FIRST, 0), (FIRST, cut)]
        (tmp_path / "part").unlink()


def test_as_long_as_something_comes_it_does_not_give_up(download, network):
    network.cuts = [100] * (len(DATA) // 100)
    assert download() == DATA
    assert len(network.requests) > 3 * len(PAUSES)


def test_pauses_grow_while_nothing_comes_and_then_the_mirror_is_asked(download, network, clock):
    network.down.add(BASE)
    assert download() == DATA
    assert clock.slept == list(PAUSES)
    assert network.requests[-1] == (SECOND, 0)


def test_the_mirror_goes_on_where_the_first_stopped(download, network):
    network.cuts = [1000, *[0] * (1 + len(PAUSES))]
    assert download() == DATA
    assert network.requests[-1] == (SECOND, 1000)


def test_a_later_run_goes_on_where_an_earlier_one_stopped(download, network, tmp_path):
    (tmp_path / "part").write_bytes(DATA[:1234])
    assert download() == DATA
    assert network.requests == [(FIRST, 1234)]


def test_a_server_that_only_knows_whole_files(download, network, tmp_path):
    network.whole_files_only = True
    (tmp_path / "part").write_bytes(DATA[:1234])
    assert download() == DATA


def test_an_old_part_of_something_else_is_thrown_away(download, network, tmp_path):
    (tmp_path / "part").write_bytes(b"x" * 1234)
    assert download() == DATA
    assert network.requests == [(FIRST, 1234), (FIRST, 0)]


@pytest.mark.parametrize("wrong", [DATA[:-1] + b"x", DATA + b"x", DATA[:-1], b""])
def test_a_wrong_file_is_got_from_the_mirror_instead(download, network, wrong):
    network.files[FIRST] = wrong
    assert download() == DATA


@pytest.mark.parametrize("wrong", [DATA[:-1] + b"x", DATA + b"x", DATA[:-1], b""])
def test_wrong_files_everywhere(download, network, tmp_path, wrong):
    network.files = {FIRST: wrong, SECOND: wrong}
    with pytest.raises(RepositoryError, match="damaged or was tampered with"):
        download()
    assert not (tmp_path / "part").exists()


def test_a_part_is_kept_when_the_network_fails_for_good(download, network, tmp_path):
    network.cuts = [1000]
    network.down.add(MIRROR)
    original = network.get
    network.get = lambda url, start=0: _fail_after_first(network, original, url, start)
    with pytest.raises(NetworkError, match="it goes on where it stopped"):
        download()
    assert (tmp_path / "part").read_bytes() == DATA[:1000]


def _fail_after_first(network, original, url, start):
    if network.requests:
        raise NetError(f"{url} cannot be reached")
    return original(url, start)


def test_small_files_have_a_limit(network, clock):
    with pytest.raises(RepositoryError, match="larger than the 100 bytes"):
        Fetcher(network, clock).small(FIRST, 100)


def test_small_files_are_tried_again(network, clock):
    network.cuts = [10, 10]
    assert Fetcher(network, clock).small(FIRST, 5000) == DATA
    assert clock.slept == list(PAUSES[:2])


def test_a_deadline_ends_everything(network, clock):
    network.down.add(BASE)
    with pytest.raises(NetError):
        Fetcher(network, clock, deadline=clock.monotonic() + 2).small(FIRST, 5000)
    assert sum(clock.slept) < 2


def test_a_small_file_goes_to_the_mirrors_through_the_repository(tool):
    tool.net.serve(MIRROR, {name.removeprefix(f"{BASE}/"): data for name, data in tool.net.files.items()})
    tool.net.down.add(BASE)
    tool.environment["SPACETIME_DOWNLOAD_ROOT"] = MIRROR
    assert tool("install", "2.10.0").exit == 0


# --- where to look ---


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("https://a.test/x/", ["https://a.test/x"]),
        ("https://a.test, https://b.test", ["https://a.test", "https://b.test"]),
        ("https://a.test/x,y file:///b%20c", ["https://a.test/x,y", "file:///b%20c"]),
        ("/srv/my mirror", ["file:///srv/my%20mirror"]),
        ("  ", []),
        ("# comment", []),
    ],
)
def test_a_setting_names_urls_or_a_folder(text, urls):
    assert base_urls(text) == urls


@pytest.mark.parametrize("text", ["ftp://a.test", "http://", "http://[::1", "https:///x", "C://x"])
def test_a_setting_that_is_no_address(text):
    with pytest.raises(UserError, match="cannot be the address of a release repository: write for example"):
        base_urls(text)


def test_the_environment_comes_before_the_file_beside_the_program(tmp_path):
    (tmp_path / "mirrors").write_text("# ours\nhttps://c.test\nhttps://d.test\n")
    both = {"SPACETIME_UPDATE_RELEASES_URL": "https://a.test", "SPACETIME_DOWNLOAD_ROOT": "https://b.test"}
    assert mirrors(both, RealFiles(), tmp_path) == ("https://a.test", "https://b.test")
    assert mirrors({}, RealFiles(), tmp_path) == ("https://c.test", "https://d.test")


def test_without_any_the_error_tells_what_to_set(tmp_path):
    with pytest.raises(UserError, match="set SPACETIME_UPDATE_RELEASES_URL"):
        mirrors({}, RealFiles(), tmp_path)
