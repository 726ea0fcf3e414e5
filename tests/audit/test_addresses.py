from __future__ import annotations

import ipaddress

import pytest

from audit.addresses import of_client

PROXIES = [ipaddress.ip_network(name) for name in ("127.0.0.0/8", "10.0.0.0/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("127.0.0.1", "10.0.0.7", "10.0.0.7"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "nonsense\n", "127.0.0.1"),
        ("", "", None),
        (None, "", None),
        ("8.8.4.4", "198.51.100.9", "8.8.4.4"),  # anybody can say so
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("/run/asrsite.sock", "", None),
    ],
)
def test_only_our_proxies_say_where_somebody_comes_from(
    peer: str | None, forwarded: str, address: str | None
) -> None:
    assert of_client(peer, forwarded, PROXIES) == address
