"""The list of sessions: newest first, filtered, page after page at the same cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models import Favourite, Folder, Session, Tag, Utterance, Voice, voice_name
from sessions_app.templatetags.durations import clock
from sessions_app.transcripts import search
from speakers.models import Speaker

from . import days
from .talk_picture import voice_colours

PAGE = 30
MAX_LIVE = 500
MAX_PEOPLE = 6
"""People that a row names."""

FEW = 1000
HITS = 50
SHOWN_OF_HITS = [
    "text", "start", "session__key", "session__title", "session__drawn_title", "session__created_at",
    "voice__number", "voice__speaker__name",
]  # fmt: skip
TITLES = 5

OF_A_VOICE = [
    "session", "uuid", "speaker__uuid", "speaker__name", "number", "merged_into", "speaks",
]  # fmt: skip

WITHOUT_SPEECH = Q(state=Session.State.ENDED, last_seq=0, last_revision=0, failures=0, title="")
"""Sessions that are over, in which nobody spoke and to which nobody gave a name."""

FIRST_DAY, LAST_DAY = date(1, 1, 3), date(9999, 12, 29)
"""Days that are days in every zone, and have others around them."""


class ListingForm(forms.Form):
    """Filters of the list. A value that makes no sense is ignored, so that old links go on working."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "maxlength": 200}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), ("live", _("Live now")), ("ended", _("Ended"))],
    )
    speaker = forms.ModelChoiceField(
        label=_("Speaker"), required=False, queryset=Speaker.objects.all(), empty_label=_("Anyone")
    )
    first_day = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last_day = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    tag = forms.ModelChoiceField(
        label=_("Tag"), required=False, queryset=Tag.objects.all(), to_field_name="name"
    )
    folder = forms.ModelChoiceField(
        label=_("Folder"), required=False, queryset=Folder.objects.all(), to_field_name="name"
    )
    favourites = forms.BooleanField(label=_("Favourites only"), required=False)
    empty = forms.BooleanField(label=_("Also those without speech"), required=False)

    def __init__(self, data: Any, user: User | AnonymousUser | None = None) -> None:
        super().__init__(data)
        self.user = user

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    @property
    def is_filtered(self) -> bool:
        """Tell whether anything is asked for besides a text: then the filters are shown."""
        return any(self.data.get(name) for name in self.fields if name != "q")

    def labels(self, name: str, sessions: QuerySet[Session]) -> list[tuple[str, str, bool]]:
        """Return the tags or folders of these sessions: what is sent, the name, and whether it is chosen."""
        self.is_valid()
        chosen = self.cleaned_data.get(name)
        labels: QuerySet[Any] = Folder.objects.all() if name == "folder" else Tag.objects.all()
        path = "folder" if name == "folder" else "tags"
        used = labels.filter(Exists(sessions.filter(**{path: OuterRef("pk")}))).values_list("name", flat=True)
        return [(label, label, chosen is not None and label == chosen.name) for label in used]

    @property
    def looked_for(self) -> str:
        self.is_valid()
        text: str = self.cleaned_data.get("q", "")
        return text

    @property
    def speakers(self) -> list[tuple[int, str, bool]]:
        """Return the speakers to choose from: key, name, and whether it is the chosen one."""
        self.is_valid()
        chosen = self.cleaned_data.get("speaker")
        known = Speaker.objects.values_list("pk", "name")
        return [(pk, name, chosen is not None and pk == chosen.pk) for pk, name in known]

    def narrow(self, sessions: QuerySet[Session]) -> QuerySet[Session]:
        """Select the sessions that are asked for."""
        sessions = self._narrow(sessions)
        if speaker := self.cleaned_data.get("speaker"):
            spoke = Voice.objects.filter(session=OuterRef("pk"), speaker=speaker)
            sessions = sessions.filter(Exists(spoke))
        return sessions

    def hide_empty(self, sessions: QuerySet[Session]) -> QuerySet[Session]:
        """Leave out the sessions in which nobody spoke, unless they are asked for."""
        self.is_valid()
        return sessions if self.cleaned_data.get("empty") else sessions.exclude(WITHOUT_SPEECH)

    def narrow_lines(self, sessions: QuerySet[Session]) -> QuerySet[Utterance]:
        """Select the lines that are asked for, of these sessions."""
        sessions = self._narrow(sessions)
        lines = _of_sessions(Utterance.objects.all(), sessions.order_by())
        if speaker := self.cleaned_data.get("speaker"):
            lines = lines.filter(voice__in=_keys(Voice.objects.filter(speaker=speaker)))
        return lines

    def _narrow(self, sessions: QuerySet[Session]) -> QuerySet[Session]:
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("state") == "live":
            sessions = sessions.exclude(state=Session.State.ENDED)
        elif asked.get("state") == "ended":
            sessions = sessions.filter(state=Session.State.ENDED)
        if first := asked.get("first_day"):
            sessions = sessions.filter(created_at__gte=_midnight(first))
        if last := asked.get("last_day"):
            sessions = sessions.filter(created_at__lt=_midnight(min(last, LAST_DAY) + timedelta(days=1)))
        return self._narrow_by_labels(sessions)

    def _narrow_by_labels(self, sessions: QuerySet[Session]) -> QuerySet[Session]:
        asked = self.cleaned_data
        if tag := asked.get("tag"):
            sessions = sessions.filter(pk__in=tag.sessions.values("pk"))
        if folder := asked.get("folder"):
            sessions = sessions.filter(folder=folder)
        if asked.get("favourites") and self.user and self.user.is_authenticated:
            sessions = sessions.filter(pk__in=self.user.favourites.values("session"))
        return sessions


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who spoke."""

    name: str
    colour: int


@dataclass(frozen=True, slots=True)
class Row:
    """One session of the list."""

    session: Session
    people: Sequence[Person]
    more_people: int
    """Those that it has no room for."""

    tags: Sequence[str]
    opening: str
    is_favourite: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list of sessions."""

    rows: Sequence[Row]
    next_before: int | None
    """The start of the next page; None on the last one."""

    def by_day(self, now: datetime) -> list[tuple[str, list[Row]]]:
        return days.by_day(self.rows, lambda row: row.session.created_at, now)


