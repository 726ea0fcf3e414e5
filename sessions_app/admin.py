"""Sessions in the admin: facts are read only, texts are corrected, no page holds a whole meeting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.core.validators import MaxLengthValidator
from django.db.models import DateTimeField, Field, QuerySet
from django.forms import (
    CheckboxSelectMultiple,
    ChoiceField,
    HiddenInput,
    IntegerField,
    ModelForm,
    ModelMultipleChoiceField,
    MultipleChoiceField,
    SplitDateTimeField,
)
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from audit import log
from audit.models import Action
from recognition.audio import seconds
from sessions_app.catalogue.listing import live_sessions
from sessions_app.transcripts.edit_requests import MAX_TEXT_LENGTH, ChangeText, Seen
from sessions_app.transcripts.learning import said
from sessions_app.transcripts.reidentification import REIDENTIFY
from sessions_app.transport.readiness import recognition_is_ready
from speakers import enrollment, jobs, notify
from speakers.admin import VersionsAdmin
from speakers.models import Speaker, Voiceprint
from speakers.permissions import ENROLL, user_of
from speakers.templatetags.percent import percent

from . import model_sets
from .access import accounts, rights_changes, roles
from .models import (
    AccessToken,
    CommonHotword,
    DefaultModels,
    MinutesTemplate,
    Quota,
    Session,
    Utterance,
    Voice,
    WritingRule,
)
from .recordings import files
from .templatetags.durations import clock
from .transcripts import attribution, editing, retention, search
from .wire import layer_messages


class OwnSessionsMixin:
    """Own sessions for staff, and those of others only with the permission to see all."""

    session_path = ""
    """From the model to its session, as in a filter; "" for the session itself."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        everything: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        # The trash has a page of its own.
        rows = everything.filter(**{f"{self.session_path}trashed_at": None})
        if request.user.has_perm("sessions_app.view_all_session"):
            return rows
        return rows.filter(**{f"{self.session_path}owner": request.user.pk})


