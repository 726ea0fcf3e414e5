"""A session's transcript as its pages get it: all lines as they read now, and the marks to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sessions_app.models import Session, Utterance, Voice
from sessions_app.store.queries import as_line, with_voices
from sessions_app.wire.protocol import line_fields


@dataclass(frozen=True, slots=True)
class Transcript:
    """The lines of a session; whoever has them follows the rest from the marks on."""

    last_seq: int
    last_revision: int
    lines: Sequence[Utterance]
    speakers: Sequence[str]
    """The public id of each voice, in the order in which voices came: it decides about colours."""

    def as_json(self) -> dict[str, Any]:
        return self.latest(len(self.lines))

    def latest(self, count: int) -> dict[str, Any]:
        """Return the same with the last lines only."""
        return {
            "seq": self.last_seq,
            "revision": self.last_revision,
            "speakers": list(self.speakers),
            "lines": [line_json(line) for line in self.lines[max(0, len(self.lines) - count) :]],
        }


def read(session: Session) -> Transcript:
    """Read the lines of a session in order."""
    # The marks first: a line that comes in between is then sent twice, and not missed.
    last_seq, last_revision = Session.objects.values_list("last_seq", "last_revision").get(pk=session.pk)
    lines = with_voices(Utterance.objects.filter(session=session, is_removed=False))
    rows = list(lines.defer("tokens", "machine_text").order_by("start", "id"))
    voices = Voice.objects.filter(session=session).select_related("speaker").order_by("id")
    return Transcript(last_seq, last_revision, rows, [voice.public_id for voice in voices])


def line_json(utterance: Utterance) -> dict[str, Any]:
    """Return a line as the sockets send it, with what only editors need."""
    return line_fields(as_line(utterance)) | {"revision": utterance.revision}
