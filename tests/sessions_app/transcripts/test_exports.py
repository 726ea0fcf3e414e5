"""Transcripts to take away: read back by programs that know the formats."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import docx
import numpy as np
import pysubs2
import pytest
import soundfile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from docx.shared import Pt
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pytest_django import Settings

from sessions_app.models import Session
from sessions_app.transcripts import exports
from sessions_app.transcripts.alignment import TimedWord
from sessions_app.transcripts.exports import Export
from sessions_app.wire.protocol import Line, OverlapRef, SpeakerRef
from sessions_app.wire.untrusted import one_line
from tests.sessions_app.meetings import make_lines, make_recording, make_session, make_voice, whole

STARTED = datetime(2026, 11, 23, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))

MEETING = [
    ("张三", "大家好。"),
    ("张三", "我们开始吧。"),
    ("Speaker 1", "好的。"),
]

# What breaks out of a format that does not expect it.
HOSTILE = [
    '=HYPERLINK("http://evil")',
    "<script>alert(1)</script>",
    "a --> b",
    "-->",
    "x\n\n2\n00:00:00,000 --> 00:00:01,000\ny",
    "**bold** [link](http://evil) `code`",
    "# heading",
    "- item",
    "1. item",
    "<v Somebody>",
    "&amp;",
    "\u202egnp.exe",
    "a\x00b\x0bc",
    "{\\b1}bold{\\b0}",
    "\u2028",
    "\ud800",
    "NOTE x",
    "WEBVTT",
]


def export(spoken: Any = MEETING, **options: Any) -> Export:
    lines = [
        exports.cleaned(Line(index, index, index * 2000, (index + 1) * 2000, text, SpeakerRef(name, name)))
        for index, (name, text) in enumerate(spoken)
    ]
    return Export("周会", "m-1", STARTED, 6.0, lines, {line.line_id: [] for line in lines}, **options)


class TestText:
    def test_turns_have_one_heading(self) -> None:
        with translation.override("en"):
            assert exports.as_text(export()).decode() == (
                "周会\n23 Nov 2026, 09:30, 0:06\n\n"
                "0:00 张三\n大家好。\n我们开始吧。\n\n0:04 Speaker 1\n好的。\n"
            )

    def test_times_and_speakers_may_be_left_out(self) -> None:
        text = exports.as_text(export(has_times=False, has_speakers=False)).decode()
        assert text.split("\n\n")[1:] == ["大家好。", "我们开始吧。", "好的。\n"]


class TestMarkdown:
    def test_names_are_strong_and_times_code(self) -> None:
        blocks = exports.as_markdown(export()).decode().split("\n\n")
        assert blocks[0] == "# 周会"
        assert blocks[2] == "**张三** `0:00`  \n大家好。  \n我们开始吧。"

    @pytest.mark.parametrize("text", HOSTILE)
    def test_no_word_becomes_markup(self, text: str) -> None:
        html = MarkdownIt("commonmark").render(exports.as_markdown(export([("x", text)])).decode())
        tags = set(re.findall(r"<(\w+)", html))
        assert tags <= {"h1", "p", "strong", "code", "br"}
        assert html.count("<h1>") == html.count("<code>") == html.count("<strong>") == 1


class TestSubtitles:
    @pytest.mark.parametrize("format_", ["srt", "vtt"])
    def test_players_read_every_line_with_its_times(self, format_: str) -> None:
        content = exports.FORMATS[format_].write(export(has_speakers=False)).decode()
        events = pysubs2.SSAFile.from_string(content, format_=format_)
        assert [(e.start, e.end, e.plaintext) for e in events] == [
            (0, 2000, "大家好。"), (2000, 4000, "我们开始吧。"), (4000, 6000, "好的。"),
        ]  # fmt: skip

    def test_speakers_stand_before_the_text_or_in_a_voice_tag(self) -> None:
        assert "张三：大家好。" in exports.as_srt(export()).decode()
        assert "<v 张三>大家好。" in exports.as_vtt(export()).decode()

    def test_hours_have_two_digits(self) -> None:
        line = Line(1, 1, 36_061_000, 36_062_000, "好。", SpeakerRef())
        long = Export("x", "x", STARTED, 0, [line], {1: []})
        assert "10:01:01,000 --> 10:01:02,000" in exports.as_srt(long).decode()
        assert "10:01:01.000 --> 10:01:02.000" in exports.as_vtt(long).decode()

    @pytest.mark.parametrize("word", HOSTILE)
    def test_no_word_makes_a_cue_of_its_own(self, word: str) -> None:
        for format_ in ("srt", "vtt"):
            content = exports.FORMATS[format_].write(export([(word, word), ("b", "后。")])).decode()
            arrows = [line for line in content.splitlines() if "-->" in line]
            assert len(arrows) == 2
            assert all(re.fullmatch(r"[\d:.,]+ --> [\d:.,]+", line) for line in arrows)
            assert len([block for block in content.split("\n\n") if "-->" in block]) == 2

    def test_markup_in_srt_is_none(self) -> None:
        content = exports.as_srt(export([("<b>", "<i>x</i> {\\an8}y")])).decode()
        assert "‹b›: ‹i›x‹/i› { \\an8}y" in content

    def test_markup_in_vtt_is_text(self) -> None:
        content = exports.as_vtt(export([("<b>", "<i>x</i> & y")])).decode()
        assert "<v &lt;b&gt;>&lt;i&gt;x&lt;/i&gt; &amp; y" in content


class TestDocx:
    def paragraphs(self, made: Export) -> list[str]:
        return [p.text for p in docx.Document(io.BytesIO(exports.as_docx(made))).paragraphs]

    def test_has_every_turn(self) -> None:
        assert self.paragraphs(export())[0::1][0] == "周会"
        assert self.paragraphs(export())[2:] == [
            "张三  0:00\n大家好。\n我们开始吧。",
            "Speaker 1  0:04\n好的。",
        ]

    def test_chinese_has_a_chinese_font(self) -> None:
        document = docx.Document(io.BytesIO(exports.as_docx(export())))
        assert 'w:eastAsia="Microsoft YaHei"' in document.styles["Normal"].element.xml

    def test_it_is_printed_on_a4(self) -> None:
        [section] = docx.Document(io.BytesIO(exports.as_docx(export()))).sections
        assert section.page_width and section.page_height and section.left_margin
        assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
        assert round(section.left_margin.mm) == 25

    def test_its_properties_are_those_of_the_transcript(self) -> None:
        properties = docx.Document(io.BytesIO(exports.as_docx(export()))).core_properties
        assert properties.title == "周会"
        assert properties.comments == properties.author == properties.last_modified_by == ""
        assert properties.created == properties.modified
        assert abs(timezone.now() - properties.created.replace(tzinfo=UTC)) < timedelta(minutes=1)

    @pytest.mark.parametrize("word", HOSTILE)
    def test_any_word_can_be_written(self, word: str) -> None:
        assert one_line(word) in self.paragraphs(export([(word, word)]))[2]


class TestJson:
    def test_has_everything(self) -> None:
        content = json.loads(exports.as_json(export()))
        assert (content["session_id"], content["title"], content["duration_ms"]) == ("m-1", "周会", 6000)
        assert content["lines"][2] == {
            "start_ms": 4000, "end_ms": 6000, "speaker": "Speaker 1", "speaker_id": "Speaker 1",
            "text": "好的。", "words": [], "id": 2, "seq": 2, "edited": False,
            "overlaps": [],
            "changes": [],
        }  # fmt: skip


def both(**options: Any) -> Export:
    """A long line of 张三 in which 李 四 speaks too, and within its time one of a stranger."""
    too = OverlapRef("li", "李 四", 500, 1500)
    lines = [
        Line(1, 1, 0, 6000, "大家好，我们开始吧。", SpeakerRef("zhang", "张三"), overlaps=(too,)),
        Line(2, 2, 4000, 5000, "好的。", SpeakerRef("x", "Speaker 3", number=3)),
    ]
    words = {1: [TimedWord(0, 3, 0, 16_000), TimedWord(4, 9, 80_000, 96_000)], 2: []}
    said = {1: "李 四 speaks too", 2: "at the same time as 张三"}
    return Export("周会", "m-1", STARTED, 6.0, lines, words, marks=said, **options)


class TestSeveralAtOnce:
    def test_texts_have_a_mark_behind_the_line(self) -> None:
        assert "大家好，我们开始吧。 [李 四 speaks too]\n" in exports.as_text(both()).decode()
        assert "好的。 *\\[at the same time as 张三\\]*" in exports.as_markdown(both()).decode()

    def test_in_a_document_the_mark_is_small(self) -> None:
        document = docx.Document(io.BytesIO(exports.as_docx(both())))
        marks = [run for paragraph in document.paragraphs for run in paragraph.runs if "[" in run.text]
        assert [run.text for run in marks] == [" [李 四 speaks too]", " [at the same time as 张三]"]
        assert {run.font.size for run in marks} == {Pt(9)}

    @pytest.mark.parametrize("format_", ["srt", "vtt"])
    def test_subtitles_are_in_the_order_of_their_start(self, format_: str) -> None:
        content = exports.FORMATS[format_].write(both()).decode()
        starts = [event.start for event in pysubs2.SSAFile.from_string(content, format_=format_)]
        assert starts == sorted(starts)

    def test_vtt_has_a_cue_for_whoever_has_no_words(self) -> None:
        with translation.override("en"):
            content = exports.as_vtt(both()).decode()
        assert "00:00:00.500 --> 00:00:01.500\n<v 李 四>[speaks too]\n" in content
        assert "[speaks too]" not in exports.as_vtt(both(has_speakers=False)).decode()

    def test_json_has_them_with_their_times(self) -> None:
        [long, short] = json.loads(exports.as_json(both()))["lines"]
        assert long["overlaps"] == [
            {"speaker_id": "li", "speaker_name": "李 四", "start_ms": 500, "end_ms": 1500, "number": None}
        ]
        assert short["start_ms"] < long["end_ms"]

    def test_attendees_have_spoken_both_ways(self) -> None:
        spoken = {each.name: each.spoken_ms for each in exports.attendees(both())}
        assert spoken == {"张三": 6000, "李 四": 1000, "Speaker 3": 1000}

    def test_names_in_overlaps_are_cleaned(self) -> None:
        line = replace(both().lines[0], overlaps=(OverlapRef("x", "a\x00\nb", 0, 1),))
        assert exports.cleaned(line).overlaps[0].speaker_name == one_line("a\x00\nb")


class TestRttm:
    def rows(self, made: Export) -> list[list[str]]:
        return [row.split(" ") for row in exports.as_rttm(made).decode().splitlines()]

    def test_says_who_speaks_from_when_on_and_for_how_long(self) -> None:
        assert exports.as_rttm(both()).decode() == (
            "SPEAKER m-1 1 0.000 6.000 <NA> <NA> 张三 <NA> <NA>\n"
            "SPEAKER m-1 1 0.500 1.000 <NA> <NA> 李_四 <NA> <NA>\n"
            "SPEAKER m-1 1 4.000 1.000 <NA> <NA> speaker_3 <NA> <NA>\n"
        )

    def test_lines_of_one_that_touch_are_one(self) -> None:
        rows = self.rows(export())
        assert [(row[3], row[4], row[7]) for row in rows] == [
            ("0.000", "4.000", "张三"), ("4.000", "2.000", "Speaker_1"),
        ]  # fmt: skip

    def test_strangers_are_called_alike_in_any_language(self) -> None:
        with translation.override("zh-hans"):
            chinese = exports.as_rttm(both())
        assert chinese == exports.as_rttm(both())

    def test_two_people_of_one_name_are_two(self) -> None:
        lines = [
            Line(at, at, 3000 * at, 3000 * at + 1000, "x", SpeakerRef(str(at), "王 伟")) for at in range(3)
        ]
        made = Export("x", "x", STARTED, 9, lines, {})
        assert [row[7] for row in self.rows(made)] == ["王_伟", "王_伟_2", "王_伟_3"]

    def test_a_numbered_name_that_somebody_has_is_not_given_twice(self) -> None:
        names = ["a", "a_2", "a"]
        lines = [
            Line(at, at, 3000 * at, 3000 * at + 1, "x", SpeakerRef(str(at), n)) for at, n in enumerate(names)
        ]
        assert len({row[7] for row in self.rows(Export("x", "x", STARTED, 9, lines, {}))}) == 3

    def test_without_speakers_it_says_when_anybody_speaks(self) -> None:
        assert [row[3:8] for row in self.rows(both(has_speakers=False))] == [
            ["0.000", "6.000", "<NA>", "<NA>", "speech"]
        ]

    def test_a_line_without_a_time_is_nobodys_turn(self) -> None:
        line = Line(1, 0, 500, 500, "（笑）", SpeakerRef("a", "a"))
        assert exports.as_rttm(Export("x", "x", STARTED, 9, [line], {})) == b""

    @pytest.mark.parametrize("name", [*HOSTILE, "", " ", ";; x", "SPEAKER", "a\tb", "\u3000"])
    def test_every_row_has_ten_fields_whatever_people_are_called(self, name: str) -> None:
        rows = self.rows(export([(name, "x"), ("b", "y")]))
        assert [len(row) for row in rows] == [10, 10]
        assert all(row[0] == "SPEAKER" and all(row) for row in rows)


@settings(max_examples=30)
@given(st.text(max_size=20), st.text(max_size=40))
def test_whatever_is_said_every_format_can_be_written(name: str, text: str) -> None:
    for format_ in exports.FORMATS.values():
        assert format_.write(export([(name, text or "x")]))


@pytest.mark.django_db
class TestDownload:
    def session(self, title: str = '周会 / Q3: "预算"') -> Session:
        session = make_session(title=title)
        make_lines(session, voice=make_voice(session))
        return session

    def get(self, session: Session, what: str, query: str = "") -> Any:
        name, arguments = ("export-recording", []) if what == "recording" else ("export", [what])
        return Client().get(reverse(name, args=[session.key, *arguments]) + query)

    def file_name(self, response: HttpResponse) -> str:
        return unquote(response["Content-Disposition"].partition("filename*=utf-8''")[2])

    @pytest.mark.parametrize("format_", exports.FORMATS)
    def test_has_a_name_that_any_system_takes(self, format_: str) -> None:
        response = self.get(self.session(), format_)
        assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")
        assert re.fullmatch(rf"周会 Q3 预算 \d{{4}}-\d\d-\d\d\.{format_}", self.file_name(response))
        assert response["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("title", ["../../etc/passwd", "\r\nSet-Cookie: x=1", "." * 10, "x" * 200])
    def test_no_title_makes_a_path_or_a_header(self, title: str) -> None:
        response = self.get(self.session(title), "txt")
        assert not set('/\\:*?"<>|\r\n') & set(self.file_name(response))
        assert len(self.file_name(response)) < 110
        assert "Set-Cookie" not in response.headers

    def test_options_leave_out_times_and_speakers(self) -> None:
        text = self.get(self.session(), "txt", "?times=0&speakers=0").content.decode()
        assert "Speaker 1" not in text
        assert "0:02" not in text

    def test_removed_lines_are_not_in_it(self) -> None:
        session = self.session()
        session.utterances.filter(seq=2).update(is_removed=True)
        assert "好的" not in self.get(session, "txt").content.decode()

    def test_words_have_their_times(self) -> None:
        content = json.loads(self.get(self.session(), "json").content)
        assert content["lines"][1]["words"][0] == {"text": "好", "start_ms": 2000, "end_ms": 3000}

    def test_strangers_are_named_in_the_reader_s_language(self) -> None:
        response = Client(HTTP_ACCEPT_LANGUAGE="zh-hans").get(
            reverse("export", args=[self.session().key, "txt"])
        )
        assert "发言人 1" in response.content.decode()

    def test_an_unknown_format_says_which_there_are(self) -> None:
        response = self.get(self.session(), "exe")
        assert response.status_code == 404
        assert "txt, md, srt, vtt, rttm, json, docx, ics" in response.content.decode()

    @pytest.mark.parametrize(("as_flac", "extension"), [(False, "wav"), (True, "flac")])
    def test_the_recording_has_every_sample(
        self, as_flac: bool, extension: str, tmp_path: Path, settings: Settings
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        session = self.session()
        audio = np.linspace(-0.5, 0.5, 20_000, dtype=np.float32)
        make_recording(session, audio, as_flac=as_flac)
        response = self.get(session, "recording")
        assert self.file_name(response).endswith(extension)
        samples, _ = soundfile.read(io.BytesIO(whole(response)), dtype="int16")
        np.testing.assert_array_equal(samples, np.rint(audio * 32768).astype(np.int16))
