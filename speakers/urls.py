"""Addresses of the pages on which voices are enrolled and kept."""

from django.urls import path

from . import views

urlpatterns = [
    path("new/", views.add, name="add-person"),
    path("merge/", views.merge, name="merge-people"),
    path("<uuid:key>/change/", views.change, name="change-person"),
    path("<uuid:key>/enroll/", views.enroll, name="enroll"),
    path("<uuid:key>/export/", views.export_speaker, name="export-person"),
    path("enrollments/<uuid:key>/", views.decide, name="enrollment"),
    path("enrollments/<uuid:key>/verdict/", views.verdict, name="enrollment-verdict"),
    path("enrollments/<uuid:key>/audio/", views.enrollment_audio, name="enrollment-audio"),
    path("voiceprints/<uuid:key>/audio/", views.voiceprint_audio, name="voiceprint-audio"),
    path("voiceprints/<uuid:key>/forget/", views.forget_voiceprint, name="forget-voiceprint"),
    path("<uuid:key>/links/", views.invite, name="invite"),
    path("links/<uuid:key>/revoke/", views.revoke_invitation, name="revoke-invitation"),
    path("record/<str:token>/", views.record_oneself, name="record-oneself"),
    path("record/<str:token>/verdict/", views.own_verdict, name="own-verdict"),
    path("record/<str:token>/withdraw/", views.withdraw_own, name="withdraw-own-consent"),
    path("consents/<int:key>/withdraw/", views.withdraw, name="withdraw-consent"),
]
