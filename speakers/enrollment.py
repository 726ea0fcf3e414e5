"""Enrollment, from a recording to a voiceprint: a worker judges it, a person decides, then it is stored."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import soundfile
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from audit import log
from audit.models import Action
from recognition.audio import SAMPLE_RATE, seconds
from speakers.voiceprints.assessment import Problem
from speakers.voiceprints.identification import Gallery

from . import jobs
from .exceptions import EnrollmentError
from .fields import seal
from .gallery_changes import gallery_changed
from .jobs import RunningJob, in_database
from .listening import ListenedRecording, by_embedder, embedder_of, listen
from .models import Consent, ConsentText, Enrollment, Job, Speaker, Voiceprint
from .voiceprints import assessment

ASSESS = "assess"
"""The job of judging an enrollment; its subject is the enrollment's key."""

REEMBED = "reembed"
"""The job of hearing kept recordings with more models; its subject is the key of one speaker, or empty for
all voiceprints that the models have not heard."""

NEAREST = 3
"""Most similar speakers that a verdict names."""

SAME_FROM = 3.0
"""Log-odds from which two recordings are taken to be of one person."""

SEVERAL_BELOW = -1.0
"""Log-odds below which the parts of a recording are taken to be of two."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A worker's judgement of a recording."""

    length_s: float
    speech_s: float
    snr_db: float
    clipped: float
    likeness: float
    """Log-odds that its two least alike parts are of one person."""

    nearest: list[tuple[int, float]]
    """Keys of the most similar enrolled speakers, with the log-odds that it is they."""

    problems: list[Problem]

    @classmethod
    def of(cls, enrollment: Enrollment) -> Verdict | None:
        """Read the verdict on a recording; None while no worker has listened."""
        if enrollment.verdict is None:
            return None
        known = dict(enrollment.verdict)
        known["nearest"] = [(speaker, score) for speaker, score in known["nearest"]]
        known["problems"] = [Problem(problem) for problem in known["problems"]]
        return cls(**known)

    @property
    def can_be_stored(self) -> bool:
        return not any(problem.is_fatal for problem in self.problems)

    @property
    def is_good(self) -> bool:
        """Without anything that a person would have to think about."""
        doubtful = {Problem.SEVERAL_VOICES, Problem.LIKE_ANOTHER, Problem.UNLIKE_OWN}
        return self.can_be_stored and not doubtful & set(self.problems)


