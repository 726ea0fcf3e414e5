"""The environment, read strictly: a value that makes no sense stops the start with an error that names it."""

from __future__ import annotations

import base64
import ipaddress
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from sessions_app.transport import addresses
from speakers import whole_files

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    value = text(name, "").lower()
    if not value:
        return default
    if value in TRUE | FALSE:
        return value in TRUE
    raise _wrong(name, value, "use 1 or 0")


def number(name: str, default: float, *, least: float = 0.0) -> float:
    value = text(name, "")
    if not value:
        return default
    try:
        parsed = float(value)
    except ValueError:
        raise _wrong(name, value, "use a number") from None
    if not least <= parsed < float("inf"):
        raise _wrong(name, value, f"the least is {least:g}")
    return parsed


def integer(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    value = text(name, "")
    if not value:
        return default
    is_whole = value.isascii() and value.isdigit()
    if not is_whole or int(value) < least or (most is not None and int(value) > most):
        bounds = f", {least} or more" if most is None else f" from {least} to {most}"
        raise _wrong(name, value, f"use a whole number{bounds}")
    return int(value)


def choice(name: str, default: str, choices: Sequence[str]) -> str:
    value = text(name, default)
    if value not in choices:
        raise _wrong(name, value, f"use one of {', '.join(choices)}")
    return value


def names(name: str, default: Sequence[str]) -> list[str]:
    """Read a list separated by commas."""
    return [part.strip() for part in text(name, ",".join(default)).split(",") if part.strip()]


def subset(name: str, known: Sequence[str]) -> list[str]:
    """Read some of these names, separated by commas: all by default, and none if it says so."""
    found = names(name, known)
    if found == ["none"]:
        return []
    if strange := [each for each in found if each not in known]:
        raise _wrong(name, ",".join(strange), f"use some of {', '.join(known)}, or none")
    return found


def networks(name: str, default: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Read addresses and networks, separated by commas."""
    found = names(name, default)
    try:
        return [ipaddress.ip_network(each) for each in found]
    except ValueError:
        raise _wrong(name, ",".join(found), "use addresses, or networks as 10.0.0.0/8") from None


def pairs(name: str) -> dict[str, str]:
    """Read names that stand for others, as A=B, separated by commas."""
    found = {}
    for part in names(name, []):
        left, sign, right = (each.strip() for each in part.partition("="))
        if not (left and sign and right):
            raise _wrong(name, part, "use NAME=NAME, separated by commas")
        found[left] = right
    return found


def issuer(name: str) -> str:
    """Read the address of an identity provider; over a network it must be https."""
    value = text(name, "").removesuffix("/")
    parts = urlsplit(value)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if value and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_here))):
        raise _wrong(name, value, "use https://HOST/PATH, as the provider names itself")
    return value


def redis(name: str) -> str:
    """Read the address of a Redis, or of the sentinels that know it; empty for none."""
    value = text(name, "")
    try:
        if value:
            addresses.parse(value)
    except addresses.BadAddress as error:
        raise ImproperlyConfigured(f"{name} is not understood: {error}.") from None
    return value


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that takes e-mails; without a host there is none."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    has_starttls: bool = False
    has_tls: bool = False


def mail_server(name: str) -> MailServer:
    """Read the address of a mail server."""
    value = text(name, "")
    if not value:
        return MailServer()
    usual_ports = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
    parts = urlsplit(value)
    try:
        port = parts.port or usual_ports[parts.scheme]
    except (KeyError, ValueError):
        port = 0
    if not port or not parts.hostname or parts.path.strip("/") or parts.query:
        # The value may have a password.
        raise _wrong(name, "...", "use smtp+tls://USER:PASSWORD@HOST:PORT, or smtp:// or smtp+ssl://")
    return MailServer(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        has_starttls=parts.scheme == "smtp+tls",
        has_tls=parts.scheme == "smtp+ssl",
    )


def recordings_storage(name: str) -> dict[str, Any] | None:
    """Read the address of an S3-compatible storage, and return it as Django has storages; None for none."""
    value = text(name, "")
    if not value:
        return None
    parts = urlsplit(value)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = {"endpoint": "endpoint_url", "region": "region_name"}
    if parts.scheme != "s3" or not parts.hostname or parts.username or asked.keys() - known.keys():
        raise _wrong(name, value, "use s3://BUCKET/FOLDER?endpoint=https://HOST:PORT&region=REGION")
    if asked.get("endpoint") and urlsplit(asked["endpoint"]).scheme not in ("http", "https"):
        raise _wrong(name, value, "the endpoint is an address, as https://HOST:PORT")
    given = {known[key]: each for key, each in asked.items() if each}
    from botocore.config import Config  # not for those who have none of this

    # A storage that is silent must not hold up pages for minutes, as the library's own times would.
    patience = Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"total_max_attempts": 2},
        s3={"addressing_style": "path"},
        signature_version="s3v4",
    )
    # Each object has a name of its own: nobody need ask whether there is one.
    usual = {"file_overwrite": True, "default_acl": None, "client_config": patience}
    options = {"bucket_name": parts.netloc, "location": parts.path.strip("/"), **given, **usual}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def user_data() -> Path:
    """Return the folder where programs keep what they keep for this user."""
    return Path(text("XDG_DATA_HOME", "") or Path.home() / ".local" / "share")


def secret(name: str, file: Path) -> str:
    """Read the secret of this installation: from the environment, or a file made on the first start."""
    if value := text(name, ""):
        return value
    if not file.exists():
        whole_files.write(file, secrets.token_urlsafe(50).encode(), replace=False)
    if value := file.read_text(errors="replace").strip():
        return value
    raise ImproperlyConfigured(
        f"The file {file} is empty, so nobody could log in: put it back from a backup, or delete it to have "
        f"a new one made (everybody is logged out then), or set {name}."
    )


def hide_new_files() -> None:
    """Let no other user of this machine read what this process makes, nor the group write to it."""
    os.umask(os.umask(0o077) | 0o027)


def keys(name: str) -> list[str]:
    """Read Fernet keys, separated by commas."""
    found = names(name, [])
    for key in found:
        try:
            is_key = len(base64.urlsafe_b64decode(key)) == 32
        except ValueError:
            is_key = False
        if not is_key:
            raise _wrong(
                name, "...", "use keys of 32 bytes in URL-safe base64, as Fernet.generate_key() makes"
            )
    return found


def _wrong(name: str, value: str, advice: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={value!r} is not understood: {advice}.")