def read_page(
    sessions: QuerySet[Session],
    *,
    before: int | None,
    user: User | AnonymousUser | None = None,
    size: int | None = None,
) -> Page:
    """Read the newest sessions that are older than `before`, the primary key of the last one seen.

    Args:
        user: The reader, whose favourites are marked.
        size: Sessions at most; as many as a page shows if None.
    """
    size = size or PAGE
    if before is not None:
        sessions = sessions.filter(pk__lt=before)
    opening = Utterance.objects.filter(session=OuterRef("pk"), is_removed=False).order_by("start", "id")
    found = list(
        sessions.order_by("-pk")
        .annotate(opening=Subquery(opening.values("text")[:1]), is_favourite=_is_favourite(user))
        .select_related("folder")
        .prefetch_related("tags")[: size + 1]
    )
    people = _people(found[:size])
    rows = [_row(row, people[row.pk]) for row in found[:size]]
    return Page(rows, found[size - 1].pk if len(found) > size else None)


def count_empty(sessions: QuerySet[Session], page: Page) -> int:
    """Count the sessions in which nobody spoke, of those that are as new as the ones of the first page."""
    if page.next_before is not None:
        sessions = sessions.filter(pk__gt=page.next_before)
    return sessions.filter(WITHOUT_SPEECH).count()


def _is_favourite(user: User | AnonymousUser | None) -> Any:
    if user is None or not user.is_authenticated:
        return Value(False)
    return Exists(Favourite.objects.filter(session=OuterRef("pk"), user=user))


def _people(sessions: Iterable[Session]) -> dict[int, list[Person]]:
    """Return who spoke in each session, without making hundreds of objects of voices and speakers."""
    speaks = Exists(Utterance.objects.filter(voice=OuterRef("pk"), is_removed=False))
    voices: dict[int, list[tuple[str, str, bool]]] = {session.pk: [] for session in sessions}
    found = Voice.objects.filter(session__in=list(voices)).annotate(speaks=speaks).order_by("id")
    for session, own_id, speaker_id, speaker, number, merged, does_speak in found.values_list(*OF_A_VOICE):
        name = voice_name(speaker, number)
        voices[session].append((str(speaker_id or own_id), name, does_speak and merged is None))
    return {session: _speaking(of_session) for session, of_session in voices.items()}


def _speaking(voices: Sequence[tuple[str, str, bool]]) -> list[Person]:
    """Return those who speak, once each.

    Args:
        voices: The public id of each voice, its name, and whether it speaks; in the order in which they came.
    """
    colours = voice_colours(public_id for public_id, *_ in voices)
    people = {
        public_id: Person(name, colours[public_id]) for public_id, name, does_speak in voices if does_speak
    }
    return list(people.values())


