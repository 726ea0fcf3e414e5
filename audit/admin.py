"""The audit log, to read and to take away."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from . import export, log, names
from .models import Action, Entry


class FactsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the service writes and people only read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(FactsAdmin):
    """Entries, to search; all that a search finds can be had as JSON lines."""

    list_display = ["at", "action", "subject", "actor_name", "address"]
    list_filter = ["action", "at"]
    list_per_page = 100
    show_full_result_count = False
    search_fields = ["speaker", "meeting", "actor_name", "address"]
    date_hierarchy = "at"
    fields = ["at", "action", "subject", "speaker", "meeting", "actor_name", "address", "detail"]
    change_list_template = "audit/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return names.named(Entry.objects.readable_by(request.user), request.user)

    def get_urls(self) -> list[URLPattern]:
        own = path("export/", self.admin_site.admin_view(self.export), name="audit_entry_export")
        return [own, *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Serve what the list shows, and all further pages of it, as JSON lines."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            raise Http404(_("There is nothing at this address.")) from None
        log.record(Action.LOG_EXPORTED)
        name = f"audit-{timezone.localtime():%Y%m%d-%H%M}.jsonl"
        response = StreamingHttpResponse(
            export.in_threads(export.json_lines(found)), content_type=export.CONTENT_TYPE
        )
        response.headers["Content-Disposition"] = content_disposition_header(True, name)
        response.headers["Cache-Control"] = "no-store"
        return response

    @admin.display(description=_("with what"))
    def subject(self, entry: Any) -> str:
        """Return the name of those who are still there and may be seen; otherwise a key."""
        if entry.meeting:
            return str(entry.meeting)
        if account := entry.detail.get("account"):
            return gettext("account %(key)d") % {"key": account}
        return getattr(entry, "speaker_name", None) or str(entry.speaker or "")[:8]
