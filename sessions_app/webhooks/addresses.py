"""Addresses that webhooks may go to: those of the internet, and networks that the settings allow. Pure.

Whoever may make a webhook could otherwise reach what only this server reaches. An address is judged when it
is connected to, and connected to as it was judged: that a name means another one a moment later is no use.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_allowed(address: str, networks: Iterable[Network]) -> bool:
    """Tell whether a webhook may go to this address.

    Args:
        networks: Allowed ones, though they are private.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False  # as of a link: "fe80::1%eth0"
    meant = [parsed, *_embedded(parsed)]
    return all(_is_in(each, networks) or (each.is_global and not each.is_multicast) for each in meant)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _embedded(address: Address) -> list[Address]:
    """Return the addresses of IPv4 that a gateway would make of one of IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    found += address.teredo or ()
    if address in NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in found if each is not None]
