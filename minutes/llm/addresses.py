"""Addresses of language models: inside of the company's network, unless somebody allowed others."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from .exceptions import NotAllowed, ServerAway

DEFAULT_PORTS = {"http": 80, "https": 443}


def check(url: str, *, is_external_allowed: bool) -> None:
    """Raise `NotAllowed` if the address of a server lies outside of the private ranges, and may not."""
    if is_external_allowed:
        return
    parts = urlsplit(url)
    found = _resolve(parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 443))
    if outside := [each for each in found if not is_private(each)]:
        raise NotAllowed(
            f"{parts.hostname} is at {outside[0]}, outside of private networks: nothing was sent. "
            "LLM_EXTERNAL=1 allows it."
        )


def is_private(address: str) -> bool:
    """Tell whether an address is of this machine or of a private network."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return found.is_loopback or found.is_link_local or (found.is_private and not found.is_unspecified)


def _resolve(host: str, port: int) -> Iterable[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ServerAway(f"The address of {host or 'the language model'} cannot be found.") from error
    return [str(address[4][0]) for address in found]
