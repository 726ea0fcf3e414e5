"""Sessions, the voices in them, their utterances, and who may take part."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from recognition.audio import seconds
from recognition.hotwords import (
    DEFAULT_WEIGHT,
    MAX_HOTWORDS,
    MAX_LENGTH,
    MAX_WEIGHT,
    MIN_WEIGHT,
    Refusal,
    normal,
    refusal,
)
from recognition.scripts import SIMPLIFIED
from speakers.fields import SealedField
from speakers.models import Speaker

from .access import browsers
from .cells.placement import HOME
from .naming import name_of

SAMPLE_TITLE = gettext_noop("Sample meeting")
"""Title of the meeting that a new installation shows; kept in English, shown in the reader's language."""

MAX_FAILURES = 8
"""So often recognition fails at the same place of a session; then the session ends."""


MAX_AGENT_LENGTH = 300

LAST_USE_S = 600.0
"""How exactly the last use of a token is known."""


class Tag(models.Model):
    """A word that people put to meetings; a meeting may have many."""

    name = models.CharField(_("name"), max_length=50, unique=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Folder(models.Model):
    """A place for meetings that belong together; a meeting is in one, or in none."""

    name = models.CharField(_("name"), max_length=50, unique=True)

    class Meta:
        verbose_name = _("folder")
        verbose_name_plural = _("folders")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Cell(models.Model):
    """A Redis with workers of its own, where a share of the sessions lives."""

    name = models.CharField(max_length=40, unique=True)
    sealed_address = SealedField(null=True)
    """Of its Redis, with the password; None for that of REDIS_URL."""

    takes_new = models.BooleanField(default=True)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions: ClassVar = []
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Session(models.Model):
    """One meeting or broadcast: a stream of audio and what was said in it. Positions are samples."""

    class State(models.TextChoices):
        LIVE = "live", _("live")
        PAUSED = "paused", _("waiting for the microphone")
        DRAINING = "draining", _("finishing")
        ENDED = "ended", _("ended")

    class ClosedBy(models.TextChoices):
        """Causes of an end, as `wire.protocol.ClosedBy`."""

        SENDER = "sender", _("the microphone")
        ABSENCE = "absence", _("absence of the microphone")
        PERSON = "person", _("a person")
        LIMIT = "limit", _("the longest duration")
        FAILURE = "failure", _("failed recognition")

    key = models.CharField(_("meeting ID"), max_length=128, unique=True)
    """Names the session in addresses, as its clients chose it."""

    title = models.CharField(_("title"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.LIVE)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("owner")
    )
    model_set = models.CharField(_("model set"), max_length=100)
    created_at = models.DateTimeField(_("started"), auto_now_add=True, db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    closed_by = models.CharField(
        _("ended by"), max_length=10, choices=ClosedBy, blank=True, db_default="", editable=False
    )
    sender_resumes = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether its last sender connects again by itself, with all its audio: it is waited for longer."""

    awaited_until = models.DateTimeField(null=True, editable=False)
    """For how long its sender is waited for, which is away; None while it is there."""

    continues = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="continued_in",
        verbose_name=_("continues"),
    )
    """The session whose end its sender missed, and whose recording goes on here."""

    cell = models.CharField(max_length=40, default=HOME, db_default=HOME, editable=False)
    """Name of the cell whose Redis holds its audio and whose workers recognise it."""

    epoch = models.PositiveIntegerField(default=0, editable=False)
    """Counts the workers that owned the session; a commit under an older epoch is refused."""

    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    """Failures of recognition since it last got further."""

    durable = models.BigIntegerField(default=0, editable=False)
    """All audio before this position is recognised, committed and on disk."""

    recorded = models.BigIntegerField(default=0, db_default=0, editable=False)
    """All audio before this position is on disk: a process left it there, half a sentence not recognised."""

    last_seq = models.PositiveIntegerField(default=0, editable=False)
    """Number of the last final."""

    last_revision = models.PositiveIntegerField(default=0, editable=False)
    """Number of the last change to a line that was final before."""

    last_note = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """Number of the last change to its notes; readers who know a lower one ask for them again."""

    last_translation = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """Number of the last change to the translations of its lines."""

    is_kept = models.BooleanField(
        _("keep for good"),
        default=False,
        help_text=_("Old meetings are deleted automatically; this one stays."),
    )

    folder = models.ForeignKey(
        Folder,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="sessions",
        verbose_name=_("folder"),
    )
    tags = models.ManyToManyField(
        Tag, blank=True, editable=False, related_name="sessions", verbose_name=_("tags")
    )

    expected_speakers = models.ManyToManyField(
        Speaker, blank=True, editable=False, related_name="expected_in", verbose_name=_("expected speakers")
    )
    """Those of whom it is known before that they may speak; others may as well."""

    itn = models.BooleanField(default=True, db_default=False, editable=False)
    """Whether finished lines have their numbers in digits (inverse text normalisation)."""

    script = models.CharField(max_length=12, default=SIMPLIFIED, db_default=SIMPLIFIED, editable=False)
    """In which characters its lines are written."""

    language = models.CharField(max_length=8, blank=True, db_default="", editable=False)
    """Code of the language that is spoken, as "zh"; empty: the models find it out, or know one."""

    hotwords = models.JSONField(default=list, db_default=[], editable=False)
    """Words that are likely to be said, of this session alone: text and weight of each."""

    trashed_at = models.DateTimeField(null=True, editable=False)
    """When it was put into the trash; until it is taken out, it is in no list, search or receiver."""

    no_language_model = models.BooleanField(
        _("never sent to a language model"), default=False, db_default=False, editable=False
    )

    minutes_template = models.ForeignKey(
        "MinutesTemplate", models.SET_NULL, null=True, editable=False, related_name="+"
    )
    """By which a language model was last asked for minutes; None for none, or that of a team."""

    # Drawn from the lines by a worker (`catalogue.overviews`), so that a list need not read them.
    drawn_title = models.CharField(max_length=80, blank=True, db_default="", editable=False)
    talk_picture = models.CharField(max_length=200, blank=True, db_default="", editable=False)
    """Who spoke when: see `catalogue.talk_picture`."""

    overview_seq = models.IntegerField(default=-1, db_default=-1, editable=False)
    overview_revision = models.IntegerField(default=-1, db_default=-1, editable=False)
    """`last_seq` and `last_revision` of the lines that these were drawn from; -1 before they were."""

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        ordering: ClassVar = ["-created_at"]
        permissions: ClassVar = [
            ("send_session", _("Can record meetings")),
            ("export_session", _("Can export transcripts and recordings")),
            ("comment_session", _("Can comment on meetings")),
            ("share_session", _("Can share meetings by link")),
            ("view_all_session", _("Can see everyone's meetings")),
        ]
        indexes: ClassVar = [
            # Few of all: lists leave them out, and the trash shows nothing else.
            models.Index(
                fields=["trashed_at"], condition=Q(trashed_at__isnull=False), name="sessions_in_trash"
            ),
            # A handful runs at a time, and pages ask for these all the time.
            models.Index(fields=["state"], name="sessions_by_state"),
        ]

    def __str__(self) -> str:
        title = gettext(SAMPLE_TITLE) if self.title == SAMPLE_TITLE else self.title
        return name_of(title=title, drawn_title=self.drawn_title, key=self.key, begun_at=self.created_at)

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.key])

    @property
    def untitled_name(self) -> str:
        """Return the name that it has while nobody gives it a title."""
        return name_of(title="", drawn_title=self.drawn_title, key=self.key, begun_at=self.created_at)

    @property
    def duration_s(self) -> float:
        return seconds(self.durable)

    @property
    def kept(self) -> int:
        """Return the position from which on audio must still come from its sender."""
        return max(self.durable, self.recorded)

    @property
    def until(self) -> str:
        """Return for how long its sender is waited for, as clients are told; empty while it is there."""
        return self.awaited_until.isoformat(timespec="seconds") if self.awaited_until else ""

    @property
    def has_ended(self) -> bool:
        return self.state == self.State.ENDED

    @property
    def has_failed(self) -> bool:
        """Tell whether it was ended because recognition could not cope with it."""
        return self.has_ended and self.failures >= MAX_FAILURES


class Upload(models.Model):
    """A file that becomes a meeting: it comes in pieces, waits, and is transcribed by a worker."""

    class State(models.TextChoices):
        RECEIVING = "receiving", _("being sent")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being transcribed")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("file name"), max_length=200)
    size = models.BigIntegerField(_("size in bytes"))
    received = models.BigIntegerField(default=0)
    """Bytes that are on disk."""

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVING)
    error = models.CharField(max_length=30, blank=True)
    """Why it failed, in a word: see `uploads.reasons`."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="uploads", verbose_name=_("owner")
    )
    token = models.ForeignKey("AccessToken", models.CASCADE, null=True, related_name="uploads")
    """By which a program sent it."""

    session = models.OneToOneField(Session, models.SET_NULL, null=True, related_name="upload")
    """None until it is begun."""

    # Of the session to be.
    session_key = models.CharField(max_length=128)
    title = models.CharField(max_length=200, blank=True)
    model_set = models.CharField(max_length=100)
    expected = models.JSONField(default=list)
    hotwords = models.JSONField(default=list, db_default=[])
    script = models.CharField(max_length=12, blank=True, db_default="")
    language = models.CharField(max_length=8, blank=True, db_default="")
    itn = models.BooleanField(null=True)
    translate = models.CharField(max_length=8, blank=True, db_default="")
    continues = models.CharField(max_length=128, blank=True)
    recorded_at = models.DateTimeField(null=True)
    """When the file was last changed where it comes from: the end of the recording."""

    samples = models.BigIntegerField(default=0)
    """Of the whole file, as it says; 0 while that is not known."""

    # The worker that has it.
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    """While it is running: another worker may go on after that. While it waits: not before."""

    attempts = models.PositiveIntegerField(default=0)
    """Workers that had it since it last got further, which `progress` tells."""

    progress = models.BigIntegerField(default=0)

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True)
    """When bytes last came."""

    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions: ClassVar = []
        ordering: ClassVar = ["created_at", "pk"]
        indexes: ClassVar = [models.Index(fields=["state"], name="uploads_by_state")]

    def __str__(self) -> str:
        return self.name