def _row(session: Any, named: Sequence[Person]) -> Row:
    """Return the row of a session that was read with all that a row needs."""
    return Row(
        session=session,
        people=named[:MAX_PEOPLE],
        more_people=max(0, len(named) - MAX_PEOPLE),
        tags=[tag.name for tag in session.tags.all()],
        opening=session.opening or "",
        is_favourite=session.is_favourite,
    )


def live_sessions(sessions: QuerySet[Session]) -> list[dict[str, Any]]:
    """Return those that have not ended, the oldest first, as JSON for an administrator to watch."""
    last = Utterance.objects.filter(session=OuterRef("pk"), is_removed=False).order_by("-seq")
    live = sessions.exclude(state=Session.State.ENDED).select_related("owner").order_by("pk")
    return [
        {
            "title": str(session),
            "url": session.get_absolute_url(),
            "admin_url": reverse("admin:sessions_app_session_change", args=[session.pk]),
            "state": session.state,
            "state_name": session.get_state_display(),
            "owner": session.owner.get_username() if session.owner else "",
            "started": session.created_at.isoformat(),
            "length": clock(session.duration_s),
            "lines": session.last_seq,
            "last_line": session.last_line or "",
            "failures": session.failures,
        }
        for session in live.annotate(last_line=Subquery(last.values("text")[:1]))[:MAX_LIVE]
    ]


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that says what was looked for."""

    line: int
    start_s: float
    who: str
    """Empty where nobody knows."""

    parts: Sequence[tuple[str, bool]]
    """Its text in pieces: each, and whether it is what was looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a search found."""

    titles: Sequence[Session]
    hits: Sequence[tuple[Session, Sequence[Hit]]]
    """By session, as far as its lines stand together."""

    next_before: int | None


def find(form: ListingForm, sessions: QuerySet[Session], *, before: int | None) -> Found:
    """Lines with what the form looks for, the newest first; on the first page also sessions called so."""
    text = form.looked_for
    keys = search.find_newest(form.narrow_lines(sessions), text, HITS + 1, before=before)
    # Apart from the search, lest a database that expects few lines joins them the slow way.
    lines = Utterance.objects.filter(pk__in=keys[:HITS]).select_related("session", "voice__speaker")
    rows = lines.only(*SHOWN_OF_HITS).order_by("-pk")
    hits = [
        (session, [_hit(row, text) for row in run])
        for session, run in groupby(rows, key=lambda row: row.session)
    ]
    titles = [] if before else list(form.narrow(sessions).filter(called(text)).order_by("-pk")[:TITLES])
    return Found(titles, hits, keys[HITS - 1] if len(keys) > HITS else None)


def called(text: str) -> Q:
    """Select sessions that are called so, or partly."""
    return Q(title__icontains=text) | Q(key__icontains=text) | Q(title="", drawn_title__icontains=text)


def _hit(line: Utterance, looked_for: str) -> Hit:
    who = line.voice.name if line.voice else ""
    return Hit(line.pk, line.start_s, who, _parts(line.text, looked_for))


def _of_sessions(lines: QuerySet[Utterance], sessions: QuerySet[Session]) -> QuerySet[Utterance]:
    """Select the lines of these sessions; by those that are left out, where only these are few."""
    if (keys := _few(sessions)) is not None:
        return lines.filter(session__in=keys)
    left_out = _few(Session.objects.exclude(pk__in=sessions.values("pk")))
    if left_out is None:
        return lines.filter(session__in=sessions.values("pk"))
    return lines.exclude(session__in=left_out) if left_out else lines


def _keys(rows: QuerySet[Any]) -> Any:
    """Return the primary keys themselves if they are few, else a query for them.

    Given a query for few, PostgreSQL looks the text up anew for each of them.
    """
    keys = _few(rows)
    return rows.values("pk") if keys is None else keys


def _few(rows: QuerySet[Any]) -> list[int] | None:
    """Return the primary keys of rows; None if they are many."""
    keys = list(rows.values_list("pk", flat=True)[: FEW + 1])
    return keys if len(keys) <= FEW else None


def _parts(text: str, looked_for: str) -> list[tuple[str, bool]]:
    parts: list[tuple[str, bool]] = []
    at = 0
    for begin, stop in search.places(text, looked_for):
        parts += [(text[at:begin], False), (text[begin:stop], True)]
        at = stop
    return [part for part in [*parts, (text[at:], False)] if part[0]]


def _midnight(day: date) -> datetime:
    """Return the beginning of a day here; of one at the end of the calendar, that of one near it."""
    return timezone.make_aware(datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time.min))
