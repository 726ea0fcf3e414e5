"""The API's reference at /api/docs: its OpenAPI description as a page of ours, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from sessions_app.wire import asyncapi

from . import __version__
from .api_errors import METHODS

Schema = dict[str, Any]

TITLES = {
    "sessions": gettext_lazy("Meetings"),
    "tokens": gettext_lazy("Access tokens"),
    "uploads": gettext_lazy("Uploads"),
    "speakers": gettext_lazy("People"),
}
"""Headings of the tags of operations."""


@dataclass(frozen=True)
class Field:
    """A value that is sent or answered."""

    name: str
    type: str
    is_required: bool = False
    place: str = ""
    """In the path or the query; empty in a body."""

    description: str = ""


@dataclass(frozen=True)
class Model:
    """An object of the API by its name, with its fields."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Answer:
    """A status, the type that comes with it, and what it means."""

    status: str
    type: str
    description: str = ""


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    title: str
    """Of the operations that it belongs to."""

    description: str
    parameters: tuple[Field, ...]
    body: str
    body_format: str
    answers: tuple[Answer, ...]

    @property
    def anchor(self) -> str:
        """Return what links on the page lead to, which lasts."""
        return f"{self.method}{self.path}".lower().translate({ord(sign): "-" for sign in "/{}"})


class Reference(DocsBase):
    """The page that django-ninja asks for, in place of Swagger's."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        schema = api.get_openapi_schema(path_params=kwargs)
        context = {
            "version": schema["info"]["version"],
            "groups": groups(schema),
            "models": list(models(schema)),
            "openapi_url": self.get_openapi_url(api, kwargs),
        }
        return render(request, "api.html", context)


@dataclass(frozen=True)
class Group:
    """Operations under one heading."""

    title: str
    operations: tuple[Operation, ...]


def sockets_described(request: HttpRequest) -> JsonResponse:
    """Serve the description of the sockets for programs."""
    found = asyncapi.document(version=__version__, host=request.get_host(), is_secure=request.is_secure())
    return JsonResponse(found, json_dumps_params={"ensure_ascii": False})


def groups(schema: Schema) -> list[Group]:
    """Return the operations as the page shows them: all that belong together under their heading."""
    found: dict[str, list[Operation]] = {}
    for each in operations(schema):
        found.setdefault(each.title, []).append(each)
    return [Group(title, tuple(each)) for title, each in found.items()]


def operations(schema: Schema) -> Iterator[Operation]:
    """Return what can be asked for, in the order of the description."""
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield _operation(method, path, methods[method])


def models(schema: Schema) -> Iterator[Model]:
    """Return the objects that operations name, by the alphabet."""
    for name, found in sorted(schema.get("components", {}).get("schemas", {}).items()):
        yield Model(name, in_words(found), _fields(found))


def texts(schema: Schema) -> Iterator[str]:
    """Return all that a description says to people, in English."""
    for methods in schema["paths"].values():
        for each in methods.values():
            yield from [_text(each), *map(_text, each.get("parameters", []))]
            yield from (_text(answer) for status, answer in each["responses"].items() if status >= "206")
    for found in schema.get("components", {}).get("schemas", {}).values():
        yield from [_text(found), *map(_text, found.get("properties", {}).values())]


def in_words(found: Schema) -> str:
    """Return what a description says of something, in the reader's language."""
    text = _text(found)
    return _(text) if text else ""


def _text(found: Schema) -> str:
    return " ".join(found.get("description", "").split())


def type_of(schema: Schema) -> str:
    """Return a type for people: "string (uuid)", "SpeakerOut", "[Kind]", "string | null"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(type_of(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{type_of(schema.get('items', {}))}]"
    if "enum" in schema:
        return " | ".join(repr(each) for each in schema["enum"])
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _operation(method: str, path: str, found: Schema) -> Operation:
    body_format, body = _content(found.get("requestBody", {}))
    tag = next(iter(found.get("tags", [])), "")
    return Operation(
        method=method.upper(),
        path=path,
        title=str(TITLES.get(tag, tag)),
        description=in_words(found),
        parameters=tuple(_parameter(each) for each in found.get("parameters", [])),
        body=body,
        body_format=body_format,
        answers=tuple(
            Answer(status, _content(answer)[1], in_words(answer) if status >= "206" else "")
            for status, answer in found["responses"].items()
        ),
    )


def _parameter(found: Schema) -> Field:
    is_required = found.get("required", False)
    return Field(found["name"], type_of(found["schema"]), is_required, found["in"], in_words(found))


def _content(found: Schema) -> tuple[str, str]:
    """Return format and type of a body; a form's fields are named, as they have no object's name."""
    for body_format, content in found.get("content", {}).items():
        schema = content["schema"]
        if schema.get("format") == "binary":
            return "", ", ".join(found["content"])
        parts = _fields(schema)
        return body_format, ", ".join(f"{each.name}: {each.type}" for each in parts) or type_of(schema)
    return "", ""


def _fields(schema: Schema) -> tuple[Field, ...]:
    required = schema.get("required", [])
    return tuple(
        Field(name, type_of(each), name in required, description=in_words(each))
        for name, each in schema.get("properties", {}).items()
    )