UNFINISHED_UPLOADS = [Upload.State.RECEIVING, Upload.State.WAITING, Upload.State.RUNNING]
"""States of files that take up room on the disk."""


class WritingRule(models.Model):
    """A rule of people: what the machine keeps writing wrongly is written otherwise, in lines to come."""

    session = models.ForeignKey(
        Session,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="writing_rules",
        verbose_name=_("meeting"),
        help_text=_("Empty: in every meeting."),
    )
    wrong = models.CharField(_("heard"), max_length=60)
    right = models.CharField(_("written"), max_length=60)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("by")
    )
    made_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("writing rule")
        verbose_name_plural = _("writing rules")
        ordering: ClassVar = ["wrong", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "wrong"], name="one_rule_per_session"),
            models.UniqueConstraint(
                fields=["wrong"], condition=Q(session__isnull=True), name="one_rule_everywhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wrong} → {self.right}"

    def clean(self) -> None:
        if self.wrong == self.right:
            raise ValidationError({"right": _("Both are the same.")})


class CommonHotword(models.Model):
    """A word that is likely to be said in any meeting."""

    text = models.CharField(_("word"), max_length=MAX_LENGTH, unique=True)
    weight = models.PositiveSmallIntegerField(
        _("weight"),
        default=int(DEFAULT_WEIGHT),
        validators=[MinValueValidator(int(MIN_WEIGHT)), MaxValueValidator(int(MAX_WEIGHT))],
        help_text=_("1 to 100: how much rather this word is heard than others that sound like it."),
    )

    class Meta:
        verbose_name = _("hotword")
        verbose_name_plural = _("hotwords")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        self.text = normal(self.text)
        if why := refusal(self.text):
            raise ValidationError({"text": hotword_refusal(why, self.text)})
        if self._state.adding and type(self).objects.count() >= MAX_HOTWORDS:
            told = gettext("There are %(count)d hotwords; more are not possible.")
            raise ValidationError(told % {"count": MAX_HOTWORDS})


def hotword_refusal(why: Refusal, text: str) -> str:
    """Return why a text is no hotword, for people."""
    told = {
        Refusal.EMPTY: gettext("Enter a word."),
        Refusal.SHORT: gettext("“%(word)s” is too short: a hotword has two characters at least."),
        Refusal.LONG: gettext("“%(word)s” is too long: a hotword has ten characters or words at most."),
        Refusal.MARKS: gettext("“%(word)s” has marks that nobody speaks."),
    }
    return told[why] % {"word": text}


class Favourite(models.Model):
    """A mark that a person put to a meeting, for themselves."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites")
    session = models.ForeignKey(Session, models.CASCADE, related_name="favourites")

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "session"], name="one_favourite_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.session}"


class DefaultModels(models.Model):
    """The choice of the model set for sessions whose sender asks for none: one row, or none at all."""

    name = models.CharField(
        _("model set"),
        max_length=100,
        help_text=_(
            "Recognises new meetings for which no models were chosen. "
            "If nothing is set here, the first of ASR_MODELS does."
        ),
    )

    class Meta:
        verbose_name = _("default models")
        verbose_name_plural = _("models")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1  # another would be a second default
        super().save(*args, **kwargs)


def voice_name(speaker: str | None, number: int | None) -> str:
    """Return what a voice is called: by its enrolled speaker's name, or by its number among strangers."""
    if speaker is not None:
        return speaker
    if number is None:
        return gettext("Unknown speaker")
    return gettext("Speaker %(number)d") % {"number": number}


class Voice(models.Model):
    """One voice in one session: an enrolled speaker, or a stranger with a number."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="voices", verbose_name=_("meeting"))
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.PositiveIntegerField(_("number"), null=True, blank=True)
    """1, 2, ... among the strangers of the session, in order of appearance; None for who never was one."""

    speaker = models.ForeignKey(
        Speaker, models.SET_NULL, null=True, blank=True, related_name="voices", verbose_name=_("speaker")
    )
    is_named_by_person = models.BooleanField(_("named by a person"), default=False)
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    """The voice that this one turned out to be; only lines that a person gave to it are left here."""

    # How it sounds: only while the session is live, for another worker to go on with.
    model_id = models.CharField(max_length=100, blank=True, editable=False)
    sealed_mean = SealedField(null=True)
    speech_s = models.FloatField(default=0.0, editable=False)

    apart = models.JSONField(default=list, db_default=[], editable=False)
    """Voices of the session that were heard at the same time, as their uuids: other people, however alike."""

    class Meta:
        verbose_name = _("voice")
        verbose_name_plural = _("voices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "number"], name="one_voice_per_number"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return voice_name(self.speaker.name if self.speaker else None, self.number)

    @property
    def public_id(self) -> str:
        """Return the id that clients see: the enrolled speaker's, else one of this voice alone."""
        return str(self.speaker.uuid if self.speaker else self.uuid)


class Utterance(models.Model):
    """One line of a transcript: what one voice said between two endpoints."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="utterances", verbose_name=_("meeting"))
    seq = models.PositiveIntegerField(_("number"), null=True, blank=True, editable=False)
    """1, 2, ... in the order of the finals; none for a line that a person added."""

    start = models.BigIntegerField(_("start"))
    end = models.BigIntegerField(_("end"))
    text = models.TextField(_("text"))
    """As it stands: the machine's, or a person's correction."""

    is_edited = models.BooleanField(_("edited by a person"), default=False)
    machine_text = models.TextField(_("machine's text"), blank=True, editable=False)
    tokens = models.JSONField(default=list, editable=False)
    """The machine's tokens as [text, start, end], positions in the session."""

    rewrites = models.JSONField(default=list, db_default=[], editable=False)
    """Pieces that are written otherwise than the machine heard them: see `recognition.writing.changes`."""

    language = models.CharField(max_length=16, default="", db_default="", editable=False)
    emotion = models.CharField(max_length=16, default="", db_default="", editable=False)
    events = models.CharField(max_length=120, default="", db_default="", editable=False)
    """How it sounded to the machine, as far as its models tell: see `recognition.interfaces.Tags`."""

    voice = models.ForeignKey(
        Voice,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="utterances",
        verbose_name=_("voice"),
    )
    score = models.FloatField(_("score"), null=True, blank=True)
    """Probability that the voice said this line, in (0, 1); None when there was nothing to compare."""

    is_voice_locked = models.BooleanField(_("speaker set by a person"), default=False)
    revision = models.PositiveIntegerField(default=0, editable=False)
    """Number, in the session, of the last change to this line; readers ask for what came after theirs."""

    is_removed = models.BooleanField(default=False, editable=False)
    """Merged into another line or deleted by a person; kept so that readers can be told."""

    history = HistoricalRecords(
        excluded_fields=["tokens", "machine_text", "rewrites", "language", "emotion", "events"],
        verbose_name=_("version of an utterance"),
        verbose_name_plural=_("versions of utterances"),
    )

    class Meta:
        verbose_name = _("utterance")
        verbose_name_plural = _("utterances")
        ordering: ClassVar = ["session", "start", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "seq"], name="one_utterance_per_seq"),
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="utterance_ends_after_start"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["session", "start"], name="utterances_by_start"),
            models.Index(fields=["session", "revision"], name="utterances_by_revision"),
            # Few of millions: what people changed is looked for in the admin.
            models.Index(fields=["id"], condition=Q(is_edited=True), name="utterances_edited"),
            models.Index(fields=["id"], condition=Q(is_voice_locked=True), name="utterances_voice_locked"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def start_s(self) -> float:
        return seconds(self.start)

    @property
    def end_s(self) -> float:
        return seconds(self.end)


class Overlap(models.Model):
    """Speech of another voice during a line, of which no word could be told."""

    utterance = models.ForeignKey(Utterance, models.CASCADE, related_name="overlaps")
    voice = models.ForeignKey(Voice, models.CASCADE, related_name="overlaps")
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    """It may begin before its line, and go on after it. Of a line that was cut, each half has all of them:
    those outside its time do not count."""

    class Meta:
        default_permissions: ClassVar = []
        ordering: ClassVar = ["start", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="overlap_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.voice} ({seconds(self.start):.1f} s)"


class ShareLevel(models.TextChoices):
    """Levels at which a session is shared; `access.decision.Level` says what each allows."""

    READ = "read", _("read")
    COMMENT = "comment", _("comment")
    EDIT = "edit", _("edit")


class MinutesTemplate(models.Model):
    """Wishes for what a language model writes, for meetings of one kind."""

    class Language(models.TextChoices):
        CHINESE = "zh", _("Chinese")
        ENGLISH = "en", _("English")

    SECTIONS: ClassVar = [
        ("summary", _("Summary")),
        ("chapters", _("Chapters")),
        ("decisions", _("Decisions")),
        ("actions", _("To do")),
        ("questions", _("Open questions")),
    ]
    """As `minutes.llm.answers.Part` has them."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    instructions = models.TextField(
        _("instructions"),
        max_length=2_000,
        blank=True,
        help_text=_("What the model is told besides; sent with every request."),
    )
    sections = models.JSONField(_("sections"), default=list, blank=True)
    language = models.CharField(
        _("language"),
        max_length=2,
        choices=Language,
        blank=True,
        help_text=_("Empty: that of most lines. Statements are in the words of their lines in any case."),
    )

    class Meta:
        verbose_name = _("template of minutes")
        verbose_name_plural = _("templates of minutes")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """People who share their sessions."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    level = models.CharField(
        _("members may"),
        max_length=10,
        choices=ShareLevel,
        default=ShareLevel.COMMENT,
        help_text=_("With what other members record from now on; each meeting can be shared in another way."),
    )
    no_language_model = models.BooleanField(
        _("never sent to a language model"),
        default=False,
        db_default=False,
        help_text=_("Nothing of the meetings that are shared with this team goes to a language model."),
    )
    minutes_template = models.ForeignKey(
        MinutesTemplate,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("template of minutes"),
        help_text=_("For the meetings that are shared with this team, unless another is chosen."),
    )
    members: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams", verbose_name=_("members")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    shares_recordings = models.BooleanField(default=True)
    """What this person records is shared with the team from its beginning."""

    class Meta:
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_team"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.team}"


class Share(models.Model):
    """One session, shared with one person or one team."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="shares")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="shares")
    level = models.CharField(max_length=10, choices=ShareLevel)

    class Meta:
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "user"], name="one_share_per_person"),
            models.UniqueConstraint(fields=["session", "team"], name="one_share_per_team"),
            models.CheckConstraint(
                condition=Q(user=None, team__isnull=False) | Q(user__isnull=False, team=None),
                name="share_is_with_a_person_or_a_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.level}"


class Quota(models.Model):
    """Limits of one account, where they differ from those of all."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="quota", verbose_name=_("account")
    )
    sessions = models.PositiveIntegerField(
        _("meetings at once"), null=True, blank=True, help_text=_("0: no limit; empty: as for all accounts.")
    )
    minutes = models.PositiveIntegerField(
        _("minutes in 30 days"),
        null=True,
        blank=True,
        help_text=_("0: no limit; empty: as for all accounts."),
    )
    storage_mb = models.PositiveIntegerField(
        _("recordings, MB"), null=True, blank=True, help_text=_("0: no limit; empty: as for all accounts.")
    )

    class Meta:
        default_permissions: ClassVar = []
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")

    def __str__(self) -> str:
        return str(self.user)


