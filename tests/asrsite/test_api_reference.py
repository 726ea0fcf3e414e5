"""The API's reference: everything that OpenAPI tells programs, as a page for people."""

from __future__ import annotations

import pytest
from django.test import Client

from asrsite.api import api
from asrsite.api_reference import models, operations, type_of

SCHEMA = api.get_openapi_schema()


def test_every_operation_is_told_with_its_answers() -> None:
    told = {(each.method.lower(), each.path) for each in operations(SCHEMA)}
    assert told == {(method, path) for path, methods in SCHEMA["paths"].items() for method in methods}
    assert all(each.answers for each in operations(SCHEMA))


def test_an_operation_says_what_is_sent_and_what_comes_back() -> None:
    merge = next(each for each in operations(SCHEMA) if each.path.endswith("/merge"))
    [key] = merge.parameters
    assert (key.name, key.type, key.place, key.is_required) == ("key", "string (uuid)", "path", True)
    assert (merge.body, merge.body_format) == ("Merge", "application/json")
    assert [(each.status, each.type) for each in merge.answers] == [("200", "SpeakerOut")]


def test_objects_tell_which_fields_may_be_left_out() -> None:
    new = next(each for each in models(SCHEMA) if each.name == "NewSpeaker")
    assert [(field.name, field.is_required) for field in new.fields] == [("name", True), ("note", False)]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Merge"}, "Merge"),
        ({"type": "array", "items": {"type": "integer"}}, "[integer]"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"enum": ["a", "b"], "type": "string"}, "'a' | 'b'"),
        ({}, "any"),
    ],
)
def test_types_are_written_for_people(schema: dict[str, object], words: str) -> None:
    assert type_of(schema) == words


@pytest.mark.django_db
def test_the_page_is_in_the_reader_s_language_and_has_no_script_of_its_own() -> None:
    page = Client(HTTP_ACCEPT_LANGUAGE="zh-CN").get("/api/docs").content.decode()
    assert 'lang="zh-hans"' in page
    assert "API 参考" in page
    assert "/api/speakers/{key}/merge" in page
    assert "swagger" not in page.lower()
