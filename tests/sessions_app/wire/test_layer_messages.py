"""What processes say to each other over the channel layer, also while one version follows another."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from channels_redis.serializers import MsgPackSerializer

from sessions_app.wire import layer_messages
from sessions_app.wire.protocol import (
    ClosedBy,
    Line,
    OverlapRef,
    PartialLine,
    Rewrite,
    SessionEnd,
    SpeakerRef,
)

LINE = Line(7, 3, 10_200, 12_300, "你好，世界。", SpeakerRef("0b5c", "张三", 0.98765, True), is_edited=True)
OVERLAP = OverlapRef("y", "Speaker 3", 11_000, 11_600, 3)
OVERLAPPED = replace(LINE, line_id=9, seq=5, overlaps=(OVERLAP, OverlapRef("0b5c", "张三", 11_000, 11_600)))
STRANGER = replace(LINE, line_id=8, seq=4, spoken=SpeakerRef("x", "Speaker 2", None, number=2))

CHANGED = replace(
    LINE, line_id=10, seq=6, changes=(Rewrite(0, 2, "你号"), Rewrite(3, 5, "世届", by_rule=True))
)


def over_redis(message: dict[str, Any]) -> dict[str, Any]:
    serializer = MsgPackSerializer()
    received: dict[str, Any] = serializer.deserialize(serializer.serialize(message))
    return received


def commit(*lines: Line) -> dict[str, Any]:
    return layer_messages.commit_message("周会", lines, received=32_000, durable=16_000)


class TestGroups:
    def test_have_names_that_any_layer_takes(self) -> None:
        name = layer_messages.session_group("周会 " * 20)
        assert name.isascii()
        assert len(name) < 100

    def test_are_one_for_each_session(self) -> None:
        assert layer_messages.session_group("a") == layer_messages.session_group("a")
        assert layer_messages.session_group("a") != layer_messages.session_group("b")


class TestCommit:
    def test_brings_every_field_of_its_lines(self) -> None:
        lines = [LINE, STRANGER, OVERLAPPED, CHANGED]
        assert layer_messages.lines_from(over_redis(commit(*lines))) == lines

    def test_says_how_far_the_session_is(self) -> None:
        message = over_redis(commit())
        assert (message["received"], message["durable"], message["lines"]) == (32_000, 16_000, [])

    def test_is_plain_data(self) -> None:
        assert json.loads(json.dumps(commit(OVERLAPPED))) == commit(OVERLAPPED)

    @pytest.mark.parametrize("name", [field.name for field in fields(Line) if field.name != "words"])
    def test_of_a_version_that_lacks_a_field_is_not_understood(self, name: str) -> None:
        message = commit(LINE)
        del message["lines"][0][name]
        with pytest.raises((TypeError, KeyError), match=name):
            layer_messages.lines_from(message)

    @pytest.mark.parametrize("name", [field.name for field in fields(SpeakerRef)])
    def test_of_a_version_that_knows_less_of_speakers_is_not_understood(self, name: str) -> None:
        message = commit(LINE)
        del message["lines"][0]["spoken"][name]
        with pytest.raises(TypeError, match=f"SpeakerRef has other fields here: {name}"):
            layer_messages.lines_from(message)

    @pytest.mark.parametrize("name", [field.name for field in fields(OverlapRef)])
    def test_of_a_version_that_knows_less_of_overlaps_is_not_understood(self, name: str) -> None:
        message = commit(OVERLAPPED)
        del message["lines"][0]["overlaps"][0][name]
        with pytest.raises(TypeError, match=f"OverlapRef has other fields here: {name}"):
            layer_messages.lines_from(message)

    def test_of_a_version_that_has_more_fields_is_not_understood(self) -> None:
        message = commit(LINE)
        message["lines"][0]["mood"] = "cheerful"
        with pytest.raises(TypeError, match="Line has other fields here: mood"):
            layer_messages.lines_from(message)


class TestOthers:
    def test_a_partial_arrives(self) -> None:
        partial = PartialLine(9000, "你好", "世界")
        message = over_redis(layer_messages.partial_message("周会", partial))
        assert layer_messages.partial_from(message) == partial
        assert message["key"] == "周会"

    def test_the_end_arrives(self) -> None:
        end = SessionEnd(41, 200_000, 196_000, closed_by=ClosedBy.FAILURE)
        message = over_redis(layer_messages.end_message("周会", end))
        assert layer_messages.end_from(message) == end
        assert layer_messages.end_from(message).closed_by is ClosedBy.FAILURE

    def test_an_end_of_another_version_is_not_understood(self) -> None:
        message = layer_messages.end_message("周会", SessionEnd(1, 16_000, 16_000))
        message["end"]["why"] = "idle"
        with pytest.raises(TypeError, match="why"):
            layer_messages.end_from(message)

    def test_a_cause_of_a_newer_version_is_not_understood(self) -> None:
        message = layer_messages.end_message("周会", SessionEnd(1, 16_000, 16_000))
        message["end"]["closed_by"] = "boredom"
        with pytest.raises(ValueError, match="boredom"):
            layer_messages.end_from(message)

    def test_a_change_names_its_session_alone(self) -> None:
        assert layer_messages.changed_message("周会") == {"type": "session.changed", "key": "周会"}


class TestMoments:
    """When the audio of a text was heard travels with it, for the figures of those who send it on."""

    def test_of_lines(self) -> None:
        message = layer_messages.commit_message("m", [LINE], received=2, durable=1, heard_at=[12.5, None])
        assert over_redis(message)["heard_at"] == [12.5, None]

    def test_of_a_partial(self) -> None:
        message = layer_messages.partial_message("m", PartialLine(0, "你"), heard_at=12.5)
        assert over_redis(message)["heard_at"] == 12.5
        assert over_redis(layer_messages.partial_message("m", PartialLine(0, "你")))["heard_at"] is None

    def test_numbers_of_the_last_line_may_be_missing(self) -> None:
        assert commit()["last_seq"] == 0
        message = layer_messages.commit_message("m", [], received=2, durable=1, last_seq=41)
        assert over_redis(message)["last_seq"] == 41
