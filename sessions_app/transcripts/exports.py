"""Transcripts to take away: each format is one function from an `Export` to bytes.

Titles, names and texts are people's words. Whatever they contain, they stay words in the file.
"""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape
from typing import Any

import docx
from django.utils import formats, timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from docx.enum.text import WD_LINE_SPACING
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from recognition.audio import SAMPLE_RATE, milliseconds
from sessions_app.minutes import reading
from sessions_app.minutes.reading import MinutesOfMeeting
from sessions_app.models import Session
from sessions_app.store import translations
from sessions_app.store.queries import as_line, with_voices
from sessions_app.templatetags.durations import clock
from sessions_app.wire.protocol import Line, OverlapRef, SpeakerRef, line_fields
from sessions_app.wire.untrusted import one_line

from . import letterhead, notes
from .alignment import TimedWord, align
from .notes import Comment
from .overlap_marks import marks
from .speech_spans import Span, joined, length
from .subtitles import Cue, before_words, cues, rows, with_translation
from .written_minutes import Part, Row, as_calendar, parts

A4 = Mm(210), Mm(297)
LOGO_HEIGHT = Mm(14)

SAMPLES_PER_MS = SAMPLE_RATE // 1000

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")


@dataclass(frozen=True, slots=True)
class Export:
    """A session, ready to be written."""

    title: str
    key: str
    started_at: datetime
    duration_s: float
    lines: Sequence[Line]
    """As clients get them, but with texts and names that can stand in any file."""

    words: Mapping[int, Sequence[TimedWord]]
    """The words of each line, by its id."""

    has_times: bool = True
    has_speakers: bool = True
    notes: Sequence[Comment] = ()
    marks: Mapping[int, str] = field(default_factory=dict)
    """Marks of lines in which several people speak, by their ids; none without speakers."""

    minutes: MinutesOfMeeting | None = None
    translations: Mapping[int, str] = field(default_factory=dict)
    """Lines in another language, by their ids."""

    language: str = ""
    """Of the translations."""


def prepare(
    session: Session,
    *,
    has_times: bool = True,
    has_speakers: bool = True,
    has_notes: bool = True,
    has_minutes: bool = True,
    has_translation: bool = False,
) -> Export:
    """Read a session; speakers' names are in the language of the moment."""
    utterances = list(with_voices(session.utterances.filter(is_removed=False)).order_by("start", "id"))
    lines = [cleaned(as_line(utterance)) for utterance in utterances]
    return Export(
        title=one_line(str(session)),
        key=session.key,
        started_at=timezone.localtime(session.created_at),
        duration_s=session.duration_s,
        lines=lines,
        words={
            line.line_id: align(line.text, utterance.tokens, utterance.start, utterance.end)
            for line, utterance in zip(lines, utterances, strict=True)
        },
        has_times=has_times,
        has_speakers=has_speakers,
        notes=[_cleaned_note(note) for note in notes.read(session)] if has_notes else (),
        marks=_marks_by_line(lines) if has_speakers else {},
        minutes=reading.read(session) if has_minutes else None,
        translations=_cleaned_translations(session) if has_translation else {},
        language=translations.language_of(session.pk) if has_translation else "",
    )


def _cleaned_translations(session: Session) -> dict[int, str]:
    return {key: one_line(text) for key, text in translations.by_line(session).items()}


def _marks_by_line(lines: Sequence[Line]) -> dict[int, str]:
    return {line.line_id: mark for line, mark in zip(lines, marks(lines), strict=True) if mark}


def _cleaned_note(note: Comment) -> Comment:
    text = "\n".join(one_line(row) for row in note.text.splitlines())
    return replace(note, text=text, author=one_line(note.author))


def file_name(session: Session, extension: str) -> str:
    """Return a name for the file, without what file systems and shells dislike."""
    name = re.sub(r'[\\/:*?"<>|\s]+', " ", one_line(str(session))).strip(" .") or "session"
    day = timezone.localtime(session.created_at)
    return f"{Truncator(name).chars(80, truncate='')} {day:%Y-%m-%d}.{extension}"


