"""Speakers, their consents and voiceprints, and what was done with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from audit.admin import FactsAdmin

from . import calibration, enrollment, jobs, lifecycle, listing
from .models import (
    Calibration,
    Consent,
    ConsentText,
    Job,
    Speaker,
    Voiceprint,
)
from .permissions import ENROLL, MERGE, user_of


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Facts: they can be deleted, where somebody may, but not written."""

    extra = 0
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ConsentInline(ReadOnlyInline):
    """Consents of one speaker; deleting one withdraws it."""

    model = Consent
    readonly_fields = ["given_at", "expires_at", "text", "recorded_by"]
    fields = [*readonly_fields]
    verbose_name_plural = _("Consents (deleting one deletes what was enrolled under it)")


class VoiceprintInline(ReadOnlyInline):
    """Voiceprints of one speaker, to forget; they are heard on the person's page."""

    model = Voiceprint
    readonly_fields = ["created_at", "source", "speech", "snr", "model_id", "created_by"]
    fields = [*readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voiceprint]:
        return super().get_queryset(request).defer("sealed_embedding").select_related("created_by")

    @admin.display(description=_("speech"))
    def speech(self, voiceprint: Voiceprint) -> str:
        return f"{voiceprint.speech_s:.0f} s"

    @admin.display(description=_("signal-to-noise ratio"))
    def snr(self, voiceprint: Voiceprint) -> str:
        return "" if voiceprint.snr_db is None else f"{voiceprint.snr_db:.0f} dB"


class VersionsAdmin(SimpleHistoryAdmin):  # type: ignore[misc]
    """A table of which every version is kept."""

    def set_history_delta_changes(self, request: HttpRequest, versions: Any, **options: Any) -> None:
        super().set_history_delta_changes(request, versions, **options)
        for version in versions:  # without a reason, the page would say "None"
            version.history_change_reason = version.history_change_reason or ""


class EnrolledFilter(admin.SimpleListFilter):
    """Filter of speakers by having a voiceprint."""

    title = _("enrolled")
    parameter_name = "enrolled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Speaker]) -> QuerySet[Speaker]:
        if self.value() not in ("0", "1"):
            return queryset
        return listing.enrolled(queryset, is_enrolled=self.value() == "1")


