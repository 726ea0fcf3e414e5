"""Sessions in the admin: facts are read only, texts are corrected, no page holds a whole meeting."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from recognition.audio import seconds

from .models import AccessToken, Session, Utterance, Voice
from .templatetags.durations import clock


class OwnSessionsMixin:
    """Staff see their own sessions, and those of others only with the permission to see all."""

    session_path = ""
    """From the model to its session, as in a filter; "" for the session itself."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if request.user.has_perm("sessions_app.view_all_session"):
            return rows
        return rows.filter(**{f"{self.session_path}owner": request.user.pk})


@admin.register(Session)
class SessionAdmin(OwnSessionsMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "state", "created_at", "duration", "line_count", "owner"]
    list_filter = ["state", "created_at", "model_set"]
    list_select_related = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["key", "title"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["owner"]
    fields = [
        "title", "key", "owner", "state", "created_at", "ended_at", "duration", "line_count", "model_set",
        "recording",
    ]  # fmt: skip
    readonly_fields = [
        "key", "state", "created_at", "ended_at", "duration", "model_set", "line_count", "recording",
    ]  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a session begins with its audio

    def get_readonly_fields(self, request: HttpRequest, obj: Session | None = None) -> list[str]:
        # Giving a session away is for those who see all of them.
        own = [] if request.user.has_perm("sessions_app.view_all_session") else ["owner"]
        return [*self.readonly_fields, *own]

    @admin.display(description=_("length"), ordering="durable")
    def duration(self, session: Session) -> str:
        return clock(session.duration_s)

    @admin.display(description=_("lines"))
    def line_count(self, session: Session) -> str:
        address = reverse("admin:sessions_app_utterance_changelist")
        return format_html('<a href="{}?session__id__exact={}">{}</a>', address, session.pk, session.last_seq)


@admin.register(Utterance)
class UtteranceAdmin(OwnSessionsMixin, SimpleHistoryAdmin):  # type: ignore[misc]
    session_path = "session__"

    list_display = ["time", "speaker", "text", "is_edited", "session"]
    list_display_links = ["text"]
    list_select_related = ["session", "voice__speaker"]
    list_filter = ["is_edited", "is_voice_locked"]
    list_per_page = 100
    show_full_result_count = False
    search_fields = ["text"]
    ordering = ["-session", "start", "id"]
    fields = ["session", "time", "speaker", "score", "text", "machine_text", "is_edited"]
    readonly_fields = ["session", "time", "speaker", "score", "machine_text", "is_edited"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Utterance | None = None) -> bool:
        return False  # lines are removed in the editor, where it can be undone

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in ("session__id__exact", "voice__id__exact") or super().lookup_allowed(
            lookup, value, request
        )

    @admin.display(description=_("time"), ordering="start")
    def time(self, utterance: Utterance) -> str:
        return clock(seconds(utterance.start))

    @admin.display(description=_("speaker"))
    def speaker(self, utterance: Utterance) -> str:
        return utterance.voice.name if utterance.voice else ""


@admin.register(Voice)
class VoiceAdmin(OwnSessionsMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    session_path = "session__"

    list_display = ["name", "session", "speaker"]
    list_select_related = ["session", "speaker"]
    list_filter = [("speaker", admin.EmptyFieldListFilter)]
    search_fields = ["speaker__name", "session__title", "session__key"]
    fields = ["session", "number", "speaker", "is_named_by_person"]
    readonly_fields = ["session", "number", "speaker", "is_named_by_person"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "role", "session_key", "expires_at", "is_revoked", "created_by", "created_at"]
    list_filter = ["role", "is_revoked"]
    search_fields = ["name", "session_key"]
    actions = ["revoke"]

    def get_readonly_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> list[str]:
        # What a token is good for is settled when it is given out.
        return [*(["role", "session_key"] if obj else []), "created_by", "created_at"]

    def save_model(
        self, request: HttpRequest, obj: AccessToken, form: ModelForm[AccessToken], change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        secret = obj.renew_secret()
        obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)
        # Once, and nowhere else: only the hash is kept.
        text = gettext("The token is %(secret)s – copy it now, it cannot be shown again.") % {
            "secret": secret
        }
        messages.warning(request, text)

    @admin.action(description=_("Revoke the selected tokens"), permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[AccessToken]) -> None:
        count = tokens.update(is_revoked=True)
        messages.success(request, gettext("%(count)d tokens were revoked.") % {"count": count})


admin.site.site_header = _("asrsite administration")
admin.site.site_title = "asrsite"
admin.site.index_title = _("Administration")
