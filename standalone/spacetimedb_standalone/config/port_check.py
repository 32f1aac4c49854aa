"""Whether somebody listens already where the server is to listen, and which port nearby is free.

The listening sockets of the machine are looked at instead of trying to bind, because two sockets may share
a port that a client could not tell apart: `127.0.0.1:3000` and `[::1]:3000` are both `localhost:3000`.
Where the machine does not tell (no `/proc/net/tcp`), every port counts as free and binding decides.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spacetimedb_standalone.config.readers import ConfigError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Listening = Iterable[tuple[IpAddress, int]]

NEARBY: Final = 100
_LISTEN_STATE: Final = "0A"
_LOOPBACK_4: Final = ipaddress.IPv4Address("127.0.0.1")
_LOOPBACK_6: Final = ipaddress.IPv6Address("::1")


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """`host` without brackets, as given; `port` 0 asks the system for a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> ListenAddress:
        """Read `host:port`, `[v6]:port`. Raises `ConfigError`."""
        host, colon, port = text.rpartition(":")
        if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            raise ConfigError(f"--listen-addr wants HOST:PORT such as 127.0.0.1:3000, but got {text!r}")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def ip(self) -> IpAddress | None:
        """The address that the host stands for, None for another name than `localhost`."""
        if self.host == "localhost":
            return _LOOPBACK_4
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


def conflicts(wanted: IpAddress, taken: IpAddress) -> bool:
    """Whether a server at `wanted` would be confused with one at `taken` on the same port."""
    if wanted == taken:
        return True
    if wanted.is_unspecified:
        return wanted.version == 6 or taken.version == 4 or taken.is_unspecified
    if taken.is_unspecified:
        return taken.version == wanted.version or wanted == _LOOPBACK_4
    return {wanted, taken} == {_LOOPBACK_4, _LOOPBACK_6}


def is_taken(address: ListenAddress, listening: Listening) -> bool:
    """A host that is no address counts as taken: nobody can tell."""
    wanted = address.ip()
    if wanted is None:
        return True
    return any(port == address.port and conflicts(wanted, taken) for taken, port in listening)


def choose_port(
    address: ListenAddress, listening: Listening, interactive: bool, ask: Callable[[str], str]
) -> ListenAddress:
    """`address`, or the same host with a free port nearby that the user agrees to.

    `ask` shows its argument and returns what was typed. Raises `ConfigError` when there is no port to use.
    """
    taken = list(listening)
    if address.port == 0 or not is_taken(address, taken):
        return address
    busy = f"Port {address.port} is already in use"
    if not interactive:
        raise ConfigError(f"{busy}. Please free up the port or specify a different port with --listen-addr.")
    free = _free_port(address, taken)
    if free is None:
        raise ConfigError(
            f"{busy} and could not find an available port nearby. "
            "Please free up the port or specify a different port with --listen-addr."
        )
    answer = ask(f"{busy}. Would you like to use port {free.port} instead? [y/N] ")
    if answer.strip().lower() not in ("y", "yes"):
        raise ConfigError(f"{busy}. Please free up the port or specify a different port with --listen-addr.")
    return free


def _free_port(address: ListenAddress, listening: Listening) -> ListenAddress | None:
    last = min(address.port + NEARBY, 65535)
    candidates = (ListenAddress(address.host, port) for port in range(address.port + 1, last + 1))
    return next((candidate for candidate in candidates if not is_taken(candidate, listening)), None)


def listening_sockets(proc: Path = Path("/proc/net")) -> list[tuple[IpAddress, int]]:
    """All listening TCP sockets of this machine; empty where it does not tell."""
    found = []
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        rows = (line.split() for line in lines)
        found += [_socket_address(row[1]) for row in rows if len(row) > 3 and row[3] == _LISTEN_STATE]
    return found


def _socket_address(text: str) -> tuple[IpAddress, int]:
    """Read the kernel's `0100007F:0BB8`: 32-bit words in the machine's byte order (little-endian), and a
    port.
    """
    digits, port = text.split(":")
    words = bytes.fromhex(digits)
    packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    address = ipaddress.ip_address(packed)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped, int(port, 16)
    return address, int(port, 16)
