"""Addresses by which other computers on this network reach this one.

They are numbers, not names: a name of somebody else's may be made to point here (DNS rebinding), a number
says itself where it leads.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Iterator

_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of nobody, kept for documents: the way there begins at the address that this machine goes by."""


def network_hosts(host: str, own: Iterable[str]) -> list[str]:
    """Return the hosts, as addresses have them, by which a server that listens on `host` is reached. Pure.

    Args:
        host: An address to listen on; "0.0.0.0" and "::" are all of this machine's.
        own: Addresses of this machine.
    """
    try:
        listening = ipaddress.ip_address(host)
    except ValueError:
        return []  # a name: whoever gives it to a computer knows it
    candidates = own if listening.is_unspecified else [host]
    return list(dict.fromkeys(_in_address(address) for address in candidates if _is_of_a_network(address)))


def own_addresses() -> Iterator[str]:
    """Yield addresses of this machine, some perhaps twice; nothing is sent to find them."""
    for family, elsewhere in _ELSEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            yield probe.getsockname()[0]
    with contextlib.suppress(OSError):
        for entry in socket.getaddrinfo(socket.gethostname(), None):
            yield str(entry[4][0])


def _is_of_a_network(address: str) -> bool:
    """Tell whether an address is this network's own; one of the internet's is left to ALLOWED_HOSTS."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.is_private and not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def _in_address(address: str) -> str:
    return f"[{address}]" if ":" in address else address
