"""Addresses that webhooks may go to."""

from __future__ import annotations

import ipaddress

import pytest

from sessions_app.webhooks.addresses import is_allowed

PUBLIC = ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]

PRIVATE = [
    "127.0.0.1", "127.255.1.1", "0.0.0.0",  # noqa: S104 - looked at, not bound to
    "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.1.1.1",
    "255.255.255.255", "240.0.0.1", "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:a00:1::1", "fe80::1%eth0", "", "localhost", "2130706433",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_those_of_the_internet_are(address: str) -> None:
    assert is_allowed(address, [])


@pytest.mark.parametrize("address", PRIVATE)
def test_those_of_this_machine_and_its_networks_are_not(address: str) -> None:
    assert not is_allowed(address, [])


@pytest.mark.parametrize(
    ("address", "network", "allowed"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", True),
        ("192.168.1.1", "10.0.0.0/8", False),
        ("127.0.0.1", "127.0.0.1/32", True),
        ("127.0.0.2", "127.0.0.1/32", False),
        ("::1", "127.0.0.0/8", False),
        ("fd00::1", "fd00::/8", True),
        ("::ffff:10.1.2.3", "10.0.0.0/8", False),
    ],
)
def test_the_settings_allow_networks_and_no_more(address: str, network: str, allowed: bool) -> None:
    assert is_allowed(address, [ipaddress.ip_network(network)]) is allowed
