"""Is the port free, and if not, which one nearby is."""

import ipaddress
from pathlib import Path

import pytest

from spacetimedb_standalone.config.port_check import (
    ListenAddress,
    choose_port,
    conflicts,
    listening_sockets,
)
from spacetimedb_standalone.config.readers import ConfigError

ip = ipaddress.ip_address


def never(question: str) -> str:
    raise AssertionError(f"nobody may be asked: {question}")


@pytest.mark.parametrize(
    ("wanted", "taken", "clash"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "::1", True),
        ("127.0.0.1", "::", True),
        ("127.0.0.1", "10.0.0.1", False),
        ("0.0.0.0", "10.0.0.1", True),
        ("0.0.0.0", "::", True),
        ("0.0.0.0", "::1", False),
        ("::", "10.0.0.1", True),
        ("::1", "127.0.0.1", True),
        ("::1", "0.0.0.0", False),
        ("10.0.0.1", "::", False),
    ],
)
def test_two_addresses_clash_if_a_client_could_not_tell_them_apart(
    wanted: str, taken: str, clash: bool
) -> None:
    assert conflicts(ip(wanted), ip(taken)) is clash


def test_addresses_are_read_and_shown() -> None:
    assert ListenAddress.parse("0.0.0.0:3000") == ListenAddress("0.0.0.0", 3000)
    assert ListenAddress.parse("[::1]:80") == ListenAddress("::1", 80)
    assert str(ListenAddress("::1", 80)) == "[::1]:80"
    for wrong in ("3000", ":3000", "localhost", "localhost:x", "localhost:70000"):
        with pytest.raises(ConfigError, match="--listen-addr wants HOST:PORT"):
            ListenAddress.parse(wrong)


def test_a_free_port_is_taken_without_asking() -> None:
    address = ListenAddress("localhost", 3000)
    assert choose_port(address, [(ip("127.0.0.1"), 3001)], True, never) == address


def test_somebody_who_is_there_is_offered_the_next_free_port() -> None:
    asked = []

    def yes(question: str) -> str:
        asked.append(question)
        return "Y\n"

    taken = [(ip("127.0.0.1"), 3000), (ip("127.0.0.1"), 3001)]
    assert choose_port(ListenAddress("127.0.0.1", 3000), taken, True, yes).port == 3002
    assert asked == ["Port 3000 is already in use. Would you like to use port 3002 instead? [y/N] "]


@pytest.mark.parametrize("interactive", [True, False])
def test_a_taken_port_that_is_not_exchanged_is_an_error(interactive: bool) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_port(ListenAddress("127.0.0.1", 3000), [(ip("::1"), 3000)], interactive, lambda _: "")
    assert str(caught.value) == (
        "Port 3000 is already in use. Please free up the port or specify a different port with --listen-addr."
    )


def test_no_free_port_nearby_is_an_error() -> None:
    taken = [(ip("0.0.0.0"), port) for port in range(3000, 3101)]
    with pytest.raises(ConfigError, match="could not find an available port nearby"):
        choose_port(ListenAddress("127.0.0.1", 3000), taken, True, never)


def test_a_host_that_is_no_address_counts_as_taken() -> None:
    with pytest.raises(ConfigError, match="Port 3000 is already in use"):
        choose_port(ListenAddress("db.example", 3000), [], False, never)


def test_listening_sockets_are_read_from_the_kernels_table(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(
        "  sl  local_address rem_address   st\n"
        "   0: 0100007F:0BB8 00000000:0000 0A\n"
        "   1: 0100007F:0BB9 0100007F:1234 01\n"
    )
    (tmp_path / "tcp6").write_text(
        "  sl  local_address rem_address   st\n"
        "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A\n"
        "   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A\n"
    )
    assert listening_sockets(tmp_path) == [(ip("127.0.0.1"), 3000), (ip("::1"), 80), (ip("127.0.0.1"), 81)]
    assert listening_sockets(tmp_path / "nowhere") == []
