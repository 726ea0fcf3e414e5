"""Another key: everything is encrypted with it, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from speakers import encryption, key_rotation
from speakers.fields import unseal
from speakers.models import Voiceprint

from .people import enroll, make_speaker

pytestmark = pytest.mark.django_db

VOICE = np.arange(4, dtype=np.float32)


@pytest.fixture
def voiceprint(settings: Any) -> Voiceprint:
    settings.VOICEPRINT_KEYS = []
    return enroll(make_speaker(), VOICE, audio=b"fLaC and more")


def read(voiceprint: Voiceprint) -> tuple[list[float], bytes]:
    found = Voiceprint.objects.get(pk=voiceprint.pk)
    return list(unseal(found.sealed_embedding)), found.audio.read()


def test_every_voice_has_the_new_key_and_sounds_as_before(voiceprint: Voiceprint) -> None:
    before = encryption.keys()
    call_command("rotate_keys", "--drop-old")
    [key] = encryption.keys()
    assert key not in before
    assert read(voiceprint) == ([0, 1, 2, 3], b"fLaC and more")
    assert [path.name for path in Path(voiceprint.audio.path).parent.iterdir()] == [
        Path(voiceprint.audio.path).name
    ]


def test_earlier_keys_stay_unless_they_are_dropped(voiceprint: Voiceprint) -> None:
    before = encryption.keys()
    call_command("rotate_keys")
    assert encryption.keys()[1:] == before
    assert key_rotation.rotate() == key_rotation.Rotated(0, 0)


def test_what_no_key_fits_stops_it_before_a_key_is_dropped(voiceprint: Voiceprint) -> None:
    encryption.write_keys([Fernet.generate_key().decode()], replace=True)
    before = encryption.keys()
    with pytest.raises(CommandError, match="another key"):
        call_command("rotate_keys", "--drop-old")
    assert set(before) < set(encryption.keys())


def test_keys_of_the_settings_are_changed_there(voiceprint: Voiceprint, settings: Any) -> None:
    new = Fernet.generate_key().decode()
    settings.VOICEPRINT_KEYS = [new, *encryption.keys()]
    with pytest.raises(CommandError, match="--no-new-key"):
        call_command("rotate_keys")
    call_command("rotate_keys", "--no-new-key")
    settings.VOICEPRINT_KEYS = [new]
    assert read(voiceprint)[1] == b"fLaC and more"


def test_a_row_that_changes_meanwhile_keeps_the_change(
    voiceprint: Voiceprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_rotation.add_key()
    decrypt = encryption.decrypt

    def change_first(token: bytes) -> bytes:
        fresh = encryption.encrypt(np.ones(4, "<f4").tobytes())
        Voiceprint.objects.filter(sealed_embedding=token).update(sealed_embedding=fresh)
        return decrypt(token)

    monkeypatch.setattr(encryption, "decrypt", change_first)
    key_rotation.rotate()
    monkeypatch.undo()
    assert read(voiceprint)[0] == [1, 1, 1, 1]
