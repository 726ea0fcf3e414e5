"""Addresses of the sessions' pages."""

from django.urls import path

from .views import audio, catalogue, editing, exports, notes, pages, people, sharing

urlpatterns = [
    path("", pages.session_list, name="session-list"),
    path("record/", pages.record, name="record"),
    path("trash/", catalogue.show_trash, name="trash"),
    path("meetings/running", pages.running_meetings, name="running"),
    path("meetings/actions", catalogue.act, name="actions"),
    path("people/", people.person_list, name="person-list"),
    path("people/<uuid:key>/", people.person, name="person"),
    path("people/<uuid:key>/forget/", people.forget, name="forget-person"),
    path("sessions/<str:key>/", pages.session, name="session"),
    path("sessions/<str:key>/captions/", pages.captions, name="captions"),
    path("sessions/<str:key>/links", sharing.links, name="links"),
    path("sessions/<str:key>/links/<int:link>/revoke", sharing.revoke_link, name="revoke-link"),
    path("sessions/<str:key>/end", sharing.end, name="end"),
    path("sessions/<str:key>/delete", sharing.delete, name="delete"),
    path("sessions/<str:key>/lines", pages.lines, name="lines"),
    path("sessions/<str:key>/lines/<int:line>/words", editing.words, name="words-of-line"),
    path("sessions/<str:key>/lines/<int:line>/versions", editing.versions, name="versions-of-line"),
    path("sessions/<str:key>/notes", notes.notes, name="notes"),
    path("sessions/<str:key>/removed", editing.removed_lines, name="removed-lines"),
    path("sessions/<str:key>/edits", editing.edit, name="edit"),
    path("sessions/<str:key>/people", editing.people, name="people"),
    path("sessions/<str:key>/audio.wav", audio.wav, name="audio"),
    path("sessions/<str:key>/export/recording", exports.recording, name="export-recording"),
    path("sessions/<str:key>/export/<str:format>", exports.export, name="export"),
    path("sessions/<str:key>/peaks", audio.waveform, name="peaks"),
]
