"""Everything that is kept of one person, for that person: a ZIP of JSON and recordings."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from . import on_record
from .fields import unseal
from .models import Consent, Speaker, Voiceprint


def export(speaker: Speaker) -> bytes:
    """Return a ZIP file: `speaker.json`, and each recording as FLAC.

    Raises:
        Undecipherable: If the key of the voiceprints is gone.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("speaker.json", json.dumps(describe(speaker), ensure_ascii=False, indent=2))
        for voiceprint in speaker.voiceprints.all():
            if name := _recording(voiceprint):
                with voiceprint.audio.open() as recording:
                    archive.writestr(name, recording.read())
    return buffer.getvalue()


def describe(speaker: Speaker) -> dict[str, Any]:
    """Return what is in the database, in words that a person understands."""
    return {
        "id": str(speaker.uuid),
        "name": speaker.name,
        "note": speaker.note,
        "created": speaker.created_at.isoformat(),
        "earlier_names": sorted(set(speaker.history.values_list("name", flat=True)) - {speaker.name}),
        "consents": [_consent(consent) for consent in speaker.consents.select_related("text", "recorded_by")],
        "links_to_record_oneself": [
            {
                "made": invitation.created_at.isoformat(),
                "by": invitation.created_by.get_username(),
                "expires": invitation.expires_at.isoformat(),
            }
            for invitation in speaker.invitations.select_related("created_by")
        ],
        "voiceprints": [
            _voiceprint(voiceprint) for voiceprint in speaker.voiceprints.select_related("created_by")
        ],
        "log": [
            {"at": entry.at.isoformat(), "action": entry.action, "by": entry.actor_name, **entry.detail}
            for entry in on_record.entries_of(speaker)
        ],
    }


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "given": consent.given_at.isoformat(),
        "expires": consent.expires_at.isoformat() if consent.expires_at else None,
        "recorded_by": consent.recorded_by.get_username() if consent.recorded_by else None,
        "text": consent.text.text,
    }


def _voiceprint(voiceprint: Voiceprint) -> dict[str, Any]:
    return {
        "id": str(voiceprint.uuid),
        "created": voiceprint.created_at.isoformat(),
        "enrolled_by": voiceprint.created_by.get_username() if voiceprint.created_by else None,
        "source": voiceprint.source,
        "seconds_of_speech": voiceprint.speech_s,
        "recording": _recording(voiceprint),
        "model": voiceprint.model_id,
        "embedding": voiceprint.embedding.tolist(),
        "heard_by_other_models": {
            each.model_id: unseal(each.sealed_embedding).tolist()
            for each in voiceprint.embeddings.exclude(sealed_embedding=None)
        },
    }


def _recording(voiceprint: Voiceprint) -> str | None:
    """Return the name of a recording in the file; None if there is none (any more)."""
    name = voiceprint.audio.name
    return f"recordings/{voiceprint.uuid}.flac" if name and voiceprint.audio.storage.exists(name) else None
