"""Addresses of Redis: of one server, or of sentinels that know which server is the master. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sessions_app.exceptions import SessionsError

SERVER_SCHEMES = ("redis", "rediss", "unix")
SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")

SENTINEL_PORT = 26379

MAX_PORT = 65_535

PARAMETERS = {"db", "sentinel_username", "sentinel_password", "ssl_ca_certs"}

FORMS = "redis://HOST:PORT/NUMBER, or redis+sentinel://HOST:PORT,HOST:PORT,HOST:PORT/SERVICE?db=NUMBER"


class BadAddress(SessionsError):
    """An address that makes no sense; the message says why, without its passwords."""


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Sentinels, and the service of which they name the master."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    server_options: dict[str, Any]
    """Of connections to the master, as redis-py has them."""

    sentinel_options: dict[str, Any]
    """Of connections to the sentinels, which have passwords of their own."""


def parse(url: str) -> SentinelAddress | None:
    """Return the sentinels of an address; None if it is that of one server.

    Raises:
        BadAddress: If it is neither.
    """
    scheme, _, _ = url.partition("://")
    if scheme in SERVER_SCHEMES and url != scheme:
        return None
    if scheme not in SENTINEL_SCHEMES:
        raise BadAddress(f"use {FORMS}")
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    parameters = _parameters(parts.query)
    service = unquote(parts.path.strip("/"))
    if not service or "/" in service:
        raise BadAddress(
            "the name of the service that the sentinels watch stands behind the /, as in …/mymaster"
        )
    tls = _tls(scheme, parameters)
    username, _, password = login.partition(":")
    return SentinelAddress(
        tuple(_sentinel(host) for host in hosts.split(",")),
        service,
        {"db": _db(parameters.get("db", "0"))} | _login(unquote(username), unquote(password)) | tls,
        _login(parameters.get("sentinel_username", ""), parameters.get("sentinel_password", "")) | tls,
    )


def _parameters(query: str) -> dict[str, str]:
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(parameters.keys() - PARAMETERS):
        raise BadAddress(
            f"{', '.join(unknown)} is not known behind the ?: use {', '.join(sorted(PARAMETERS))}"
        )
    return parameters


def _tls(scheme: str, parameters: dict[str, str]) -> dict[str, Any]:
    if not scheme.startswith("rediss"):
        return {}
    trusted = parameters.get("ssl_ca_certs")
    return {"ssl": True} | ({"ssl_ca_certs": trusted} if trusted else {})


def _login(username: str, password: str) -> dict[str, str]:
    return {name: value for name, value in {"username": username, "password": password}.items() if value}


def _db(number: str) -> int:
    if not (number.isascii() and number.isdigit()):
        raise BadAddress("db is a number, as in ?db=0")
    return int(number)


def _sentinel(host: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname, parts.port
    except ValueError:
        name, port = None, None
    if not name or port == 0:
        raise BadAddress(f"{host[:80]!r} is no sentinel's HOST:PORT")
    return name, port or SENTINEL_PORT
