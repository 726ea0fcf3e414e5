"""Deepgram's answers for whole recordings, `POST /v1/listen`: channels, utterances, paragraphs. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .deepgram_options import Options
from .deepgram_words import Speakers, alternative, line_words
from .increments import joined
from .protocol import Line

PARAGRAPH_PAUSE_MS = 2_000
"""Whoever is silent for so long begins another paragraph."""

_SENTENCE = re.compile(r".+?(?:[。？！]+|[.?!]+(?=\s|$)|$)", re.DOTALL)

Fields = dict[str, Any]


def answer(options: Options, lines: Sequence[Line], *, metadata: Mapping[str, Any], request_id: str) -> str:
    """Return the whole transcript, as the client asked for it."""
    speakers = Speakers(are_told=options.has_speakers)
    told = [Told(line, speakers, has_marks=options.has_marks) for line in lines]
    whole = alternative(
        joined(line.text for line in lines),
        [word for each in told for word in each.words],
        has_marks=options.has_marks,
    )
    if options.has_paragraphs:
        whole["paragraphs"] = _paragraphs(told)
    results: Fields = {"channels": [{"alternatives": [whole]}]}
    if options.has_utterances:
        results["utterances"] = [
            each.utterance(f"{request_id}-{number}") for number, each in enumerate(told, 1)
        ]
    return json.dumps({"metadata": dict(metadata), "results": results}, ensure_ascii=False)


class Told:
    """A line as this answer tells it."""

    def __init__(self, line: Line, speakers: Speakers, *, has_marks: bool) -> None:
        self.line = line
        self.speaker = speakers.of(line.spoken)
        self._has_marks = has_marks
        sure = {"speaker_confidence": round(line.spoken.score or 0.0, 4)} if self.speaker else {}
        self.words = line_words(line, self.speaker | sure, has_marks=has_marks)

    def utterance(self, name: str) -> Fields:
        fields = alternative(self.line.text, self.words, has_marks=self._has_marks) | self.speaker
        return fields | {
            "start": self.line.start_ms / 1000,
            "end": self.line.end_ms / 1000,
            "channel": 0,
            "id": name,
        }

    def sentences(self) -> list[Fields]:
        """Return the sentences of the line with their times."""
        found: list[Fields] = []
        for match in _SENTENCE.finditer(self.line.text):
            inside = [word for word in self.line.words if match.start() <= word.begin < match.end()]
            text = match.group().strip()
            if text:
                start_ms = inside[0].start_ms if inside else self.line.start_ms
                end_ms = inside[-1].end_ms if inside else self.line.end_ms
                found.append({"text": text, "start": start_ms / 1000, "end": end_ms / 1000})
        return found

    def follows(self, before: Told) -> bool:
        """Tell whether it stands in the paragraph of the line before."""
        pause_ms = self.line.start_ms - before.line.end_ms
        return self.speaker == before.speaker and pause_ms < PARAGRAPH_PAUSE_MS


def _paragraphs(told: Iterable[Told]) -> Fields:
    groups: list[list[Told]] = []
    for each in told:
        if groups and each.follows(groups[-1][-1]):
            groups[-1].append(each)
        else:
            groups.append([each])
    return {
        "transcript": "".join(f"\n{_named(group)}\n" for group in groups),
        "paragraphs": [_paragraph(group) for group in groups],
    }


def _named(group: Sequence[Told]) -> str:
    """Return the text of a paragraph, behind the name of whoever says it."""
    text = joined(each.line.text for each in group)
    speaker = group[0].speaker
    name = speaker.get("speaker_name") or f"Speaker {speaker.get('speaker')}"
    return f"{name}: {text}" if speaker else text


def _paragraph(group: Sequence[Told]) -> Fields:
    speaker = group[0].speaker
    return {
        "sentences": [sentence for each in group for sentence in each.sentences()],
        "num_words": sum(len(each.words) for each in group),
        "start": group[0].line.start_ms / 1000,
        "end": group[-1].line.end_ms / 1000,
        **speaker,
    }
