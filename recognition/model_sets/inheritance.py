"""A set's file over that of its base: table by table, key by key. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .kinds import ROLES, kind_name

ORIGINS = ("package", "path", "hub", "files")
_OF_ORIGIN = (*ORIGINS, "revision", "size", "sha256")
_OF_REVISION = ("size", "sha256")


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a set with those of its base beneath them.

    A role that is `false` is left out. What holds only for other files or for another kind than the set's
    own does not come from the base.
    """
    result = dict(base)
    for key, value in own.items():
        if key in ROLES and value is False:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            result[key] = _source(key, base[key], value) if key in ROLES else {**base[key], **value}
        else:
            result[key] = value
    return result


def _source(role: str, base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    stale: tuple[str, ...] = ()
    if any(key in own for key in ORIGINS):
        stale = _OF_ORIGIN
    elif own.get("revision", base.get("revision")) != base.get("revision"):
        stale = _OF_REVISION
    result = {key: value for key, value in base.items() if key not in stale} | dict(own)
    options = own.get("options", {})
    if kind_name(role, result) == kind_name(role, base) and isinstance(options, dict):
        result["options"] = {**base.get("options", {}), **options}
    else:
        result["options"] = options
    return result
