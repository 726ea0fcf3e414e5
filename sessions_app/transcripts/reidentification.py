"""Identification of the speakers of a session that is over, with everybody who is enrolled by now."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognition.audio import seconds
from recognition.core.turns import MAX_VOICE, MIN_VOICE
from recognition.interfaces import Span
from sessions_app.models import Session, Utterance, Voice
from sessions_app.recordings import files
from sessions_app.store import voices
from sessions_app.store.voices import VoiceChanges
from sessions_app.wire import layer_messages
from speakers import calibration, jobs, listening, notify
from speakers.exceptions import JobFailed
from speakers.jobs import RunningJob, in_database
from speakers.voiceprints.tracking import SpeakerTracker, VoiceState

REIDENTIFY = "reidentify"
"""The job; its subject is the key of the session's row."""

LINES_PER_VOICE = 40
"""The longest lines of a voice; more of them tell nothing new."""


@jobs.does(REIDENTIFY, label=gettext_lazy("identify the speakers of a meeting again"), is_long=True)
async def reidentify(task: RunningJob) -> dict[str, Any] | None:
    """Hear every voice of the session again, and compare it with the enrolled ones.

    What a person said about a voice or a line holds.
    """
    session_pk = int(task.job.subject)
    heard = await in_database(_stretches, session_pk)
    if heard is None:
        return None  # it was deleted
    states = []
    for done, (voice, spans) in enumerate(heard.items()):
        await task.report(done, len(heard))
        pieces = [await in_database(_audio, session_pk, span) for span in spans]
        pieces = [piece for piece in pieces if len(piece) >= MIN_VOICE]
        embeddings = await listening.embed(task.engine, pieces)
        states.append(await in_database(_state, voice, embeddings, [len(piece) for piece in pieces]))
    options = await in_database(calibration.options, task.gallery.model_id)
    tracker = SpeakerTracker(task.gallery, options, states)
    tracker.set_gallery(task.gallery)
    lines = await in_database(_conclude, session_pk, tracker)
    await task.report(len(heard), len(heard))
    return {"voices": len(heard), "lines_corrected": lines}


def _stretches(session_pk: int) -> dict[int, list[Span]] | None:
    """Return the spans in which to hear each voice, by key of its row; None if there is no such session.

    Raises:
        JobFailed: If it is still live.
    """
    row = Session.objects.filter(pk=session_pk).first()
    if row is None:
        return None
    if not row.has_ended:
        raise JobFailed(_("The meeting is not over yet: its voices are compared as it goes along."))
    found: defaultdict[int, list[Span]] = defaultdict(list)
    lines = Utterance.objects.filter(session=session_pk, is_removed=False, voice__merged_into=None)
    for voice, start, end in lines.exclude(voice=None).values_list("voice", "start", "end"):
        found[voice].append((start, min(end, start + MAX_VOICE)))
    longest = {
        voice: sorted(spans, key=lambda span: span[0] - span[1])[:LINES_PER_VOICE]
        for voice, spans in found.items()
    }
    return dict(sorted(longest.items()))


def _audio(session_pk: int, span: Span) -> np.ndarray:
    return files.to_float32(files.read(session_pk, *span))


def _state(voice: int, embeddings: np.ndarray, lengths: list[int]) -> VoiceState:
    row = Voice.objects.get(pk=voice)
    weights = np.array([seconds(length) for length in lengths])
    mean = weights @ embeddings / weights.sum() if len(lengths) else None
    return VoiceState(
        row.uuid,
        row.speaker_id,
        row.is_named_by_person,
        None if mean is None else mean.astype(np.float32),
        float(weights.sum()),
        voices.pairs_of(row),
    )


def _conclude(session_pk: int, tracker: SpeakerTracker) -> int:
    """Correct the lines, and return how many were corrected."""
    changes = VoiceChanges(tracker.model_id, tracker.changed_voices(), tracker.take_revisions())
    with transaction.atomic():
        row = Session.objects.select_for_update().get(pk=session_pk)
        voices.store(session_pk, changes)
        voices.revise(session_pk, changes.revisions)
        voices.forget_sounds(session_pk)
        transaction.on_commit(
            lambda: notify.send(
                layer_messages.session_group(row.key), layer_messages.changed_message(row.key)
            )
        )
        return Session.objects.values_list("last_revision", flat=True).get(pk=session_pk) - row.last_revision