class Login(models.Model):
    """A browser that is logged in, for its owner to see."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="logins")
    session_key = models.CharField(max_length=40, unique=True, editable=False)
    """Of Django's session."""

    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=MAX_AGENT_LENGTH, blank=True)
    begun_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.user}: {self.agent}"

    @property
    def browser(self) -> str:
        return browsers.described(self.agent)


class Note(models.Model):
    """A person's word on a moment of a session: without a text a bookmark, under another note a comment."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="notes")
    position = models.BigIntegerField()
    """The moment, in samples; answers have that of the note they are under."""

    text = models.TextField(blank=True)
    answers = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="answers_to_it")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="session_notes"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True)
    """When its author last changed the text; None for never."""

    is_removed = models.BooleanField(default=False)
    """Taken away by a person, who may still think better of it."""

    class Meta:
        default_permissions: ClassVar = []
        ordering: ClassVar = ["position", "id"]
        indexes: ClassVar = [models.Index(fields=["session", "position"], name="notes_by_moment")]

    def __str__(self) -> str:
        return self.text

    @property
    def start_s(self) -> float:
        return seconds(self.position)


class Minutes(models.Model):
    """All that a machine counted in a meeting that is over; what it says of it are `MinutesItem`s."""

    session = models.OneToOneField(Session, models.CASCADE, related_name="minutes")
    made_at = models.DateTimeField()
    revision = models.PositiveIntegerField()
    """`last_revision` of the lines that they were made from."""

    digest = models.CharField(max_length=64)
    """Of those lines: where another one has the same revision as now, nothing that matters has changed."""

    talk = models.JSONField(default=list)
    """For each voice, by its key: how long it spoke, in how many turns, how often it asked."""

    key_words = models.JSONField(default=list)
    terms = models.JSONField(default=list)
    """Words by which key words of other meetings are told from those of all."""

    seq_so_far = models.PositiveIntegerField(null=True)
    """`last_seq` of a meeting that was going on when they were made; None of one that was over."""

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.session}: {self.made_at:%Y-%m-%d %H:%M}"


class MinutesItem(models.Model):
    """One statement of the minutes of a meeting, with the lines that carry it."""

    class Section(models.TextChoices):
        """Sections of minutes, as `minutes.statements.Kind`."""

        SUMMARY = "summary", _("summary")
        CHAPTER = "chapter", _("chapter")
        DECISION = "decision", _("decision")
        ACTION = "action", _("to do")
        QUESTION = "question", _("question")
        DATE = "date", _("date")
        FIGURE = "figure", _("figure")

    class Source(models.TextChoices):
        """Makers of a statement."""

        PATTERNS = "patterns", _("found by patterns")
        MODEL = "model", _("written by a language model")
        PERSON = "person", _("written by a person")

    session = models.ForeignKey(Session, models.CASCADE, related_name="minutes_items")
    section = models.CharField(max_length=10, choices=Section)
    text = models.TextField()
    machine_text = models.TextField(blank=True)
    """As the machine had it."""

    lines = models.JSONField(default=list)
    """Keys of the utterances that carry it, the first being where it begins."""

    position = models.BigIntegerField(default=0)
    """Where it begins, in samples."""

    voice = models.ForeignKey(Voice, models.SET_NULL, null=True, related_name="minutes_items")
    """Of the person who is to do it, or asked it."""

    until = models.CharField(max_length=100, blank=True)
    """As it was said."""

    due = models.DateField(null=True)
    source = models.CharField(max_length=10, choices=Source)
    is_done = models.BooleanField(default=False)
    is_edited = models.BooleanField(default=False)
    """A person's hand was on it: no machine changes it any more."""

    is_removed = models.BooleanField(default=False)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions: ClassVar = []
        ordering: ClassVar = ["position", "id"]
        indexes: ClassVar = [models.Index(fields=["session", "position"], name="minutes_items_by_moment")]

    def __str__(self) -> str:
        return self.text