def cleaned(line: Line) -> Line:
    """Return the line with words that can stand in any file."""
    spoken = replace(line.spoken, speaker_name=one_line(line.spoken.speaker_name))
    overlaps = [replace(each, speaker_name=one_line(each.speaker_name)) for each in line.overlaps]
    return replace(line, text=one_line(line.text), spoken=spoken, overlaps=tuple(overlaps))


def as_text(export: Export) -> bytes:
    """Write a heading, the minutes, then a paragraph for each turn."""
    blocks = [f"{export.title}\n{_facts(export)}"]
    for part in parts(export.minutes):
        blocks.append("\n".join([part.heading, *(row.in_words for row in part.rows)]))
    for turn in turns(export):
        head = " ".join(part for part in (_time(export, turn[0]), _name(export, turn[0])) if part)
        body = "\n".join(_marked(export, line) for line in turn)
        blocks.append(f"{head}\n{body}" if head else body)
    if export.notes:
        blocks.append(f"{_('Notes')}\n" + "\n".join(map(_note_line, export.notes)))
    return "\n\n".join(blocks).encode() + b"\n"


def _marked(export: Export, line: Line) -> str:
    """Return the text of a line, and who else speaks; below it the translation."""
    mark = export.marks.get(line.line_id)
    text = f"{line.text} [{mark}]" if mark else line.text
    return "\n".join(filter(None, [text, export.translations.get(line.line_id)]))


def _note_line(note: Comment) -> str:
    """Return a note in one paragraph: the moment, who wrote it, and what."""
    indent = "    " if note.answers else ""
    said = note.text.replace("\n", f"\n{indent}  ") or _("Bookmark")
    return f"{indent}{clock(note.at_ms / 1000)} {note.author}: {said}"


def as_markdown(export: Export) -> bytes:
    """Write a heading, the minutes, then a paragraph for each turn, in CommonMark."""
    blocks = [f"# {_markdown(export.title)}", _markdown(_facts(export))]
    for part in parts(export.minutes):
        blocks += [f"## {_markdown(part.heading)}", "\n".join(map(_markdown_minutes, part.rows))]
    if export.minutes:
        blocks.append(f"## {_('Transcript')}")
    for turn in turns(export):
        name, time = _name(export, turn[0]), _time(export, turn[0])
        head = " ".join([*([f"**{_markdown(name)}**"] if name else []), *([f"`{time}`"] if time else [])])
        body = "  \n".join(_marked_markdown(export, line) for line in turn)
        blocks.append(f"{head}  \n{body}" if head else body)
    if export.notes:
        blocks += [f"## {_('Notes')}", "\n".join(map(_markdown_note, export.notes))]
    return "\n\n".join(blocks).encode() + b"\n"


def _markdown_minutes(row: Row) -> str:
    box = {None: "", True: "[x] ", False: "[ ] "}[row.is_done]
    facts = f" **{_markdown(row.facts)}**" if row.facts else ""
    return f"- {box}{f'`{row.time}` ' if row.time else ''}{_markdown(row.text)}{facts}"


def _marked_markdown(export: Export, line: Line) -> str:
    mark = export.marks.get(line.line_id)
    text = _markdown(line.text) + (rf" *\[{_markdown(mark)}\]*" if mark else "")
    translation = export.translations.get(line.line_id)
    return f"{text}  \n*{_markdown(translation)}*" if translation else text


def _markdown_note(note: Comment) -> str:
    indent = "  " if note.answers else ""
    said = f"  \n{indent}  ".join(map(_markdown, note.text.splitlines())) or _("Bookmark")
    return f"{indent}- `{clock(note.at_ms / 1000)}` **{_markdown(note.author)}** {said}"


