"""Enrolled people, their voices and their consent; and the work on them that needs models."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from .fields import SealedField, encrypted_storage, seal, unseal


class Speaker(models.Model):
    """A person who may be recognised by voice."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(
        cascade_delete_history=True,
        verbose_name=_("version of a speaker"),
        verbose_name_plural=_("versions of speakers"),
    )

    class Meta:
        verbose_name = _("speaker")
        verbose_name_plural = _("speakers")
        ordering: ClassVar = ["name"]
        permissions: ClassVar = [
            ("enroll_speaker", _("Can enroll voices")),
            ("merge_speaker", _("Can merge speakers")),
            ("export_speaker", _("Can export all that is kept of a speaker")),
        ]

    def __str__(self) -> str:
        return self.name


class ConsentText(models.Model):
    """A text that people agree to before their voice is enrolled. A new wording is a new text."""

    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    """Empty for one that is offered to nobody: that of the sample meeting."""

    created_at = models.DateTimeField(_("in force since"), auto_now_add=True)

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.pk}: {Truncator(self.text).chars(60)}"


class Consent(models.Model):
    """A person agreed to be recognised by voice: to which text, when, and who saw it.

    To withdraw it is to delete it: what was enrolled under it goes with it.
    """

    speaker = models.ForeignKey(Speaker, models.CASCADE, related_name="consents", verbose_name=_("speaker"))
    text = models.ForeignKey(ConsentText, models.PROTECT, verbose_name=_("text"))
    given_at = models.DateTimeField(_("given"), default=timezone.now)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        verbose_name=_("recorded by"),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering: ClassVar = ["-given_at"]

    def __str__(self) -> str:
        # No name: what the admin logs about this outlives the speaker.
        return f"{timezone.localtime(self.given_at):%Y-%m-%d}"

    @property
    def is_valid(self) -> bool:
        return self.expires_at is None or self.expires_at > timezone.now()


