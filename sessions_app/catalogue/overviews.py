"""Overviews of meetings that are over, drawn from their lines by a worker: a list need not read any line.

An overview remembers which state of the lines it has seen. Whatever changes them counts finals or revisions,
so it is known to be stale, and drawn anew soon.
"""

from __future__ import annotations

from django.db.models import F

from minutes.titles import draw_title
from sessions_app.models import Overlap, Session, Utterance, Voice
from sessions_app.store.passing_over import or_pass_over

from .talk_picture import Turn, draw, voice_colours

AT_ONCE = 20
"""Meetings that one look takes on."""


def refresh_stale(failed: set[int] | None = None) -> int:
    """Draw anew some of the overviews that are not of the lines as they are; return how many that was tried.

    Args:
        failed: Keys of meetings whose overview cannot be drawn, which are passed over; more are added.
    """
    ended = Session.objects.filter(state=Session.State.ENDED)
    as_they_are = {"overview_seq": F("last_seq"), "overview_revision": F("last_revision")}
    stale = ended.exclude(**as_they_are).exclude(pk__in=failed or ()).order_by("-pk")
    chosen = list(stale[:AT_ONCE])
    for session in chosen:
        or_pass_over(refresh, session, failed, name="overview")
    return len(chosen)


def refresh(session: Session) -> None:
    """Draw the overview of a meeting as it was when this row of it was read."""
    lines = list(
        Utterance.objects.filter(session=session, is_removed=False)
        .order_by("start", "id")
        .values_list("start", "end", "voice_id", "text")
    )
    also = Overlap.objects.filter(utterance__session=session, utterance__is_removed=False)
    overlaps = also.order_by("start").values_list("start", "end", "voice_id").distinct()
    colours = _colours_by_voice(session)
    spoken = [(start, end, voice) for start, end, voice, _ in lines] + list(overlaps)
    turns = [Turn(start, end, colours.get(voice, 0)) for start, end, voice in spoken]
    length = max([session.durable, *(turn.end for turn in turns)])
    Session.objects.filter(pk=session.pk).update(
        drawn_title=draw_title([text for *_, text in lines]),
        talk_picture=draw(turns, length),
        overview_seq=session.last_seq,
        overview_revision=session.last_revision,
    )


def _colours_by_voice(session: Session) -> dict[int | None, int]:
    voices = Voice.objects.filter(session=session).select_related("speaker").order_by("id")
    ids = {voice.pk: voice.public_id for voice in voices}
    colours = voice_colours(ids.values())
    return {pk: colours[public_id] for pk, public_id in ids.items()}