@admin.register(Speaker)
class SpeakerAdmin(VersionsAdmin):
    """Speakers with what is kept of them; enrolling, merging and exporting have pages outside the admin."""

    list_display = ["name", "voiceprint_count", "speech", "consent_until", "created_at"]
    search_fields = ["name", "note"]
    list_filter = [EnrolledFilter]
    list_per_page = 50
    show_full_result_count = False
    fields = ["name", "note"]
    inlines = [VoiceprintInline, ConsentInline]
    actions = ["merge", "embed_anew"]
    change_form_template = "speakers/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Speaker]:
        return listing.with_voices(super().get_queryset(request))

    def get_inlines(self, request: HttpRequest, obj: Speaker | None) -> list[Any]:
        return self.inlines if obj else []

    @admin.display(description=_("voiceprints"), ordering="prints")
    def voiceprint_count(self, speaker: Any) -> int:
        return speaker.prints or 0

    @admin.display(description=_("speech"), ordering="seconds")
    def speech(self, speaker: Any) -> str:
        return f"{speaker.seconds:.0f} s" if speaker.seconds else ""

    @admin.display(description=_("consent until"), ordering="until")
    def consent_until(self, speaker: Any) -> Any:
        if speaker.is_endless:
            return _("until withdrawn")
        return timezone.localdate(speaker.until) if speaker.until else None

    def save_model(self, request: HttpRequest, obj: Speaker, form: Any, change: bool) -> None:
        """Save somebody new, or let transcripts follow a new name."""
        if change:
            lifecycle.rename(obj, name=obj.name, note=obj.note, by=user_of(request))
        else:
            super().save_model(request, obj, form, change)

    # Deleting is forgetting: it is on record, and workers drop the voice.

    def delete_model(self, request: HttpRequest, obj: Speaker) -> None:
        lifecycle.forget(obj, by=user_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Speaker]) -> None:
        lifecycle.forget_all(queryset, by=user_of(request))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Speaker]) -> Any:
        """Log nothing: the admin's own log would keep the names; the audit log has the deletion."""
        return []

    def response_add(self, request: HttpRequest, obj: Speaker, post_url_continue: Any = None) -> HttpResponse:
        if request.user.has_perm(ENROLL) and not {"_addanother", "_popup"} & set(request.POST):
            return redirect("enroll", obj.uuid)
        return super().response_add(request, obj, post_url_continue)  # type: ignore[no-any-return]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Forget voiceprints and consents: here they are only ever deleted."""
        formset.save(commit=False)
        for deleted in formset.deleted_objects:
            if isinstance(deleted, Voiceprint):
                lifecycle.forget_voiceprint(deleted, by=user_of(request))
            elif isinstance(deleted, Consent):
                lifecycle.withdraw(deleted, by=user_of(request))

    @admin.action(description=_("Merge the selected speakers"), permissions=["merge"])
    def merge(self, request: HttpRequest, speakers: QuerySet[Speaker]) -> HttpResponse:
        keys = [("person", str(key)) for key in speakers.values_list("uuid", flat=True)]
        return redirect(f"{reverse('merge-people')}?{urlencode(keys)}")

    @admin.action(description=_("Recompute the selected voiceprints"), permissions=["enroll"])
    def embed_anew(self, request: HttpRequest, speakers: QuerySet[Speaker]) -> None:
        for speaker in speakers:
            jobs.ask_for(enrollment.REEMBED, str(speaker.uuid), by=user_of(request))
        messages.success(request, _now("This is being done in the background: see the background jobs."))

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MERGE)

    def has_enroll_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ENROLL)


class KindFilter(admin.SimpleListFilter):
    """Filter of jobs by what they do."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(jobs.labels().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(FactsAdmin):
    """Background jobs, to watch."""

    list_display = ["created_at", "what", "state", "progress", "created_by", "error"]
    list_filter = ["state", KindFilter]
    readonly_fields = [
        "what", "subject", "state", "progress", "result", "error", "created_by", "created_at", "finished_at",
    ]  # fmt: skip
    fields = [*readonly_fields]

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, job: Job) -> str:
        return jobs.labels().get(job.kind, job.kind)

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> str:
        return f"{job.steps_done} / {job.steps}" if job.steps else ""


@admin.register(ConsentText)
class ConsentTextAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Texts of consent: new ones can be added, and none be rewritten."""

    list_display = ["__str__", "language", "created_at"]

    def has_change_permission(self, request: HttpRequest, obj: ConsentText | None = None) -> bool:
        return False  # people have agreed to it as it stands; a new wording is a new text


@admin.register(Calibration)
class CalibrationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Limits for names, set by hand, beside what they rest on."""

    list_display = ["model_id", "threshold", "margin", "shortest_speech_s", "updated_at"]
    fields = ["model_id", "threshold", "margin", "shortest_speech_s", "rests_on", "updated_at"]
    readonly_fields = ["rests_on", "updated_at"]

    def save_model(self, request: HttpRequest, obj: Calibration, form: Any, change: bool) -> None:
        """Save it and let every worker take it over."""
        calibration.change(obj)

    @admin.display(description=_("measured"))
    def rests_on(self, row: Calibration) -> str:
        """Return error rates by seconds of speech, as a table."""
        found = row.measured
        lengths = [
            (float(length), rate, found["accuracy"][length], found["errors"].get(length))
            for length, rate in found.get("eer", {}).items()
        ]
        return render_to_string("speakers/measured.html", {"measured": found, "lengths": lengths})

    def get_readonly_fields(self, request: HttpRequest, obj: Calibration | None = None) -> list[str]:
        return [*self.readonly_fields, *(["model_id"] if obj else [])]
