"""The API's reference at /api/docs: its OpenAPI description as a page of ours, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

Schema = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """A value that is sent or answered."""

    name: str
    type: str
    is_required: bool = False
    place: str = ""
    """In the path or the query; empty in a body."""


@dataclass(frozen=True)
class Model:
    """An object of the API by its name, with its fields."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Answer:
    """A status and the type that comes with it."""

    status: str
    type: str


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: str
    body_format: str
    answers: tuple[Answer, ...]


class Reference(DocsBase):
    """The page that django-ninja asks for, in place of Swagger's."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        schema = api.get_openapi_schema(path_params=kwargs)
        context = {
            "version": schema["info"]["version"],
            "operations": list(operations(schema)),
            "models": list(models(schema)),
            "openapi_url": self.get_openapi_url(api, kwargs),
        }
        return render(request, "api.html", context)


def operations(schema: Schema) -> Iterator[Operation]:
    """Return what can be asked for, in the order of the description."""
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield _operation(method, path, methods[method])


def models(schema: Schema) -> Iterator[Model]:
    """Return the objects that operations name, by the alphabet."""
    for name, found in sorted(schema.get("components", {}).get("schemas", {}).items()):
        yield Model(name, found.get("description", ""), _fields(found))


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
    return Operation(
        method=method.upper(),
        path=path,
        summary=found.get("summary", ""),
        description=found.get("description", ""),
        parameters=tuple(_parameter(each) for each in found.get("parameters", [])),
        body=body,
        body_format=body_format,
        answers=tuple(
            Answer(str(status), _content(answer)[1] or answer.get("description", ""))
            for status, answer in found["responses"].items()
        ),
    )


def _parameter(found: Schema) -> Field:
    return Field(found["name"], type_of(found["schema"]), found.get("required", False), found["in"])


def _content(found: Schema) -> tuple[str, str]:
    """Return format and type of a body; a form's fields are named, as they have no object's name."""
    for body_format, content in found.get("content", {}).items():
        schema = content["schema"]
        parts = _fields(schema)
        return body_format, ", ".join(f"{each.name}: {each.type}" for each in parts) or type_of(schema)
    return "", ""


def _fields(schema: Schema) -> tuple[Field, ...]:
    required = schema.get("required", [])
    return tuple(
        Field(name, type_of(each), name in required) for name, each in schema.get("properties", {}).items()
    )