def as_srt(export: Export) -> bytes:
    """Write subtitles as SubRip."""
    blocks = []
    for number, cue in enumerate(_cues(export), 1):
        text = "\n".join(map(_srt, _rows(cue)))
        speaker = before_words(_srt(cue.speaker)) if cue.speaker else ""
        blocks.append(
            f"{number}\n{_stamp(cue.start_ms, ',')} --> {_stamp(cue.end_ms, ',')}\n{speaker}{text}\n"
        )
    return "\n".join(blocks).encode()


def as_vtt(export: Export) -> bytes:
    """Write subtitles as WebVTT, with voice tags, and cues for those who speak without words of their own."""
    blocks = ["WEBVTT\n"]
    for cue in sorted([*_cues(export), *_overlap_cues(export)], key=_start_of):
        text = "\n".join(escape(row, quote=False) for row in _rows(cue))
        speaker = f"<v {escape(cue.speaker, quote=False)}>" if cue.speaker else ""
        blocks.append(f"{_stamp(cue.start_ms, '.')} --> {_stamp(cue.end_ms, '.')}\n{speaker}{text}\n")
    return "\n".join(blocks).encode()


def as_rttm(export: Export) -> bytes:
    """Write who speaks when, as programs that compare diarizations read it (NIST's Rich Transcription)."""
    names = _names_by_speaker(export)
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for line in export.lines:
        spans[names[line.spoken.speaker_id]].append((line.start_ms, line.end_ms))
        for overlap in line.overlaps:
            spans[names[overlap.speaker_id]].append((overlap.start_ms, overlap.end_ms))
    turns = sorted((start, end, name) for name, own in spans.items() for start, end in joined(own))
    file = _field(export.key)
    return "".join(
        f"SPEAKER {file} 1 {start / 1000:.3f} {(end - start) / 1000:.3f} <NA> <NA> {name} <NA> <NA>\n"
        for start, end, name in turns
        if end > start
    ).encode()


def _names_by_speaker(export: Export) -> dict[str, str]:
    """Return names without blanks, another for each speaker; those of strangers are alike in any language."""
    if not export.has_speakers:
        return defaultdict(lambda: "speech")
    found: dict[str, str] = {}
    for line in export.lines:
        speaking: list[SpeakerRef | OverlapRef] = [line.spoken, *line.overlaps]
        for person in speaking:
            if person.speaker_id not in found:
                known = f"speaker_{person.number}" if person.number else _field(person.speaker_name)
                found[person.speaker_id] = _another(known, found.values())
    return found


def _another(name: str, taken: Collection[str]) -> str:
    """Return the name, numbered if somebody else has it."""
    names = (name, *(f"{name}_{number}" for number in range(2, len(taken) + 2)))
    return next(free for free in names if free not in taken)


def _field(text: str) -> str:
    """Return a text as one field of a file whose fields end at blanks."""
    return "_".join(text.split()) or "unknown"


def as_json(export: Export) -> bytes:
    """Write everything, for programs; times in milliseconds."""
    content = {
        "session_id": export.key,
        "title": export.title,
        "started_at": export.started_at.isoformat(),
        "duration_ms": round(export.duration_s * 1000),
        "lines": [
            _as_object(line, export.words[line.line_id], export.translations.get(line.line_id))
            for line in export.lines
        ],
        "notes": [_note_as_object(note) for note in export.notes],
        "minutes": reading.as_object(export.minutes) if export.minutes else None,
    }
    content |= {"translation_language": export.language} if export.language else {}
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def as_docx(export: Export) -> bytes:
    """Write a document for Word."""
    document = docx.Document()
    for section in document.sections:
        section.page_width, section.page_height = A4
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(25)
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Calibri", Pt(11)
    # Word takes Chinese from another font than Latin, and guesses unless told.
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "Microsoft YaHei")
    style.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    _describe(document.core_properties, export)
    _add_logo(document)
    _add_heading(document, export.title, level=1)
    document.add_paragraph(_facts(export))
    for part in parts(export.minutes):
        _add_minutes(document, part)
    if export.minutes:
        _add_heading(document, _("Transcript"), level=2)
    for turn in turns(export):
        _add_turn(document.add_paragraph(), export, turn)
    if export.notes:
        _add_heading(document, _("Notes"), level=2)
    for note in export.notes:
        _add_note(document.add_paragraph(), note)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def as_tasks(export: Export) -> bytes:
    """Write the to-dos of the minutes for a calendar."""
    return as_calendar(export.minutes, key=export.key, title=export.title)


