"""Addresses of the sessions' pages."""

from django.urls import path

from .views import audio, pages

urlpatterns = [
    path("", pages.session_list, name="session-list"),
    path("record/", pages.record, name="record"),
    path("sessions/<str:key>/", pages.session, name="session"),
    path("sessions/<str:key>/lines", pages.lines, name="lines"),
    path("sessions/<str:key>/audio.wav", audio.wav, name="audio"),
]