class LiveNotes(models.Model):
    """A language model writes along while a meeting goes on, as a person asked; stopped, it is gone."""

    session = models.OneToOneField(Session, models.CASCADE, related_name="live_notes")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    written_key = models.BigIntegerField(default=0)
    """Key of the last line that was sent."""

    next_at = models.DateTimeField(default=timezone.now)
    """When more is sent, at the earliest."""

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return str(self.session)


class Translation(models.Model):
    """The language into which a language model translates the lines of a meeting, as somebody asked."""

    session = models.OneToOneField(Session, models.CASCADE, related_name="translation")
    language = models.CharField(max_length=8)
    """As in `minutes.languages`; what was translated into another before is kept, and not shown."""

    is_on = models.BooleanField(default=True)
    """Off: nothing more is sent, and what there is stays."""

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    done_seq = models.IntegerField(default=-1)
    done_revision = models.IntegerField(default=-1)
    """`last_seq` and `last_revision` of the meeting when nothing was left to be done."""

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.session}: {self.language}"


class TranslatedLine(models.Model):
    """A line in another language."""

    utterance = models.ForeignKey(Utterance, models.CASCADE, related_name="translations")
    language = models.CharField(max_length=8)
    source = models.TextField()
    """The text that was translated: a line that reads otherwise by now is translated anew."""

    text = models.TextField(blank=True)
    """Empty while no translation of it could be used."""

    attempts = models.PositiveSmallIntegerField(default=0)
    """Answers that could not be used, of this source."""

    number = models.PositiveIntegerField(default=0)
    """`Session.last_translation` when it was made: readers ask for what came after theirs."""

    class Meta:
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["utterance", "language"], name="one_translation_per_language"),
        ]

    def __str__(self) -> str:
        return self.text


