"""Addresses of the sessions' pages."""

from django.urls import path

from .views import audio, editing, pages

urlpatterns = [
    path("", pages.session_list, name="session-list"),
    path("record/", pages.record, name="record"),
    path("sessions/<str:key>/", pages.session, name="session"),
    path("sessions/<str:key>/lines", pages.lines, name="lines"),
    path("sessions/<str:key>/lines/<int:line>/words", editing.words, name="words-of-line"),
    path("sessions/<str:key>/lines/<int:line>/versions", editing.versions, name="versions-of-line"),
    path("sessions/<str:key>/edits", editing.edit, name="edit"),
    path("sessions/<str:key>/people", editing.people, name="people"),
    path("sessions/<str:key>/audio.wav", audio.wav, name="audio"),
    path("sessions/<str:key>/peaks", audio.waveform, name="peaks"),
]
