"""Addresses of clients, as far as our proxies tell them. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def of_client(peer: str | None, forwarded_for: str, proxies: Iterable[Network]) -> str | None:
    """Return the address of who asks: the last one that was told by a proxy of ours, and is none itself.

    Args:
        peer: Other end of the connection; empty for a socket of this machine.
        forwarded_for: The header X-Forwarded-For, to which each proxy has added its own peer.
        proxies: Networks of our proxies; what others say is made up.
    """
    known = list(proxies)
    chain = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    address = peer or ""
    while chain and (not address or _is_in(address, known)):
        address = chain.pop()
    found = parse(address) or parse(peer or "")
    return str(found) if found else None


def parse(text: str) -> Address | None:
    """Return an address, without the name of an interface; None for what is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return found
    return found.ipv4_mapped or ipaddress.IPv6Address(int(found))


def _is_in(address: str, networks: Iterable[Network]) -> bool:
    found = parse(address)
    return found is not None and any(found in network for network in networks)
