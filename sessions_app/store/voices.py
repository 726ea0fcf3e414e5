"""The voices of a live session in the database: what its tracker decides becomes rows, and outlives a worker.

The database is the truth. What a person said there about a voice or a line holds; the tracker is told of it
by `corrections` and never writes over it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, Max, Q

from sessions_app.models import Overlap, Session, Utterance, Voice
from speakers.fields import seal, unseal
from speakers.models import Speaker
from speakers.voiceprints.tracking import (
    LineMoved,
    Revision,
    SpeakerTracker,
    VoiceIdentified,
    VoicesMerged,
    VoiceState,
)

from . import outbox
from .outbox import Event

RECENT_LINES = 200
"""Lines in which a tracker may still be corrected."""


@dataclass(frozen=True, slots=True)
class VoiceChanges:
    """Decisions of a tracker since the last commit."""

    model_id: str = ""
    states: Sequence[VoiceState] = ()
    revisions: Sequence[Revision] = ()

    def __bool__(self) -> bool:
        return bool(self.states or self.revisions)


NO_CHANGES = VoiceChanges()


@dataclass(frozen=True, slots=True)
class Corrections:
    """Statements of people about the voices of a session."""

    voices: Sequence[VoiceState]
    merged: Sequence[tuple[uuid.UUID, uuid.UUID]]
    """(kept, gone)"""

    lines: Sequence[tuple[int, uuid.UUID]]
    """(seq, voice) of recent lines."""

    def apply_to(self, tracker: SpeakerTracker) -> None:
        for state in self.voices:
            tracker.adopt(state)
        for kept, gone in self.merged:
            tracker.merge(kept, gone)
        for seq, voice in self.lines:
            tracker.assign(seq, voice)


def known_voices(session_pk: int, model_id: str) -> list[VoiceState]:
    """Read the voices of a session, for a tracker that goes on with it.

    How they sound is left out if another model heard it.
    """
    rows = list(Voice.objects.filter(session=session_pk).select_related("merged_into").order_by("id"))
    now = {row.uuid: row.merged_into.uuid for row in rows if row.merged_into}
    return [
        VoiceState(
            voice.uuid,
            voice.speaker_id,
            voice.is_named_by_person,
            unseal(voice.sealed_mean) if voice.sealed_mean and voice.model_id == model_id else None,
            voice.speech_s,
            frozenset(now.get(key, key) for key in pairs_of(voice)) - {voice.uuid},
        )
        for voice in rows
        if voice.merged_into is None
    ]


def corrections(session_pk: int) -> Corrections:
    """Read what a live session's tracker may not know yet."""
    named = Voice.objects.filter(session=session_pk, is_named_by_person=True, merged_into=None)
    merged = Voice.objects.filter(session=session_pk).exclude(merged_into=None)
    last = Session.objects.values_list("last_seq", flat=True).get(pk=session_pk)
    locked = Utterance.objects.filter(
        session=session_pk, is_voice_locked=True, seq__gt=last - RECENT_LINES, voice__isnull=False
    )
    return Corrections(
        [VoiceState(row.uuid, row.speaker_id, True, apart=pairs_of(row)) for row in named],
        list(merged.values_list("merged_into__uuid", "uuid")),
        [(seq, key) for seq, key in locked.values_list("seq", "voice__uuid") if seq is not None],
    )


def store(session_pk: int, changes: VoiceChanges) -> dict[uuid.UUID, Voice]:
    """Make or change the voices; to be called in a transaction that owns the session, before its lines.

    Returns:
        Their rows, with their speakers.
    """
    own = Voice.objects.filter(session=session_pk, uuid__in=[state.voice for state in changes.states])
    rows = {row.uuid: row for row in own.select_related("speaker")}
    # A speaker may have been forgotten since.
    speakers = Speaker.objects.in_bulk({s.speaker for s in changes.states if s.speaker is not None})
    for state in changes.states:
        row = rows[state.voice] = rows.get(state.voice) or Voice(session_id=session_pk, uuid=state.voice)
        if not row.is_named_by_person:
            row.speaker = None if state.speaker is None else speakers.get(state.speaker)
        is_known = row.speaker_id == state.speaker
        row.model_id = changes.model_id
        row.sealed_mean = seal(state.mean) if is_known and state.mean is not None else None
        row.speech_s = state.speech_s if row.sealed_mean else 0.0
        set_pairs(row, state.apart)
        give_number(row)
        row.save()
    return rows


def rows_for(
    session_pk: int,
    wanted: Iterable[uuid.UUID],
    changes: VoiceChanges,
    stored: Mapping[uuid.UUID, Voice],
) -> dict[uuid.UUID, Voice]:
    """Return the rows of the voices that lines were given to before `changes` were found out.

    Args:
        stored: The rows that `store` has returned; others are read.
    """
    merged = {r.gone: r.kept for r in changes.revisions if isinstance(r, VoicesMerged)}
    keys = {key: _follow(key, merged) for key in wanted}
    rows = {key: row for key, row in stored.items() if row.merged_into_id is None}
    if unread := set(keys.values()) - rows.keys():
        others = Voice.objects.filter(session=session_pk, uuid__in=unread)
        for row in others.select_related("speaker", "merged_into__speaker"):
            rows[row.uuid] = row.merged_into or row
    for key in unread - rows.keys():
        # The tracker gave this voice up before it was ever stored.
        rows[key] = Voice(session_id=session_pk, uuid=key)
        give_number(rows[key])
        rows[key].save()
    return {key: rows[last] for key, last in keys.items()}