@admin.register(Session)
class SessionAdmin(OwnSessionsMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "state", "created_at", "duration", "line_count", "owner"]
    list_filter = ["state", "created_at", "is_kept", "model_set"]
    list_select_related = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["key", "title"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["owner"]
    fields = [
        "title", "key", "owner", "is_kept", "state", "created_at", "ended_at", "closed_by",
        "duration", "line_count", "model_set", "recording",
    ]  # fmt: skip
    readonly_fields = [
        "key", "state", "created_at", "ended_at", "closed_by", "duration", "model_set", "line_count",
        "recording",
    ]  # fmt: skip
    actions = ["end", "keep", "release", "delete_recordings", "identify_anew"]
    change_list_template = "sessions/admin/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("live/", wrap(self.live), name="sessions_live"),
            path("live/data/", wrap(self.live_data), name="sessions_live_data"),
            *super().get_urls(),
        ]

    @admin.action(
        description=_("Identify the speakers of the selected meetings again"), permissions=["change"]
    )
    def identify_anew(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        over = sessions.filter(state=Session.State.ENDED)
        for session in over:
            jobs.ask_for(REIDENTIFY, str(session.pk), by=user_of(request))
        if len(over) < sessions.count():
            messages.warning(request, gettext("Meetings still in progress are identified as they go along."))
        if over:
            messages.success(
                request, gettext("This is being done in the background: see the background jobs.")
            )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a session begins with its audio

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sessions_app.send_session")

    def get_readonly_fields(self, request: HttpRequest, obj: Session | None = None) -> list[str]:
        # Giving a session away is for those who see all of them.
        own = [] if request.user.has_perm("sessions_app.view_all_session") else ["owner"]
        return [*self.readonly_fields, *own]

    @admin.display(description=_("length"), ordering="durable")
    def duration(self, session: Session) -> str:
        return clock(session.duration_s)

    @admin.display(description=_("lines"), ordering="last_seq")
    def line_count(self, session: Session) -> str:
        address = reverse("admin:sessions_app_utterance_changelist")
        return format_html('<a href="{}?session__id__exact={}">{}</a>', address, session.pk, session.last_seq)

    @admin.display(description=_("recording"))
    def recording(self, session: Session) -> str:
        kept = files.length(session.pk)
        if not kept:
            return "-"
        address = reverse("export-recording", args=[session.key])
        return format_html('<a href="{}">{}</a>', address, clock(seconds(kept)))

    # What goes on now.

    def live(self, request: HttpRequest) -> HttpResponse:
        """Show the sessions that have not ended."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": _("Live meetings"), "opts": self.opts}
        return render(request, "sessions/admin/live.html", context)

    def live_data(self, request: HttpRequest) -> JsonResponse:
        """Serve the same as JSON; the page asks for it again and again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        has_workers = async_to_sync(recognition_is_ready)()
        return JsonResponse(
            {"has_workers": has_workers, "sessions": live_sessions(self.get_queryset(request))}
        )

    # Deleting is for good: rows, versions, recording.

    def get_deleted_objects(
        self, objs: Iterable[Session], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell in numbers what will be deleted: a list of all lines would be a long one."""
        sessions = list(objs)
        lines = Utterance.objects.filter(session__in=sessions).count()
        counts = {
            str(Session._meta.verbose_name_plural): len(sessions),
            str(Utterance._meta.verbose_name_plural): lines,
        }
        live = [
            gettext("“%(title)s” is still in progress: end it first.") % {"title": session}
            for session in sessions
            if not session.has_ended
        ]
        return [str(session) for session in sessions], counts, set(), live

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        retention.delete_session(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        retention.delete_sessions(queryset)

    # Actions.

    @admin.action(description=_("End the selected meetings"), permissions=["send"])
    def end(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        keys = list(sessions.exclude(state=Session.State.ENDED).values_list("key", flat=True))
        for key in keys:
            log.record(Action.MEETING_ENDED, meeting=key)
            notify.send(layer_messages.WORKERS, {"type": "session.stop", "key": key})
        _say(self, request, len(keys), _ENDING)

    @admin.action(description=_("Keep the selected meetings for good"), permissions=["change"])
    def keep(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        _say(self, request, sessions.update(is_kept=True), _KEPT)

    @admin.action(description=_("Stop keeping the selected meetings for good"), permissions=["change"])
    def release(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        _say(self, request, sessions.update(is_kept=False), _RELEASED)

    @admin.action(description=_("Delete the recordings of the selected meetings"), permissions=["delete"])
    def delete_recordings(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        ended = list(sessions.filter(state=Session.State.ENDED))
        for session in ended:
            retention.delete_recording(session)
        _say(self, request, len(ended), _SILENCED)


_ENDING = ngettext_lazy("%(count)d meeting is ending.", "%(count)d meetings are ending.", "count")
_KEPT = ngettext_lazy("%(count)d meeting is kept for good.", "%(count)d meetings are kept for good.", "count")
_RELEASED = ngettext_lazy(
    "%(count)d meeting will be deleted when it is old.",
    "%(count)d meetings will be deleted when they are old.",
    "count",
)
_SILENCED = ngettext_lazy(
    "The recording of %(count)d meeting was deleted.",
    "The recordings of %(count)d meetings were deleted.",
    "count",
)


def _say(where: admin.ModelAdmin[Any], request: HttpRequest, count: int, text: Any) -> None:
    where.message_user(request, text % {"count": count})


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages as far as anybody leafs: counting millions of rows takes longer than showing one."""

    MAX_COUNT = 10_000

    @cached_property
    def count(self) -> int:
        assert isinstance(self.object_list, QuerySet)
        return self.object_list[: self.MAX_COUNT].count()


class LineForm(ModelForm):  # type: ignore[type-arg]
    """A line's text. Whoever was faster is not overwritten."""

    seen = IntegerField(label="", widget=HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = self.instance.revision
        if "text" in self.fields:
            self.fields["text"].validators.append(MaxLengthValidator(MAX_TEXT_LENGTH))

    def clean(self) -> dict[str, Any] | None:
        now = Utterance.objects.get(pk=self.instance.pk)
        if now.revision != self.cleaned_data.get("seen"):
            raise ValidationError(
                gettext("Someone else has changed this line in the meantime. It now reads: “%(text)s”.")
                % {"text": now.text}
            )
        return super().clean()


_IN_OTHER_WORDS = ("session", "start", "end", "text", "voice", "score")
_FACTS = [
    column.name
    for column in Utterance._meta.concrete_fields
    if column.editable and not column.primary_key and column.name not in _IN_OTHER_WORDS
]
"""Columns of a line that are shown as they are."""


@admin.register(Utterance)
class UtteranceAdmin(OwnSessionsMixin, VersionsAdmin):
    session_path = "session__"

    form = LineForm
    list_display = ["time", "speaker", "text", "edited", "session"]
    list_display_links = ["text"]
    sortable_by: ClassVar[list[str]] = []  # of millions of lines only `get_ordering` is fast
    list_select_related = ["session", "voice__speaker"]
    list_filter = ["is_edited", "is_voice_locked", ("voice", admin.EmptyFieldListFilter)]
    list_per_page = 100
    paginator = CappedPaginator
    show_full_result_count = False
    search_fields = ["text"]
    fields = ["session", "time", "speaker", "text", "machine_text", *_FACTS, "certainty", "seen"]
    readonly_fields = ["session", "time", "speaker", "machine_text", *_FACTS, "certainty"]

    actions = ["enroll_with_lines"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Utterance]:
        return super().get_queryset(request).filter(is_removed=False).defer("tokens")

    def get_ordering(self, request: HttpRequest) -> list[str]:
        # In the order of their meeting, or the newest first: both are the order of an index.
        return ["start", "id"] if _ONE_SESSION in request.GET else ["-id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Utterance], search_term: str
    ) -> tuple[QuerySet[Utterance], bool]:
        return (search.find(queryset, search_term) if search_term else queryset), False

    @admin.action(description=_("Enroll the speaker with the selected lines"), permissions=["enroll"])
    def enroll_with_lines(self, request: HttpRequest, lines: QuerySet[Utterance]) -> HttpResponse | None:
        """Turn what was said in a meeting into a recording to decide on, as if it had been uploaded."""
        people = Speaker.objects.filter(voices__utterances__in=lines).distinct()
        if len(people) != 1 or lines.filter(voice__speaker=None).exists():
            messages.error(request, gettext("Select lines of a single speaker whose name is known."))
            return None
        [speaker] = people
        if enrollment.valid_consent(speaker) is None:
            messages.error(request, gettext("This person must first agree to being recognised by voice."))
            return redirect("enroll", speaker.uuid)
        audio = said(lines.order_by("session", "start"))
        if not len(audio):
            messages.error(request, gettext("No recording of these lines has been kept."))
            return None
        draft = enrollment.begin(
            audio, source=Voiceprint.Source.TRANSCRIPT, by=user_of(request), speaker=speaker
        )
        return redirect("enrollment", draft.uuid)

    def has_enroll_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ENROLL)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Utterance | None = None) -> bool:
        return False  # lines are removed in the editor, where it can be undone

    def revert_disabled(self, request: HttpRequest, obj: Utterance | None = None) -> bool:
        return True  # versions are restored in the editor as well

    def has_view_history_or_change_history_permission(
        self, request: HttpRequest, obj: Utterance | None = None
    ) -> bool:
        """Allow it as in the editor, for lines that one may change; the queryset knows no older versions."""
        is_own = obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()
        return is_own and self.has_change_permission(request, obj)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in (_ONE_SESSION, "voice__id__exact") or super().lookup_allowed(lookup, value, request)

    def save_model(self, request: HttpRequest, obj: Utterance, form: LineForm, change: bool) -> None:
        """Save as in the editor: the line is locked against the machine, and its readers see the change."""
        assert request.user.is_authenticated
        seen = Seen(line=obj.pk, revision=form.cleaned_data["seen"])
        try:
            editing.apply(obj.session, ChangeText(seen=seen, text=obj.text), by=request.user)
        except (editing.Conflict, editing.NotPossible) as error:
            messages.error(request, str(error))

    @admin.display(description=_("edited"))
    def edited(self, utterance: Utterance) -> str:
        return "✎" if utterance.is_edited else ""

    @admin.display(description=_("score"))
    def certainty(self, utterance: Utterance) -> str:
        """Return the probability that the named speaker said it."""
        return "" if utterance.score is None else percent(utterance.score)

    @admin.display(description=_("time"))
    def time(self, utterance: Utterance) -> str:
        return clock(seconds(utterance.start))

    @admin.display(description=_("speaker"))
    def speaker(self, utterance: Utterance) -> str:
        return utterance.voice.name if utterance.voice else ""


_ONE_SESSION = "session__id__exact"


@admin.register(Voice)
class VoiceAdmin(OwnSessionsMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    session_path = "session__"

    list_display = ["name", "session", "lines", "is_named_by_person"]
    list_select_related = ["session", "speaker"]
    list_filter = [("speaker", admin.EmptyFieldListFilter), "is_named_by_person"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["speaker__name", "session__title", "session__key"]
    autocomplete_fields = ["speaker"]
    fields = ["session", "number", "speaker", "is_named_by_person", "lines"]
    readonly_fields = ["session", "number", "is_named_by_person", "lines"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voice]:
        return super().get_queryset(request).filter(merged_into=None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Voice | None = None) -> bool:
        return False  # it goes with its session

    def save_model(self, request: HttpRequest, obj: Voice, form: ModelForm[Voice], change: bool) -> None:
        """Save as in the editor: all lines of the voice follow, and readers see it."""
        if "speaker" in form.changed_data:
            attribution.name_voice(Voice.objects.get(pk=obj.pk), obj.speaker)

    @admin.display(description=_("name"), ordering="speaker__name")
    def name(self, voice: Voice) -> str:
        return voice.name

    @admin.display(description=_("lines"))
    def lines(self, voice: Voice) -> str:
        address = reverse("admin:sessions_app_utterance_changelist")
        return format_html('<a href="{}?voice__id__exact={}">{}</a>', address, voice.pk, gettext("show"))


@admin.register(DefaultModels)
class DefaultModelsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The choice among the sets that are served; deleted, it is that of the settings."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the page of models, where one is chosen among all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("models")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not DefaultModels.objects.exists()

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "name":
            return ChoiceField(
                choices=model_sets.choices(), label=db_field.verbose_name, help_text=db_field.help_text
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of which each change is in the audit log."""

    action: Action
    called: str
    """The name of a row's key in the log."""

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        super().save_model(request, row, form, change)
        self._record(row, "changed" if change else "made")

    def delete_model(self, request: HttpRequest, row: Any) -> None:
        self._record(row, "deleted")
        super().delete_model(request, row)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def _record(self, row: Any, change: str) -> None:
        log.record(self.action, change=change, **{self.called: row.pk})


@admin.register(WritingRule)
class WritingRuleAdmin(AuditedAdmin):
    """Rules for every meeting; what people ask for in one of them belongs to it."""

    action, called = Action.RULE_CHANGED, "rule"
    list_display = ["wrong", "right", "made_by", "made_at"]
    search_fields = ["wrong", "right"]
    fields = ["wrong", "right"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WritingRule]:
        return super().get_queryset(request).filter(session=None)

    def save_model(self, request: HttpRequest, row: WritingRule, form: Any, change: bool) -> None:
        row.made_by = user_of(request)
        super().save_model(request, row, form, change)


@admin.register(CommonHotword)
class CommonHotwordAdmin(AuditedAdmin):
    """Words that are listened for in every meeting."""

    action, called = Action.HOTWORD_CHANGED, "hotword"
    list_display = ["text", "weight"]
    search_fields = ["text"]


class LabelledDateTime(AdminSplitDateTime):
    """Day and time with a name each, for those who do not see the words beside them."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget, name in zip(self.widgets, (_("Day"), _("Time")), strict=True):
            widget.attrs["aria-label"] = name


DATE_TIMES: Mapping[type[Field[Any, Any]], Mapping[str, Any]] = {
    DateTimeField: {"form_class": SplitDateTimeField, "widget": LabelledDateTime}
}


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "role", "session_key", "may_export", "expires_at", "is_revoked", "last_used_at"]
    formfield_overrides = DATE_TIMES
    list_filter = ["role", "is_revoked"]
    search_fields = ["name", "session_key"]
    actions = ["revoke"]

    def get_readonly_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> list[str]:
        # What a token is good for is settled when it is given out.
        return [
            *(["role", "session_key", "may_export"] if obj else []),
            "created_by",
            "created_at",
            "last_used_at",
        ]

    def save_model(
        self, request: HttpRequest, obj: AccessToken, form: ModelForm[AccessToken], change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        secret = obj.renew_secret()
        obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)
        log.record(Action.LINK_MADE, meeting=obj.session_key, link=obj.pk, role=obj.role)
        # Once, and nowhere else: only the hash is kept.
        text = gettext("The token is %(secret)s – copy it now: it cannot be shown again.") % {
            "secret": secret
        }
        messages.warning(request, text)

    @admin.action(description=_("Revoke the selected tokens"), permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[AccessToken]) -> None:
        good = list(tokens.filter(is_revoked=False))
        tokens.update(is_revoked=True)
        log.write(log.entry(Action.LINK_REVOKED, meeting=token.session_key, link=token.pk) for token in good)
        rights_changes.announce()
        messages.success(request, gettext("%(count)d tokens were revoked.") % {"count": len(good)})


class PermissionField(ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Permission) -> str:
        return roles.permission_label(obj)


class GroupField(ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Group) -> str:
        return roles.group_label(obj.name)


class PermissionsMixin:
    """Groups and permissions to choose from, named in the reader's language."""

    formfield_overrides = DATE_TIMES

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Permission:
            kwargs["form_class"] = PermissionField
        if db_field.related_model is Group:
            kwargs["form_class"] = GroupField
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


# Whom the provider vouches for is its own business, and its secret is in the environment.
admin.site.unregister([Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken])
admin.site.unregister([Group, User])


@admin.register(Group)
class TranslatedGroupAdmin(PermissionsMixin, GroupAdmin):  # type: ignore[misc]
    list_display = ["label"]

    @admin.display(description=_("name"), ordering="name")
    def label(self, group: Group) -> str:
        return roles.group_label(group.name)


class QuotaInline(admin.StackedInline):  # type: ignore[type-arg]
    """The quota of an account; whoever may change accounts may change it."""

    model = Quota

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(accounts.MANAGE)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


@admin.register(User)
class TranslatedUserAdmin(PermissionsMixin, UserAdmin):  # type: ignore[type-arg]
    inlines = [QuotaInline]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        log.record(Action.ACCOUNT_MADE, account=obj.pk)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        """Log a change of an account, of its roles or its password."""
        log.record(Action.ACCOUNT_CHANGED, account=obj.pk)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        log.write(log.entry(Action.ACCOUNT_DELETED, account=user.pk) for user in queryset)
        return super().log_deletions(request, queryset)


class MinutesTemplateForm(ModelForm):  # type: ignore[type-arg]
    """A template, whose sections are ticked."""

    sections = MultipleChoiceField(
        label=_("Sections"),
        choices=MinutesTemplate.SECTIONS,
        required=False,
        widget=CheckboxSelectMultiple,
        help_text=_("None: all of them."),
    )

    class Meta:
        model = MinutesTemplate
        fields = ("name", "instructions", "sections", "language")


@admin.register(MinutesTemplate)
class MinutesTemplateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Templates by which a language model writes minutes."""

    form = MinutesTemplateForm
    list_display = ["name", "language"]
    search_fields = ["name"]
