"""What is kept of a person, for that person: complete, readable, and nobody else's."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import Entry
from speakers import enrollment, export, lifecycle
from speakers.models import ConsentText, Speaker, Voiceprint

from .people import enroll, give_consent, make_speaker

pytestmark = pytest.mark.django_db

VOICE = np.array([0.6, 0.8, 0.0, 0.0], np.float32)


def opened(speaker: Speaker) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the file says, and the recordings in it by name."""
    with zipfile.ZipFile(io.BytesIO(export.export(speaker))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(files.pop("speaker.json")), files


def test_somebody_of_whom_nothing_is_kept_but_a_name() -> None:
    alice = Speaker.objects.create(name="Alice", note="met in May")

    kept, recordings = opened(alice)

    assert (kept["id"], kept["name"], kept["note"]) == (str(alice.uuid), "Alice", "met in May")
    assert kept["earlier_names"] == kept["consents"] == kept["voiceprints"] == kept["log"] == []
    assert recordings == {}


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "محمد \u202eevil",
        'a"b\\c',
        "line\nbreak",
        "🎤🧑‍🎤",
        "../../etc/passwd",
        "=1+1",
        "<b>x</b>",
        "O’Neill",
    ],
)
def test_whatever_somebody_is_called_the_name_comes_back_and_is_in_no_file_name(name: str) -> None:
    alice = make_speaker(name, VOICE, audio=b"sound")

    kept, recordings = opened(alice)

    assert kept["name"] == name
    voiceprint = alice.voiceprints.get()
    assert recordings == {f"recordings/{voiceprint.uuid}.flac": b"sound"}


def test_every_voiceprint_has_its_recording_its_figures_and_its_place() -> None:
    alice = make_speaker("Alice", VOICE, audio=b"first", speech_s=4.5)
    enroll(alice, -VOICE, audio=b"second")
    enroll(alice, VOICE)  # none was kept

    kept, recordings = opened(alice)

    told = {entry["id"]: entry for entry in kept["voiceprints"]}
    assert len(told) == 3
    for voiceprint in alice.voiceprints.all():
        entry = told[str(voiceprint.uuid)]
        assert entry["seconds_of_speech"] == voiceprint.speech_s
        assert entry["embedding"] == pytest.approx(voiceprint.embedding.tolist())
        assert (entry["recording"] in recordings) == bool(voiceprint.audio)
    assert sorted(recordings.values()) == [b"first", b"second"]


def test_nobody_elses_voice_or_deed_is_in_it() -> None:
    alice, bob = make_speaker("Alice", VOICE, audio=b"hers"), make_speaker("Bob", VOICE, audio=b"his")
    Entry.objects.create(action="play", speaker=bob.uuid)
    Entry.objects.create(action="enroll", speaker=alice.uuid, actor_name="anna", detail={"source": "upload"})

    kept, recordings = opened(alice)

    assert list(recordings.values()) == [b"hers"]
    assert [(entry["action"], entry["by"], entry["source"]) for entry in kept["log"]] == [
        ("enroll", "anna", "upload")
    ]
    assert "Bob" not in json.dumps(kept)


def test_consents_say_to_what_until_when_and_who_saw_it(settings: Any) -> None:
    settings.CONSENT_DAYS = 0
    anna = User.objects.create_user("anna")
    alice = Speaker.objects.create(name="Alice")
    text = ConsentText.objects.create(text="You may.\nAlways.", language="en")
    consent = enrollment.record_consent(alice, text, by=anna)
    ends = timezone.now() + timedelta(days=3)
    give_consent(alice, expires_at=ends)

    told = opened(alice)[0]["consents"]

    assert {entry["expires"] for entry in told} == {None, ends.isoformat()}
    recorded = next(entry for entry in told if entry["recorded_by"])
    assert (recorded["text"], recorded["recorded_by"]) == ("You may.\nAlways.", "anna")
    assert recorded["given"] == consent.given_at.isoformat()


def test_who_saw_it_may_be_gone() -> None:
    anna = User.objects.create_user("anna")
    alice = make_speaker("Alice", VOICE)
    alice.consents.update(recorded_by=anna)
    alice.voiceprints.update(created_by=anna)
    anna.delete()

    kept = opened(alice)[0]

    assert kept["consents"][0]["recorded_by"] is None
    assert kept["voiceprints"][0]["enrolled_by"] is None


def test_earlier_names_are_told_once_each() -> None:
    alice = Speaker.objects.create(name="Alice")
    for name in ("Zoe", "Bea", "Zoe", "Alice"):
        lifecycle.rename(alice, name=name, note="", by=None)

    assert opened(alice)[0]["earlier_names"] == ["Bea", "Zoe"]


def test_a_recording_that_is_gone_keeps_nobody_from_the_rest(media: Path) -> None:
    alice = make_speaker("Alice", VOICE, audio=b"lost")
    kept = enroll(alice, VOICE, audio=b"kept")
    lost = alice.voiceprints.exclude(pk=kept.pk).get()
    Path(lost.audio.path).unlink()

    told, recordings = opened(alice)

    assert recordings == {f"recordings/{kept.uuid}.flac": b"kept"}
    assert {entry["id"]: entry["recording"] for entry in told["voiceprints"]} == {
        str(kept.uuid): f"recordings/{kept.uuid}.flac",
        str(lost.uuid): None,
    }


def test_what_was_done_with_an_entry_that_was_merged_into_this_one_is_told_as_well() -> None:
    alice, again = make_speaker("Alice", VOICE), make_speaker("Alice again", VOICE)
    third = make_speaker("Alice once more")
    Entry.objects.create(action="play", speaker=third.uuid)
    lifecycle.merge(again, third, by=None)
    lifecycle.merge(alice, again, by=None)

    told = opened(alice)[0]["log"]

    assert sorted(entry["action"] for entry in told) == ["merge", "merge", "play"]


def test_a_person_without_a_voice_has_no_key_to_lose(settings: Any) -> None:
    """Only what is encrypted needs the key."""
    alice = make_speaker("Alice")
    settings.VOICEPRINT_KEYS = ["LNVaeKnVvRo1nbzs2h6BxA1xGh3QmzLKfyT4yGnDS-k="]

    assert opened(alice)[0]["name"] == "Alice"
    assert Voiceprint.objects.count() == 0
