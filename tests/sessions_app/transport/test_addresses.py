"""Addresses of Redis, as operators write them."""

from __future__ import annotations

import pytest

from sessions_app.transport.addresses import BadAddress, SentinelAddress, parse


def sentinels(url: str) -> SentinelAddress:
    address = parse(url)
    assert address
    return address


@pytest.mark.parametrize("url", ["redis://h:1/0", "rediss://:pass@h/2", "unix:///run/redis.sock?db=1"])
def test_that_of_one_server_is_left_to_the_library(url: str) -> None:
    assert parse(url) is None


def test_sentinels_are_those_before_the_service() -> None:
    address = sentinels("redis+sentinel://a:1,b.example:26380,[::1]:3/mymaster")
    assert address.sentinels == (("a", 1), ("b.example", 26380), ("::1", 3))
    assert address.service == "mymaster"
    assert address.server_options == {"db": 0}
    assert address.sentinel_options == {}


def test_a_sentinel_without_a_port_listens_at_the_usual_one() -> None:
    assert sentinels("redis+sentinel://a,b:7/s").sentinels == (("a", 26379), ("b", 7))


def test_the_servers_password_is_not_shown_to_sentinels_nor_theirs_to_it() -> None:
    address = sentinels("redis+sentinel://me:p%40ss@a:1/s?db=3&sentinel_password=other&sentinel_username=w")
    assert address.server_options == {"db": 3, "username": "me", "password": "p@ss"}
    assert address.sentinel_options == {"username": "w", "password": "other"}


def test_a_password_alone_is_that_of_the_usual_user() -> None:
    assert sentinels("redis+sentinel://:pass@a:1/s").server_options == {"db": 0, "password": "pass"}


def test_with_tls_all_of_them_are_asked_by_it() -> None:
    address = sentinels("rediss+sentinel://a:1/s?ssl_ca_certs=/etc/ca.pem")
    assert address.server_options == {"db": 0, "ssl": True, "ssl_ca_certs": "/etc/ca.pem"}
    assert address.sentinel_options == {"ssl": True, "ssl_ca_certs": "/etc/ca.pem"}


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("localhost:6379", "use redis://HOST"),
        ("redis", "use redis://HOST"),
        ("http://a:1/s", "use redis://HOST"),
        ("redis+sentinel://a:1,b:2", "behind the /"),
        ("redis+sentinel://a:1/", "behind the /"),
        ("redis+sentinel://a:1/s/0", "behind the /"),
        ("redis+sentinel://a:1/s?db=x", "db is a number"),
        ("redis+sentinel://a:1/s?db=", "db is a number"),
        ("redis+sentinel://a:1/s?database=1", "database is not known"),
        ("redis+sentinel://a:port/s", "'a:port' is no sentinel's"),
        ("redis+sentinel://a:99999/s", "'a:99999' is no sentinel's"),
        ("redis+sentinel://a:0/s", "'a:0' is no sentinel's"),
        ("redis+sentinel://a:1,,b:2/s", "'' is no sentinel's"),
        ("redis+sentinel:///s", "'' is no sentinel's"),
    ],
)
def test_one_that_makes_no_sense_says_why(url: str, complaint: str) -> None:
    with pytest.raises(BadAddress, match=complaint.replace("?", r"\?")):
        parse(url)


def test_what_is_wrong_is_said_without_the_password() -> None:
    with pytest.raises(BadAddress) as refused:
        parse("redis+sentinel://:geheim@a:port/s")
    assert "geheim" not in str(refused.value)