def record_consent(speaker: Speaker, text: ConsentText, *, by: User | None, **detail: Any) -> Consent:
    """Write down that a person agreed; it expires after `settings.CONSENT_DAYS`, if that is set.

    Args:
        by: Who saw it; None if the person did it themselves, by a link.
        detail: More for the log.
    """
    days = settings.CONSENT_DAYS
    with transaction.atomic():
        consent = Consent.objects.create(
            speaker=speaker,
            text=text,
            recorded_by=by,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        log.record(Action.CONSENT_RECORDED, by=by, speaker=speaker.uuid, text=text.pk, **detail)
    return consent


def current_consent_text() -> ConsentText | None:
    """Return the wording in force, in the language of the request if there is one."""
    texts = ConsentText.objects.exclude(language="")
    return texts.filter(language=get_language() or "").first() or texts.first()


def valid_consent(speaker: Speaker) -> Consent | None:
    """Return the newest consent that has not run out."""
    return next((consent for consent in speaker.consents.all() if consent.is_valid), None)


def begin(
    audio: np.ndarray,
    *,
    source: Voiceprint.Source,
    by: User,
    speaker: Speaker | None = None,
    consent: Consent | None = None,
) -> Enrollment:
    """Keep a recording until somebody decides, and ask a worker for its verdict.

    Args:
        audio: float32 in [-1, 1], 16 kHz, shape (n,).
        speaker: Whose voice it is, if that is known.
        consent: With it, a good recording is stored at once.
    """
    with transaction.atomic():
        enrollment = Enrollment(speaker=speaker, source=source, created_by=by, consent=consent)
        enrollment.audio.save(f"{enrollment.uuid}.flac", ContentFile(to_flac(audio)), save=False)
        enrollment.save()
        jobs.ask_for(ASSESS, str(enrollment.uuid), by=by)
    return enrollment


def drafts_of(user: User) -> QuerySet[Enrollment]:
    """Return the recordings that a user may decide on: their own; superusers everybody's."""
    drafts = Enrollment.objects.select_related("speaker")
    return drafts if user.is_superuser else drafts.filter(created_by=user)


def assessment_of(draft: Enrollment) -> Job | None:
    """Return the job of judging a recording."""
    return Job.objects.filter(kind=ASSESS, subject=str(draft.uuid)).first()


def approve(draft: Enrollment, speaker: Speaker, *, by: User) -> Voiceprint:
    """Store a recording that a person decided on, under a consent that is valid now.

    Raises:
        EnrollmentError: If there is no such consent, or the recording cannot be stored.
    """
    consent = valid_consent(speaker)
    if consent is None:
        raise EnrollmentError(_("The consent was withdrawn or has expired."))
    return store(draft, speaker, consent, by=by)


def store(enrollment: Enrollment, speaker: Speaker, consent: Consent, *, by: User | None) -> Voiceprint:
    """Make a voiceprint of it.

    Raises:
        EnrollmentError: If no worker has judged it, there is too little speech in it, or it is gone.
        ValidationError: If the consent is somebody else's, or has expired.
    """
    verdict = Verdict.of(enrollment)
    if verdict is None or enrollment.sealed_embedding is None:
        raise EnrollmentError(_("The recording has not been judged yet."))
    if not verdict.can_be_stored:
        raise EnrollmentError(describe(Problem.TOO_SHORT))
    with transaction.atomic():
        # Locked: asked for twice at once, it becomes one voiceprint and not two.
        if not Enrollment.objects.select_for_update().filter(pk=enrollment.pk).exists():
            raise EnrollmentError(_("There is no such recording: it may have been stored or deleted."))
        voiceprint = _new_voiceprint(enrollment, verdict, speaker=speaker, consent=consent, created_by=by)
        voiceprint.save()
        gallery_changed(speaker.pk)
        log.record(
            Action.ENROLLED,
            by=by,
            speaker=speaker.uuid,
            voiceprint=str(voiceprint.uuid),
            source=voiceprint.source,
            problems=verdict.problems,
        )
        enrollment.delete()
    return voiceprint


def _new_voiceprint(enrollment: Enrollment, verdict: Verdict, **people: Any) -> Voiceprint:
    """Return a voiceprint with a copy of the recording; the row is not saved."""
    voiceprint = Voiceprint(
        **people,
        model_id=enrollment.model_id,
        sealed_embedding=enrollment.sealed_embedding,
        speech_s=verdict.speech_s,
        snr_db=verdict.snr_db,
        source=enrollment.source,
    )
    with enrollment.audio.open() as recording:
        voiceprint.audio.save(f"{voiceprint.uuid}.flac", recording, save=False)
    return voiceprint


@jobs.does(ASSESS, label=gettext_lazy("listen to a recording"))
async def assess(task: RunningJob) -> None:
    """Listen to an enrollment; store it at once if it is good and its consent is there."""
    enrollment = await in_database(_find, task.job.subject)
    if enrollment is None:
        return  # it was withdrawn
    audio = await in_database(_audio, enrollment)
    heard = await listen(task.engine, audio)
    verdict = judge(heard, task.gallery, length_s=seconds(len(audio)), speaker_pk=enrollment.speaker_id)
    model_id = embedder_of(task.engine).model_id
    others = [other for other in by_embedder(task.others) if other != model_id]
    await in_database(_conclude, enrollment, verdict, heard, model_id, others)


def judge(heard: ListenedRecording, gallery: Gallery, *, length_s: float, speaker_pk: int | None) -> Verdict:
    """Judge a recording: what speaks for and against enrolling it.

    Args:
        speaker_pk: Whose voice it is meant to be; None for somebody new.
    """
    sound = heard.sound
    if not len(heard.embeddings):
        return Verdict(length_s, sound.speech_s, sound.snr_db, sound.clipped, 0.0, [], [Problem.TOO_SHORT])
    scoring = gallery.scoring
    voice = scoring.voices(heard.voice[None], np.array([sound.speech_s]))
    odds = scoring.log_odds(voice, gallery.voices)[0]
    best = np.argsort(odds)[::-1][:NEAREST]
    nearest = [(int(gallery.speakers[i]), float(odds[i])) for i in best]
    own = None if speaker_pk is None else gallery.voice(speaker_pk)
    likeness = assessment.likeness_of_parts(heard.embeddings, heard.seconds, scoring)
    found = assessment.problems(
        sound,
        likeness=likeness,
        several_below=SEVERAL_BELOW,
        nearest=nearest,
        same_from=SAME_FROM,
        speaker_pk=speaker_pk,
        own_score=None if own is None else float(scoring.log_odds(voice, own)[0, 0]),
    )
    return Verdict(length_s, sound.speech_s, sound.snr_db, sound.clipped, likeness, nearest, found)


def _find(key: str) -> Enrollment | None:
    return Enrollment.objects.select_related("speaker", "consent", "created_by").filter(pk=key).first()


def _audio(enrollment: Enrollment) -> np.ndarray:
    with enrollment.audio.open() as file:
        return from_flac(file.read())


def _conclude(
    enrollment: Enrollment, verdict: Verdict, heard: ListenedRecording, model_id: str, others: Sequence[str]
) -> None:
    with transaction.atomic():
        enrollment.verdict = asdict(verdict)
        enrollment.model_id = model_id
        if len(heard.embeddings):
            enrollment.sealed_embedding = seal(heard.voice)
        if not Enrollment.objects.filter(pk=enrollment.pk).exists():
            return  # it was withdrawn meanwhile
        enrollment.save(update_fields=["verdict", "model_id", "sealed_embedding"])
        if enrollment.consent and enrollment.speaker and verdict.is_good:
            store(enrollment, enrollment.speaker, enrollment.consent, by=enrollment.created_by)
            for other in others:
                jobs.ask_for(REEMBED, model_id=other)


def describe(problem: Problem) -> str:
    """Say what is wrong, and what to do."""
    words = {
        Problem.TOO_SHORT: _("There is too little speech: speak for at least three seconds."),
        Problem.SEVERAL_VOICES: _("More than one person seems to speak. Record one person alone."),
        Problem.NOISY: _("It is noisy. Record in a quiet place, closer to the microphone."),
        Problem.CLIPPED: _("It is too loud and distorted. Speak more softly or turn the microphone down."),
        Problem.LITTLE_SPEECH: _("A longer recording, of ten seconds or more, is recognised more reliably."),
        Problem.LIKE_ANOTHER: _("It sounds like someone else who is enrolled."),
        Problem.UNLIKE_OWN: _("It does not sound like this speaker’s enrolled voice."),
    }
    return words[problem]


def to_flac(audio: np.ndarray) -> bytes:
    """Encode float32 samples at 16 kHz, shape (n,)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def from_flac(data: bytes) -> np.ndarray:
    """Decode what `to_flac` made: float32, shape (n,)."""
    audio: np.ndarray = soundfile.read(io.BytesIO(data), dtype="float32")[0]
    return audio


def kept_recording(voiceprint_pk: int) -> np.ndarray | None:
    """Read the recording of a voiceprint, float32, shape (n,); None if there is none (any more).

    Raises:
        Undecipherable: If the key of the voiceprints is gone.
    """
    voiceprint = Voiceprint.objects.filter(pk=voiceprint_pk).exclude(audio="").first()
    if voiceprint is None:
        return None
    try:
        with voiceprint.audio.open() as file:
            return from_flac(file.read())
    except FileNotFoundError:
        return None