class Voiceprint(models.Model):
    """One enrolled sample of a speaker's voice: the recording and its embedding, both encrypted."""

    class Source(models.TextChoices):
        UPLOAD = "upload", _("uploaded")
        MICROPHONE = "microphone", _("recorded in the browser")
        TRANSCRIPT = "transcript", _("taken from a transcript")
        INVITATION = "invitation", _("recorded by themselves")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    speaker = models.ForeignKey(
        Speaker, models.CASCADE, related_name="voiceprints", verbose_name=_("speaker")
    )
    consent = models.ForeignKey(
        Consent, models.CASCADE, related_name="voiceprints", verbose_name=_("consent")
    )
    model_id = models.CharField(_("model"), max_length=100, editable=False)
    """Embeddings of different models are never compared."""

    sealed_embedding = SealedField()
    audio = models.FileField(
        _("recording"), upload_to="voiceprints/", storage=encrypted_storage, editable=False
    )
    """FLAC, 16 kHz mono."""

    speech_s = models.FloatField(_("seconds of speech"), editable=False)
    snr_db = models.FloatField(_("signal-to-noise ratio (dB)"), null=True, editable=False)
    source = models.CharField(_("source"), max_length=10, choices=Source, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        verbose_name=_("enrolled by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("voiceprint")
        verbose_name_plural = _("voiceprints")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        # No name: what the admin logs about this outlives the speaker.
        return f"{self.speech_s:.1f} s"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises `ValidationError` without a valid consent of the same speaker."""
        if self.consent.speaker_id != self.speaker_id:
            raise ValidationError(_("The consent is somebody else's."))
        if self._state.adding and not self.consent.is_valid:
            raise ValidationError(_("The consent has expired."))
        super().save(*args, **kwargs)

    @property
    def embedding(self) -> np.ndarray:
        """float32, shape (d,), unit length. Raises `Undecipherable` if the key is gone."""
        return unseal(self.sealed_embedding)

    @embedding.setter
    def embedding(self, values: np.ndarray) -> None:
        self.sealed_embedding = seal(values)


class VoiceprintEmbedding(models.Model):
    """A voiceprint as one more model hears it: sessions are recognised by different ones."""

    voiceprint = models.ForeignKey(Voiceprint, models.CASCADE, related_name="embeddings")
    model_id = models.CharField(max_length=100)
    sealed_embedding = SealedField(null=True)
    """None if this model finds no speech in the recording, or there is none any more."""

    speech_s = models.FloatField(default=0.0)

    class Meta:
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["voiceprint", "model_id"], name="one_embedding_per_model"),
        ]

    def __str__(self) -> str:
        return f"{self.speech_s:.1f} s"


class Enrollment(models.Model):
    """A recording on its way to becoming a voiceprint: first the verdict, then a person's decision."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    speaker = models.ForeignKey(
        Speaker, models.CASCADE, null=True, blank=True, related_name="enrollments", verbose_name=_("speaker")
    )
    """None while it is not decided whose voice it is."""

    source = models.CharField(_("source"), max_length=10, choices=Voiceprint.Source)
    audio = models.FileField(_("recording"), upload_to="enrollments/", storage=encrypted_storage)
    model_id = models.CharField(_("model"), max_length=100, blank=True)
    sealed_embedding = SealedField(null=True)
    verdict = models.JSONField(_("verdict"), null=True)
    """See `speakers.enrollment.Verdict`; None until a worker has listened."""

    consent = models.ForeignKey(
        Consent, models.CASCADE, null=True, related_name="+", verbose_name=_("consent")
    )
    """If given, a good recording is stored without asking again."""

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("by"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("enrollment")
        verbose_name_plural = _("enrollments")
        ordering: ClassVar = ["-created_at"]
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return str(self.uuid)


class Invitation(models.Model):
    """A link by which one person agrees and records their own voice, without a login."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    speaker = models.ForeignKey(Speaker, models.CASCADE, related_name="invitations")
    consent = models.ForeignKey(Consent, models.SET_NULL, null=True, related_name="+")
    """Given by the link; None until then, and when it was withdrawn."""

    enrollment = models.ForeignKey(Enrollment, models.SET_NULL, null=True, related_name="+")
    """The recording that is judged, or waits for a decision."""

    takes = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_over(self) -> bool:
        """Tell whether it takes no more recordings."""
        return self.expires_at <= timezone.now()


class GalleryChange(models.Model):
    """The enrolled voices of a speaker changed; workers read these in order."""

    speaker = models.BigIntegerField()
    """Key of the speaker, who may be gone."""

    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"speaker {self.speaker}"


class Calibration(models.Model):
    """The comparison of one model's voices, and the limits for a name; see `speakers.calibration`."""

    model_id = models.CharField(_("model"), max_length=100, unique=True)
    threshold = models.FloatField(
        _("threshold"),
        validators=[MinValueValidator(0.5), MaxValueValidator(0.9999)],
        help_text=_("Least score, between 0.5 and 1, at which a voice gets a name."),
    )
    margin = models.FloatField(
        _("margin"),
        validators=[MinValueValidator(0.0), MaxValueValidator(20.0)],
        help_text=_("Least lead over the second most similar speaker, in log-odds."),
    )
    shortest_speech_s = models.FloatField(
        _("shortest speech (s)"),
        validators=[MinValueValidator(0.0), MaxValueValidator(60.0)],
        help_text=_("Less speech than this names nobody."),
    )
    sealed_scoring = SealedField(null=True)
    """Cohort and weights of `speakers.voiceprints.scoring.Scoring`; None for those
    that come with the model."""

    measured = models.JSONField(_("measured"), default=dict, editable=False)
    """What it rests on: error rates by seconds of speech."""

    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("calibration")
        verbose_name_plural = _("calibrations")

    def __str__(self) -> str:
        return self.model_id


class Job(models.Model):
    """Work that needs a model, or takes long: a recognition worker does it, see `speakers.jobs`."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    kind = models.CharField(_("kind"), max_length=50)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    """Key of what it is about."""

    model_id = models.CharField(max_length=100, blank=True, db_default="", editable=False)
    """The model that it needs for voices; empty for any that a worker has."""

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED, db_index=True)
    steps_done = models.PositiveIntegerField(_("steps done"), default=0)
    steps = models.PositiveIntegerField(_("steps"), default=0)
    result = models.JSONField(_("result"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    worker = models.CharField(max_length=100, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    """A running job whose worker does not prolong this may be taken by another; a waiting one, not before."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, verbose_name=_("asked for by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")
        ordering: ClassVar = ["-created_at"]
        default_permissions: ClassVar = ["view"]

    def __str__(self) -> str:
        return f"#{self.pk}"
