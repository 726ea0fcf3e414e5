"""The addresses by which other computers on this network reach a server, and no others."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest

from asrsite.own_addresses import network_hosts, own_addresses

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens here
OWN = ["192.168.1.5", "fd00::5", "192.168.1.5", "127.0.1.1", "::1", "fe80::1%eth0", "203.0.113.5", "8.8.8.8"]


def never() -> Iterator[str]:
    pytest.fail("addresses are looked for, which may take a while")
    yield


@pytest.mark.parametrize("host", [EVERYWHERE, "::"])
def test_who_listens_everywhere_goes_by_the_numbers_of_the_network(host: str) -> None:
    assert network_hosts(host, OWN)[:2] == ["192.168.1.5", "[fd00::5]"]


def test_no_loopback_no_link_and_nothing_of_the_internet_is_among_them() -> None:
    assert not {"127.0.1.1", "[::1]", "[fe80::1%eth0]", "8.8.8.8"} & set(network_hosts(EVERYWHERE, OWN))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.7", ["10.0.0.7"]),
        ("fd00::7", ["[fd00::7]"]),
        ("127.0.0.1", []),
        ("::1", []),
        ("8.8.8.8", []),
        ("localhost", []),
        ("meet.example.org", []),
    ],
)
def test_who_listens_at_one_address_goes_by_that_alone(host: str, expected: list[str]) -> None:
    assert network_hosts(host, never()) == expected


def test_those_of_this_machine_are_addresses() -> None:
    for address in own_addresses():
        ipaddress.ip_address(address.partition("%")[0])
