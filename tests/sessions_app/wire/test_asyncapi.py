"""The description of the sockets for programs says what the code does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import jsonschema
import pytest
from django.test import Client

from sessions_app.wire.asyncapi import PARAMETERS, document
from sessions_app.wire.own_protocol import OwnProtocol
from sessions_app.wire.protocol import ErrorCode, JoinRequest, ProtocolError, encode_error, parse_join
from tests.sessions_app.wire.test_protocol_document import EXAMPLES
from tests.support.server import ROOT

GOLDEN = ROOT / "tests" / "sessions_app" / "wire" / "golden"
DOCUMENT = document(version="1.0", host="localhost:8000", is_secure=False)
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]

NOT_IN_THE_ADDRESS = {"session_key", "version", "may_substitute", "may_leave_out", "rules"}
"""Fields of a `JoinRequest` that no parameter sets, or the path, or `v`."""

NAMES = {"expected": "expected", "stays": "stay"}


def told(version: int) -> list[str]:
    """Everything that the golden conversations of a version have the server say, once."""

    def texts(found: Any) -> Iterator[str]:
        if isinstance(found, dict):
            for each in found.values():
                yield from texts(each)
        elif isinstance(found, list):
            for each in found:
                yield from texts(each)
        elif isinstance(found, str) and found.startswith('{"asr"'):
            yield found

    return sorted(set(texts(json.loads((GOLDEN / f"v{version}.json").read_text()))))


def kinds(text: str, version: int) -> list[str]:
    """The messages of the description that this is one of."""
    message = json.loads(text)
    own = [
        name for name, each in MESSAGES.items() if name.endswith(f"V{version}") and each["x-from"] == "send"
    ]
    return [
        name for name in own if jsonschema.Draft202012Validator(MESSAGES[name]["payload"]).is_valid(message)
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_every_message_that_is_sent_is_one_of_those_described(version: int) -> None:
    wrong = {text: found for text in told(version) if len(found := kinds(text, version)) != 1}
    assert wrong == {}


@pytest.mark.parametrize("version", [1, 2])
def test_every_message_that_is_described_is_sent(version: int) -> None:
    described = {
        name for name, each in MESSAGES.items() if name.endswith(f"V{version}") and each["x-from"] == "send"
    }
    found = {kind for text in told(version) for kind in kinds(text, version)}
    assert found == described


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example)[:40])
def test_every_example_of_the_document_in_words_is_described(example: dict[str, Any]) -> None:
    text = json.dumps(example)
    assert kinds(text, 1) or kinds(text, 2)


@pytest.mark.parametrize("fault", ErrorCode, ids=lambda fault: fault.code)
@pytest.mark.parametrize("version", [1, 2])
def test_every_error_is_described(fault: ErrorCode, version: int) -> None:
    text = encode_error(ProtocolError(fault, "wrong", param="x", retry_after=2.0))
    assert kinds(text, version) == [f"errorV{version}"]
    codes = DOCUMENT["channels"][f"version{version}"]["x-close-codes"]
    if fault.close:
        assert fault.code in codes[str(fault.close)].split(", ")


@pytest.mark.parametrize(
    "change",
    [{"asr": 7}, {"more": 1}, {"seq": -1}, {"spk": {}}, {"final": False}, {"overlaps": None}],
    ids=str,
)
def test_what_is_never_sent_is_not_described(change: dict[str, Any]) -> None:
    line = next(json.loads(text) for text in told(2) if kinds(text, 2) == ["lineV2"])
    assert kinds(json.dumps(line | change), 2) == []


class TestParameters:
    def test_are_those_that_are_read(self) -> None:
        read = {NAMES.get(each.name, each.name) for each in fields(JoinRequest)} - NOT_IN_THE_ADDRESS
        assert set(PARAMETERS) == read

    @pytest.mark.parametrize("name", [name for name in PARAMETERS if name != "mode"])
    def test_change_what_is_asked_for(self, name: str) -> None:
        values = {"expected": "00000000-0000-0000-0000-000000000001", "hotwords": "OSS"}
        values |= {"script": "traditional", "language": "zh", "translate": "en"}
        value = values.get(name, "1")
        assert parse_join("m", f"mode=receiver&{name}={value}") != parse_join("m", "mode=receiver")

    @pytest.mark.parametrize("version", [1, 2])
    def test_have_their_version_in_the_address(self, version: int) -> None:
        query = DOCUMENT["channels"][f"version{version}"]["bindings"]["ws"]["query"]
        assert query["properties"]["v"]["const"] == str(version)
        assert set(query["required"]) <= set(query["properties"])


class TestCommands:
    @pytest.mark.parametrize(
        ("text", "version", "is_one"),
        [
            ("close", 1, True),
            ("close", 2, True),
            ('{"command": "flush"}', 2, True),
            ('{"command": "flush"}', 1, False),
        ],
    )
    def test_are_those_that_are_understood(self, text: str, version: int, is_one: bool) -> None:
        sent = json.loads(text) if text.startswith("{") else text
        own = [
            each
            for name, each in MESSAGES.items()
            if name.endswith(f"V{version}") and each["x-from"] == "receive"
        ]
        described = any(
            jsonschema.Draft202012Validator(each["payload"]).is_valid(sent)
            for each in own
            if each["payload"].get("format") != "binary"
        )
        assert described is is_one
        dialect = OwnProtocol()
        dialect._version = version
        if is_one:
            assert dialect.receive(text, None)
        else:
            with pytest.raises(ProtocolError):
                dialect.receive(text, None)


def references(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if "$ref" in found:
            yield found["$ref"]
        for each in found.values():
            yield from references(each)
    elif isinstance(found, list):
        for each in found:
            yield from references(each)


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_every_reference_leads_somewhere(reference: str) -> None:
    place: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        place = place[part]
    assert place


def test_every_payload_is_a_schema() -> None:
    for each in MESSAGES.values():
        jsonschema.Draft202012Validator.check_schema(each["payload"])


@pytest.mark.parametrize(("secure", "protocol"), [(True, "wss"), (False, "ws")])
def test_it_is_served_for_the_address_by_which_it_is_asked_for(secure: bool, protocol: str) -> None:
    response = Client().get("/api/asyncapi.json", secure=secure, headers={"host": "localhost:9000"})
    served = response.json()
    assert response["Content-Type"] == "application/json"
    assert served["servers"]["here"] == {"host": "localhost:9000", "protocol": protocol}
    assert served["components"] == json.loads(json.dumps(DOCUMENT["components"]))