class Question(models.Model):
    """A question to meetings that a language model may answer; kept for a day, for whoever asked it."""

    session = models.ForeignKey(Session, models.CASCADE, null=True, related_name="+")
    """None where all meetings that one may see were asked."""

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now, db_index=True)
    text = models.CharField(max_length=300)
    lines = models.JSONField(default=list)
    """Keys of the lines that are sent with it, in this order."""

    answers = models.JSONField(null=True)
    """Each `text` with the keys of the `lines` that carry it; None before it was answered."""

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return self.text


class LanguageModelUse(models.Model):
    """Tokens that a language model took in one day, of all meetings together."""

    day = models.DateField(unique=True)
    tokens = models.BigIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.day}: {self.tokens}"


class AccessToken(models.Model):
    """A secret that lets its bearer into sessions; only its hash is kept."""

    class Role(models.TextChoices):
        SENDER = "sender", _("microphone")
        RECEIVER = "receiver", _("reader")

    name = models.CharField(_("name"), max_length=100)
    role = models.CharField(_("role"), max_length=10, choices=Role)
    session_key = models.CharField(_("meeting ID"), max_length=128, blank=True)
    """The only session it is good for; empty for all."""

    may_export = models.BooleanField(
        _("takes files away"),
        default=True,
        db_default=True,
        help_text=_("A program that reads by it may also have transcripts as files, and recordings."),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    is_revoked = models.BooleanField(_("revoked"), default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    """Within `LAST_USE_S` of its last use; None before the first."""

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(
        cls,
        *,
        name: str,
        role: str,
        session_key: str = "",
        may_export: bool = True,
        expires_at: datetime | None = None,
        created_by: User | None = None,
    ) -> tuple[AccessToken, str]:
        """Make a token, and return it with its secret, which cannot be had again."""
        token = cls(
            name=name,
            role=role,
            session_key=session_key,
            may_export=may_export,
            expires_at=expires_at,
            created_by=created_by,
        )
        secret = token.renew_secret()
        token.save()
        return token, secret

    def renew_secret(self) -> str:
        """Give the token another secret; not saved."""
        secret = secrets.token_urlsafe(24)
        self.digest = self.digest_of(secret)
        return secret

    @classmethod
    def find(cls, secret: str) -> AccessToken | None:
        return cls.objects.filter(digest=cls.digest_of(secret), is_revoked=False).first()

    @staticmethod
    def digest_of(secret: str) -> str:
        # The secret is 192 random bits: a plain hash is enough, and can be looked up.
        return hashlib.sha256(secret.encode()).hexdigest()

    def admits(self, role: str, session_key: str, now: datetime | None = None) -> bool:
        """Tell whether the bearer may take this role in this session."""
        return self.is_good(now) and self.role == role and self.session_key in ("", session_key)

    def note_use(self) -> None:
        """Remember that it was used, unless that is known already: reading shall not write each time."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= timedelta(seconds=LAST_USE_S):
            AccessToken.objects.filter(pk=self.pk).update(last_used_at=now)

    def is_good(self, now: datetime | None = None) -> bool:
        """Tell whether it is neither revoked nor out of date."""
        return not self.is_revoked and (not self.expires_at or self.expires_at > (now or timezone.now()))


class Webhook(models.Model):
    """An address of another program that is told what happens in meetings."""

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(default=list)
    """Names of the events that it is told, as `store.outbox.Event`."""

    is_active = models.BooleanField(_("switched on"), default=True)
    sealed_secret = SealedField()
    sealed_previous = SealedField(null=True)
    previous_until = models.DateTimeField(null=True)
    """Until then messages are signed with the previous secret as well."""

    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    """Until then this worker delivers to it, and no other."""

    failures = models.PositiveIntegerField(default=0)
    """Attempts in a row at which nobody was there."""

    not_before = models.DateTimeField(null=True)
    """Nobody was there: until then it is not tried again."""

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """An event that one webhook is to be told, or was. What it says is read when it is sent."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given-up", _("given up")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    """The same at each attempt: receivers count it once."""

    event = models.CharField(max_length=30)
    session = models.ForeignKey(Session, models.CASCADE, null=True, related_name="+")
    line = models.ForeignKey(Utterance, models.CASCADE, null=True, related_name="+")
    revision = models.PositiveIntegerField(null=True)
    """Of the change that it tells of."""

    upload = models.ForeignKey(Upload, models.SET_NULL, null=True, related_name="+")
    """None too when it was taken off its sender's list before it was told."""

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    waiting_since = models.DateTimeField(default=timezone.now)
    """When it was made, or somebody asked for it again."""

    not_before = models.DateTimeField(null=True)
    """It was refused: until then it is not sent again."""

    sent_at = models.DateTimeField(null=True)
    """Of the last attempt, as the three that follow."""

    status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    took_ms = models.PositiveIntegerField(null=True)

    class Meta:
        default_permissions: ClassVar = []
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["webhook", "id"], condition=Q(state="waiting"), name="deliveries_waiting"),
            models.Index(fields=["webhook", "-id"], name="deliveries_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.uuid}"
