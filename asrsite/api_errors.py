"""Errors in the API's description: what each operation may answer besides, which all have in common. Pure."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")

FAILURE = {"$ref": "#/components/schemas/Failure"}

IN_WORDS = {
    401: "It is not known who asks: a token or a login is needed, or this one is not good (any more).",
    402: "The account has used up what it may take.",
    403: "Whoever asks may not do this.",
    404: "There is no such thing, or whoever asks may not see it.",
    409: "It cannot be done as things stand.",
    422: "What was sent makes no sense; the sentence names the field.",
    429: "Too many wrong passwords or requests: wait for the seconds of Retry-After.",
    503: "It cannot be read here and now: the log of the server says why.",
}
"""The statuses of errors, and what they mean everywhere."""


def with_errors(schema: Schema) -> Schema:
    """Return a description in which every operation names the errors that it may answer."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault("Failure", failure())
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                _describe(path, methods[method])
    return schema


def failure() -> Schema:
    """Return the object that all errors are."""
    return {
        "title": "Failure",
        "type": "object",
        "description": "An error, in one sentence.",
        "properties": {
            "error": {
                "title": "Error",
                "type": "string",
                "description": "What is wrong, in the language that was asked for.",
            }
        },
        "required": ["error"],
    }


def _describe(path: str, operation: Schema) -> None:
    # Some have a status as a number, and again as a text with more to say of it.
    answers = {str(status): answer for status, answer in operation["responses"].items()}
    named = {int(status) for status in answers} & IN_WORDS.keys()
    for status in _errors(path, operation) | named:
        answers[str(status)] = {
            "description": IN_WORDS[status],
            "content": {"application/json": {"schema": FAILURE}},
        }
    operation["responses"] = dict(sorted(answers.items()))


def _errors(path: str, operation: Schema) -> set[int]:
    """Return the errors that follow from the form of an operation."""
    found = {401, 403, 429} if operation.get("security") else set()
    if "{" in path:
        found |= {404}
    if "requestBody" in operation or any(each["in"] == "query" for each in operation.get("parameters", [])):
        found |= {422}
    return found