def _describe(properties: Any, export: Export) -> None:
    """Say what the document is; python-docx's template tells of itself there."""
    properties.title = export.title
    properties.author = properties.comments = properties.last_modified_by = ""
    # Word takes these times as UTC, and none with a zone.
    properties.created = properties.modified = timezone.now().replace(tzinfo=None)


def _add_logo(document: Any) -> None:
    logo = letterhead.own_logo()
    if logo and logo.media_type in letterhead.WORD_TYPES:
        document.add_picture(io.BytesIO(logo.content), height=LOGO_HEIGHT)


def _add_heading(document: Any, text: str, *, level: int) -> None:
    for run in document.add_heading(text, level=level).runs:
        run.font.color.rgb = RGBColor(0x1E, 0x1D, 0x1A)
        run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "Microsoft YaHei")


def _add_minutes(document: Any, part: Part) -> None:
    _add_heading(document, part.heading, level=2)
    for row in part.rows:
        paragraph = document.add_paragraph()
        if row.time:
            time = paragraph.add_run(f"{row.time}  ")
            time.font.size, time.font.color.rgb = Pt(9), RGBColor(0x76, 0x70, 0x66)
        paragraph.add_run(f"{row.box}{row.text}")
        if row.facts:
            paragraph.add_run(f"  {row.facts}").bold = True


def _add_note(paragraph: Any, note: Comment) -> None:
    if note.answers:
        paragraph.paragraph_format.left_indent = Pt(24)
    time = paragraph.add_run(f"{clock(note.at_ms / 1000)}  ")
    time.font.size, time.font.color.rgb = Pt(9), RGBColor(0x76, 0x70, 0x66)
    paragraph.add_run(f"{note.author}  ").bold = True
    for index, row in enumerate(note.text.splitlines() or [_("Bookmark")]):
        if index:
            paragraph.add_run().add_break()
        paragraph.add_run(row)


def _add_turn(paragraph: Any, export: Export, turn: Sequence[Line]) -> None:
    if name := _name(export, turn[0]):
        paragraph.add_run(name).bold = True
    if time := _time(export, turn[0]):
        run = paragraph.add_run(f"  {time}" if name else time)
        run.font.size, run.font.color.rgb = Pt(9), RGBColor(0x76, 0x70, 0x66)
    for index, line in enumerate(turn):
        if index or paragraph.runs:
            paragraph.add_run().add_break()
        paragraph.add_run(line.text)
        _add_mark(paragraph, export, line)
        if translation := export.translations.get(line.line_id):
            paragraph.add_run().add_break()
            paragraph.add_run(translation).font.color.rgb = RGBColor(0x76, 0x70, 0x66)


def _add_mark(paragraph: Any, export: Export, line: Line) -> None:
    if mark := export.marks.get(line.line_id):
        run = paragraph.add_run(f" [{mark}]")
        run.font.size, run.font.color.rgb = Pt(9), RGBColor(0x76, 0x70, 0x66)


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its writer and its media type."""

    write: Callable[[Export], bytes]
    content_type: str


FORMATS: Mapping[str, Format] = {
    "txt": Format(as_text, "text/plain; charset=utf-8"),
    "md": Format(as_markdown, "text/markdown; charset=utf-8"),
    "srt": Format(as_srt, "application/x-subrip; charset=utf-8"),
    "vtt": Format(as_vtt, "text/vtt; charset=utf-8"),
    "rttm": Format(as_rttm, "text/plain; charset=utf-8"),
    "json": Format(as_json, "application/json"),
    "docx": Format(as_docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "ics": Format(as_tasks, "text/calendar; charset=utf-8"),
}


def turns(export: Export) -> list[list[Line]]:
    """Join lines of the same speaker one after another; each stands for itself if nobody is named."""
    turns: list[list[Line]] = []
    for line in export.lines:
        if export.has_speakers and turns and turns[-1][-1].spoken.speaker_id == line.spoken.speaker_id:
            turns[-1].append(line)
        else:
            turns.append([line])
    return turns


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who spoke, and how much."""

    name: str
    spoken_ms: int

    @property
    def spoken_s(self) -> float:
        return self.spoken_ms / 1000


