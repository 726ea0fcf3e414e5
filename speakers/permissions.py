"""Permissions on voices, as Django names them."""

from __future__ import annotations

VIEW = "speakers.view_speaker"
ENROLL = "speakers.enroll_speaker"
LISTEN = "speakers.view_voiceprint"
MERGE = "speakers.merge_speaker"
EXPORT = "speakers.export_speaker"
