"""The API's reference: everything that OpenAPI tells programs, as a page for people."""

from __future__ import annotations

import pytest
from django.test import Client

from asrsite.api import api
from asrsite.api_errors import IN_WORDS, with_errors
from asrsite.api_reference import groups, models, operations, type_of
from asrsite.api_texts import TEXTS
from asrsite.templatetags.code_words import with_code

from .api_texts import texts_of_the_api

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
    statuses = {each.status: each.type for each in merge.answers}
    assert statuses == {"200": "SpeakerOut"} | dict.fromkeys(["401", "403", "404", "422", "429"], "Failure")


def test_operations_stand_under_their_headings() -> None:
    assert [each.title for each in groups(SCHEMA)] == ["Meetings", "Access tokens", "Uploads", "People"]


def test_every_operation_can_be_linked_to() -> None:
    anchors = [each.anchor for each in operations(SCHEMA)]
    assert len(set(anchors)) == len(anchors)
    assert "get-api-sessions--key--lines" in anchors


def test_a_file_is_told_by_its_kinds() -> None:
    recording = next(each for each in operations(SCHEMA) if each.path.endswith("/recording"))
    assert recording.answers[0].type == "audio/flac, audio/wav"


def test_every_operation_is_described_in_sentences() -> None:
    assert [each.path for each in operations(SCHEMA) if not each.description.endswith(".")] == []


def test_what_the_api_says_of_itself_is_collected_for_translation() -> None:
    assert texts_of_the_api() == TEXTS, "run: .venv/bin/python -m tests.asrsite.api_texts"


class TestThePage:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    @pytest.mark.django_db
    def test_shows_words_of_code_as_such(self, language: str) -> None:
        page = Client(headers={"accept-language": language}).get("/api/docs").content.decode()
        assert "<code>changed_after</code>" in page
        assert "`" not in page

    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("only with `seq`.", "only with <code>seq</code>."),
            ("`a` or `b<c`", "<code>a</code> or <code>b&lt;c</code>"),
            ("<b>`x` & 'y'", "&lt;b&gt;<code>x</code> &amp; &#x27;y&#x27;"),
            ("one ` alone", "one ` alone"),
            ("", ""),
        ],
    )
    def test_trusts_no_text(self, text: str, html: str) -> None:
        assert with_code(text) == html


class TestErrors:
    def described(self, operation: dict[str, object], path: str = "/x") -> dict[str, dict[str, object]]:
        schema = with_errors({"paths": {path: {"get": operation}}})
        answers: dict[str, dict[str, object]] = schema["paths"][path]["get"]["responses"]
        return answers

    def test_of_what_needs_no_login_are_few(self) -> None:
        assert list(self.described({"responses": {200: {}}})) == ["200"]

    def test_follow_from_what_is_asked_for(self) -> None:
        query = {"in": "query", "name": "q"}
        answers = self.described(
            {"responses": {200: {}}, "security": [{}], "parameters": [query]}, "/x/{key}"
        )
        assert list(answers) == ["200", "401", "403", "404", "422", "429"]

    def test_that_an_operation_names_have_the_words_of_all(self) -> None:
        answers = self.described({"responses": {200: {}, 409: {"description": "Conflict"}}})
        assert answers["409"]["description"] == IN_WORDS[409]

    def test_all_have_the_same_shape(self) -> None:
        for methods in SCHEMA["paths"].values():
            for operation in methods.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400 and int(status) != 416:
                        schema = answer["content"]["application/json"]["schema"]
                        assert schema == {"$ref": "#/components/schemas/Failure"}
        assert list(SCHEMA["components"]["schemas"]["Failure"]["properties"]) == ["error"]

    def test_that_were_met_in_tests_are_those_that_are_described(self) -> None:
        begin = SCHEMA["paths"]["/api/sessions"]["post"]["responses"]
        assert {"401", "402", "403", "409", "422", "429"} <= set(begin)


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
    assert "列出" in page
    assert "List the" not in page
    assert "swagger" not in page.lower()
