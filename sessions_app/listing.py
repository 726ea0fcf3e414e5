"""The list of sessions: newest first, filtered, page after page at the same cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django import forms
from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from speakers.models import Speaker

from .models import Session, Utterance, Voice

PAGE = 30


class ListingForm(forms.Form):
    """What to list. A value that makes no sense is ignored, so that old links go on working."""

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

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    def narrow(self, sessions: QuerySet[Session]) -> QuerySet[Session]:
        """The sessions that are asked for."""
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("state") == "live":
            sessions = sessions.exclude(state=Session.State.ENDED)
        elif asked.get("state") == "ended":
            sessions = sessions.filter(state=Session.State.ENDED)
        if speaker := asked.get("speaker"):
            spoke = Voice.objects.filter(session=OuterRef("pk"), speaker=speaker)
            sessions = sessions.filter(Exists(spoke))
        if first := asked.get("first_day"):
            sessions = sessions.filter(created_at__gte=_midnight(first))
        if last := asked.get("last_day"):
            sessions = sessions.filter(created_at__lt=_midnight(last + timedelta(days=1)))
        return sessions


@dataclass(frozen=True, slots=True)
class Page:
    sessions: Sequence[Session]
    next_before: int | None
    """Where the next page goes on; None on the last one."""


def read_page(sessions: QuerySet[Session], *, before: int | None) -> Page:
    """The newest sessions that are older than `before`, the primary key of the last one seen."""
    if before is not None:
        sessions = sessions.filter(pk__lt=before)
    voices = Voice.objects.filter(merged_into=None).select_related("speaker").order_by("id")
    opening = Utterance.objects.filter(session=OuterRef("pk"), is_removed=False).order_by("start", "id")
    rows = list(
        sessions.order_by("-pk")
        .annotate(opening=Subquery(opening.values("text")[:1]))
        .prefetch_related(Prefetch("voices", voices))[: PAGE + 1]
    )
    return Page(rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