def attendees(export: Export) -> list[Attendee]:
    """Return those who spoke, in the order in which they came."""
    spoken: defaultdict[str, list[Span]] = defaultdict(list)
    for line in export.lines:
        spoken[line.spoken.speaker_name].append((line.start_ms, line.end_ms))
        for overlap in line.overlaps:
            spoken[overlap.speaker_name].append((overlap.start_ms, overlap.end_ms))
    return [Attendee(name, length(spans)) for name, spans in spoken.items() if name]


def _cues(export: Export) -> list[Cue]:
    found: list[Cue] = []
    for line in export.lines:
        made = cues(
            line.text,
            export.words[line.line_id],
            speaker=_name(export, line),
            start_ms=line.start_ms,
            end_ms=line.end_ms,
            samples_per_ms=SAMPLES_PER_MS,
        )
        found += with_translation(made, export.translations.get(line.line_id, ""))
    return sorted(found, key=_start_of)  # lines may sound at once


def _overlap_cues(export: Export) -> list[Cue]:
    """Return a cue for everybody who speaks without words of their own."""
    if not export.has_speakers:
        return []
    said = {overlap for line in export.lines for overlap in line.overlaps}
    return [Cue(each.start_ms, each.end_ms, each.speaker_name, _("[speaks too]")) for each in said]


def _rows(cue: Cue) -> list[str]:
    return [*rows(cue.text), *(rows(cue.translation) if cue.translation else ())]


def _start_of(cue: Cue) -> int:
    return cue.start_ms


def _facts(export: Export) -> str:
    started = formats.date_format(export.started_at, "DATETIME_FORMAT")
    return _("%(started)s, %(duration)s") % {"started": started, "duration": clock(export.duration_s)}


def _name(export: Export, line: Line) -> str:
    return line.spoken.speaker_name if export.has_speakers else ""


def _time(export: Export, line: Line) -> str:
    return clock(line.start_ms / 1000) if export.has_times else ""


def _stamp(ms: int, point: str) -> str:
    whole, rest = divmod(ms, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{rest:03}"


def _srt(text: str) -> str:
    """Escape what some players take for times, tags and braces: SRT itself has no escapes."""
    return text.replace("-->", "→").replace("<", "‹").replace(">", "›").replace("{\\", "{ \\")


def _markdown(text: str) -> str:
    escaped = _MARKDOWN.sub(r"\\\1", text)
    # What makes a list or a heading does so only at the start of a line.
    return re.sub(r"^(\s*)([-+=]|\d+[.)])", r"\1\\\2", escaped)


def _note_as_object(note: Comment) -> dict[str, Any]:
    return {
        "id": note.pk,
        "at_ms": note.at_ms,
        "author": note.author,
        "text": note.text,
        "written_at": note.written_at.isoformat(),
        "answers": note.answers,
    }


def _as_object(line: Line, words: Sequence[TimedWord], translation: str | None = None) -> dict[str, Any]:
    """Return a line by the names of version 2, but for its text and speaker."""
    fields = line_fields(line)
    text, spoken = fields.pop("asr"), fields.pop("spk")
    told = {} if translation is None else {"translation": translation}
    return {
        "text": text,
        "speaker": spoken["speaker_name"],
        "speaker_id": spoken["speaker_id"],
        **told,
        **fields,
        "words": [
            {
                "text": text[word.begin : word.stop],
                "start_ms": milliseconds(word.start),
                "end_ms": milliseconds(word.end),
            }
            for word in words
        ],
    }
