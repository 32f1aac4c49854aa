"""Addresses that a module's requests may not go to: what is private, local or special.

A module is somebody else's code on our host; without this it could speak to whatever trusts the host.
The ranges are those of the IANA registries of special-purpose addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TypeAlias

Refused: TypeAlias = Callable[[str], bool]
"""May this address not be spoken to?"""

_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
    )
)
_V6 = tuple(
    IPv6Network(network)
    for network in (
        "::/128",
        "::1/128",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
    )
)


def is_special(address: str) -> bool:
    """May a module not speak to this address? `address` as the resolver writes it, perhaps with a zone."""
    parsed = ip_address(address.partition("%")[0])
    if parsed.version == 4:
        return any(parsed in network for network in _V4)
    return any(parsed in network for network in _V6)
