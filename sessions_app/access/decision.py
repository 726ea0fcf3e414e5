"""Access to sessions: the one decision for pages and sockets. Pure."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

FORWARDING_HEADERS = frozenset(
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via", "cf-connecting-ip"]
)
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Access(enum.StrEnum):
    """The values of ASR_ACCESS."""

    LOCAL = "local"
    TOKEN = "token"  # noqa: S105 - the name of a mode
    OPEN = "open"


class AccessDecision(enum.Enum):
    """Answer to whether a visitor may take part."""

    ADMITTED = "admitted"
    UNKNOWN = "unknown"
    """Nobody we know: a token or a login may help."""

    FORBIDDEN = "forbidden"
    """Known, but without the right."""


class Right(enum.StrEnum):
    """The uses of a session; the permission of that name gives each."""

    READ = "view_session"
    SEND = "send_session"
    EXPORT = "export_session"
    COMMENT = "comment_session"
    EDIT = "change_session"
    SHARE = "share_session"
    DELETE = "delete_session"


OPEN_RIGHTS = frozenset({Right.READ, Right.SEND, Right.EXPORT})
"""Rights without a login if everyone is trusted; changing anything always needs one, as it has an author."""


class Level(enum.StrEnum):
    """Levels at which a session is shared with a person or a team, as the database has them."""

    READ = "read"
    COMMENT = "comment"
    EDIT = "edit"


SHARED_RIGHTS: Mapping[Level, frozenset[Right]] = {
    Level.READ: frozenset({Right.READ}),
    Level.COMMENT: frozenset({Right.READ, Right.COMMENT}),
    Level.EDIT: frozenset({Right.READ, Right.COMMENT, Right.EDIT, Right.EXPORT}),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """The facts that a request tells about its sender."""

    is_local: bool
    """Came over loopback, and through no proxy."""

    has_login: bool = False
    has_permission: bool = False
    has_token: bool = False
    is_token_good: bool = False
    """The token admits this role to this session."""

    takes_files: bool = False
    """Shows its token in a header, as programs do, and the token is good for files as well."""


def decide(access: Access, visitor: Visitor) -> AccessDecision:
    """Decide whether a visitor may take part.

    A token, once shown, is what counts: one for reading does not send because it comes from this machine.
    """
    if visitor.has_token:
        return AccessDecision.ADMITTED if visitor.is_token_good else AccessDecision.FORBIDDEN
    if visitor.has_permission or is_trusted(access, visitor):
        return AccessDecision.ADMITTED
    return AccessDecision.FORBIDDEN if visitor.has_login else AccessDecision.UNKNOWN


def granted(permitted: Iterable[Right], *, has_reach: bool, levels: Iterable[Level]) -> frozenset[Right]:
    """Return the rights of a login on one session.

    Args:
        permitted: By the login's permissions, wherever they reach.
        has_reach: Its permissions reach to this session: it is the login's own, or the login sees all.
        levels: At which the session is shared with this login, or with its teams.
    """
    own = frozenset(permitted)
    shared = frozenset[Right]().union(*(SHARED_RIGHTS[level] for level in levels))
    if Right.READ in shared:
        shared |= own & {Right.EXPORT}
    found = shared | own if has_reach else shared
    return found | {Right.COMMENT} if Right.EDIT in found else found


def rights(access: Access, visitor: Visitor, granted: Iterable[Right]) -> frozenset[Right]:
    """Return the rights of a visitor on a session's pages.

    Args:
        granted: By the permissions of the login, as far as they reach to this session.
    """
    if visitor.has_token:
        return _rights_by_token(visitor) if visitor.is_token_good else frozenset()
    return frozenset(granted) | (OPEN_RIGHTS if is_trusted(access, visitor) else frozenset())


def _rights_by_token(visitor: Visitor) -> frozenset[Right]:
    """Let a program write what it reads to files; a link offers its reader no files, only the page."""
    return frozenset({Right.READ, Right.EXPORT}) if visitor.takes_files else frozenset({Right.READ})


def is_trusted(access: Access, visitor: Visitor) -> bool:
    """Tell whether a visitor needs no login to take part."""
    return access is Access.OPEN or (access is Access.LOCAL and visitor.is_local)


def is_local(peer: str | None, header_names: Iterable[str]) -> bool:
    """Tell whether a request comes from this machine itself.

    Args:
        peer: Address of the other end of the connection, None if it has none.
        header_names: Lower case; a forwarding header means that the peer is only a proxy.
    """
    if peer is None or not FORWARDING_HEADERS.isdisjoint(header_names):
        return False
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_origin_allowed(
    headers: Mapping[str, str], *, scheme: str, allowed_hosts: Iterable[str], trusted_origins: Iterable[str]
) -> bool:
    """Tell whether the page that opens a socket is one of ours; a client that is no browser sends no Origin.

    Browsers let any page open a socket to any server, with the user's cookies; so the page's origin must be
    the host it calls, and that host one of ours (a name of somebody else's may point to this machine).

    Args:
        headers: Names in lower case.
        scheme: Of this request: "ws" or "wss".
        allowed_hosts: As in Django's setting.
        trusted_origins: As in CSRF_TRUSTED_ORIGINS.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    if origin in trusted_origins:
        return True
    host = headers.get("host", "")
    if not _is_host_allowed(_without_port(host), allowed_hosts):
        return False
    # Behind a TLS proxy the page is https though we are spoken to in plain.
    schemes = {"http", "https"} if scheme in ("ws", "http") else {"https"}
    try:
        parts = urlsplit(origin)
        origin_port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        host_parts = urlsplit(f"//{host}")
        host_port = host_parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return False
    return parts.scheme in schemes and (parts.hostname, origin_port) == (host_parts.hostname, host_port)


def _is_host_allowed(host: str, allowed_hosts: Iterable[str]) -> bool:
    return any(
        allowed == "*" or host == allowed or (allowed.startswith(".") and ("." + host).endswith(allowed))
        for allowed in allowed_hosts
    )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0].lower()