def revise(session_pk: int, revisions: Iterable[Revision]) -> None:
    """Correct earlier lines; to be called in a transaction that owns the session, after `store`.

    Lines whose speaker a person set stay as they are.
    """
    changed: set[int] = set()
    for revision in revisions:
        match revision:
            case VoiceIdentified(key, _):
                # `store` has named it.
                changed.update(lines_with(Q(session=session_pk, uuid=key)))
            case VoicesMerged(kept, gone):
                changed.update(_merge(session_pk, kept, gone))
            case LineMoved(seq, key, score):
                line = Utterance.objects.filter(session=session_pk, seq=seq, is_voice_locked=False)
                voice = Voice.objects.filter(session=session_pk, uuid=key).first()
                if voice and line.update(voice=voice, score=score):
                    changed.update(line.values_list("pk", flat=True))
    if changed:
        number_changes(session_pk, changed)


def number_changes(session_pk: int, lines: Iterable[int]) -> None:
    """Give lines that changed the next revision numbers, so that readers ask for them; in a transaction."""
    rows = list(Utterance.objects.filter(pk__in=list(lines)).order_by("start", "id").only("pk", "revision"))
    if not rows:
        return
    Session.objects.filter(pk=session_pk).update(last_revision=F("last_revision") + len(rows))
    last = Session.objects.values_list("last_revision", flat=True).get(pk=session_pk)
    for revision, row in enumerate(rows, last - len(rows) + 1):
        row.revision = revision
    Utterance.objects.bulk_update(rows, ["revision"], batch_size=500)
    outbox.tell_lines(Event.LINE_REVISED, session_pk, [(row.pk, row.revision) for row in rows])


def lines_with(voices: Q) -> list[int]:
    """Return the keys of the lines in which such voices speak, with words or without."""
    chosen = Voice.objects.filter(voices)
    said = Utterance.objects.filter(voice__in=chosen).order_by().values_list("pk")
    overlapped = Overlap.objects.filter(voice__in=chosen).order_by().values_list("utterance")
    return [pk for (pk,) in said.union(overlapped)]


def give_number(voice: Voice) -> None:
    """Give a stranger without a number the next one of the session; not saved."""
    if voice.speaker_id is None and voice.number is None:
        last = Voice.objects.filter(session=voice.session_id).aggregate(last=Max("number"))["last"]
        voice.number = (last or 0) + 1


def merge_rows(kept: Voice, gone: Voice) -> None:
    """Give the lines of one voice to another, but those that a person gave to it; in a transaction."""
    gone.utterances.filter(is_voice_locked=False).update(voice=kept)
    gone.overlaps.update(voice=kept)
    Voice.objects.filter(merged_into=gone).update(merged_into=kept)
    _join_pairs(kept, gone)
    gone.merged_into, gone.sealed_mean, gone.speech_s = kept, None, 0.0
    gone.save(update_fields=["merged_into", "sealed_mean", "speech_s", "apart"])


def forget_sounds(session_pk: int) -> None:
    """Delete the means of a session's voices: once it is over nobody needs them."""
    Voice.objects.filter(session=session_pk).update(sealed_mean=None, speech_s=0.0, model_id="")


def pairs_of(voice: Voice) -> frozenset[uuid.UUID]:
    """Return the voices that were heard at the same time as this one."""
    return frozenset(map(uuid.UUID, voice.apart))


def set_pairs(voice: Voice, apart: Iterable[uuid.UUID]) -> None:
    """Note the voices that were heard at the same time as this one; not saved."""
    voice.apart = sorted(str(key) for key in set(apart) - {voice.uuid})


def part(one: Voice, other: Voice) -> None:
    """Note that two voices of a session are two people; in a transaction."""
    for voice, partner in ((one, other), (other, one)):
        set_pairs(voice, pairs_of(voice) | {partner.uuid})
        voice.save(update_fields=["apart"])


def carry_pairs(voices: Sequence[tuple[Voice, Voice]]) -> None:
    """Let voices be apart in another session as they were in theirs; in a transaction.

    Args:
        voices: Each with what it became there, itself perhaps.
    """
    became = {before.uuid: after for before, after in voices}
    apart = [(before, after, pairs_of(before)) for before, after in voices]
    for before, after, others in apart:
        known = frozenset() if after is before else pairs_of(after)
        set_pairs(after, known | {became[key].uuid for key in others if key in became})
        after.save(update_fields=["apart"])


def _join_pairs(kept: Voice, gone: Voice) -> None:
    """Let a voice be apart from all that the other one was apart from; `gone` is not saved."""
    for partner in Voice.objects.filter(session=kept.session_id, uuid__in=pairs_of(gone) - {kept.uuid}):
        set_pairs(partner, pairs_of(partner) - {gone.uuid} | {kept.uuid})
        partner.save(update_fields=["apart"])
    set_pairs(kept, (pairs_of(kept) | pairs_of(gone)) - {gone.uuid})
    set_pairs(gone, [])
    kept.save(update_fields=["apart"])


def _follow(key: uuid.UUID, merged: Mapping[uuid.UUID, uuid.UUID]) -> uuid.UUID:
    while key in merged:
        key = merged[key]
    return key


def _merge(session_pk: int, kept_key: uuid.UUID, gone_key: uuid.UUID) -> set[int]:
    """Give the lines of one voice to another, and return the keys of those in which it speaks."""
    rows = {row.uuid: row for row in Voice.objects.filter(session=session_pk, uuid__in=[kept_key, gone_key])}
    kept, gone = rows.get(kept_key), rows.get(gone_key)
    if kept is None or gone is None:
        return set()
    locked = gone.utterances.filter(is_voice_locked=True).values_list("pk", flat=True)
    lines = set(lines_with(Q(pk=gone.pk))) - set(locked)
    merge_rows(kept, gone)
    return lines
