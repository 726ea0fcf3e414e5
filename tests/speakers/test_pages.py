"""What an enroller does on the pages: record, decide, merge, listen, export, forget."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from recognition.audio import SAMPLE_RATE
from speakers import enrollment
from speakers.models import (
    Consent,
    ConsentText,
    Enrollment,
    Job,
    Speaker,
    Voiceprint,
)
from speakers.voiceprints.assessment import Problem

from ..sessions_app.meetings import make_user
from ..sessions_app.views.test_page_access import OF_PEOPLE
from ..sessions_app.views.test_page_access import addresses as all_addresses
from .drafts import VOICE, begin, wav
from .people import enroll, make_speaker

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user("enroller", "enroller")  # enrolling needs no way into the admin


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def speaker() -> Speaker:
    return Speaker.objects.create(name="Alice")


def enroll_page(speaker: Speaker) -> str:
    return reverse("enroll", args=[speaker.uuid])


def decide_page(draft: Enrollment) -> str:
    return reverse("enrollment", args=[draft.uuid])


class TestAdd:
    def test_a_new_person_is_asked_for_a_voice_at_once(self, client: Client) -> None:
        response = client.post(reverse("add-person"), {"name": "Bob", "note": "Sales"})

        bob = Speaker.objects.get(name="Bob")
        assert response["Location"] == enroll_page(bob)
        assert bob.note == "Sales"

    def test_without_the_right_to_enroll_they_are_only_shown(self) -> None:
        client = Client()
        client.force_login(make_user("clerk", "transcriber"))

        response = client.post(reverse("add-person"), {"name": "Bob", "note": ""})

        assert response["Location"] == reverse("person", args=[Speaker.objects.get().uuid])

    def test_nobody_is_without_a_name(self, client: Client) -> None:
        page = client.post(reverse("add-person"), {"name": "  ", "note": ""})

        assert page.context["form"].errors == {"name": ["This field is required."]}
        assert not Speaker.objects.exists()


class TestChange:
    def test_it_is_a_new_version_by_the_one_who_made_it(
        self, client: Client, speaker: Speaker, user: User
    ) -> None:
        client.post(reverse("change-person", args=[speaker.uuid]), {"name": "Alicia", "note": "new"})

        speaker.refresh_from_db()
        assert (speaker.name, speaker.note) == ("Alicia", "new")
        assert speaker.history.first().history_user == user

    def test_a_name_that_is_too_long_is_refused_in_words(self, client: Client, speaker: Speaker) -> None:
        change = {"name": 101 * "x", "note": ""}
        page = client.post(reverse("change-person", args=[speaker.uuid]), change, follow=True)

        assert "at most 100 characters" in page.text
        speaker.refresh_from_db()
        assert speaker.name == "Alice"


class TestEnroll:
    def test_an_upload_waits_for_a_worker_and_the_consent_is_kept(
        self, client: Client, speaker: Speaker, user: User
    ) -> None:
        response = client.post(
            enroll_page(speaker), {"recording": wav(), "source": "upload", "has_agreed": "on"}
        )

        draft = Enrollment.objects.get()
        assert response["Location"] == decide_page(draft)
        assert (draft.speaker, draft.created_by, draft.source) == (speaker, user, "upload")
        assert Job.objects.get().subject == str(draft.uuid)
        consent = speaker.consents.get()
        assert consent.recorded_by == user
        assert "biometric" in consent.text.text

    def test_without_consent_nothing_is_kept(self, client: Client, speaker: Speaker) -> None:
        response = client.post(enroll_page(speaker), {"recording": wav(), "source": "upload"})

        assert response.context["form"].errors == {"has_agreed": ["This field is required."]}
        assert not Enrollment.objects.exists()
        assert not Consent.objects.exists()

    def test_a_consent_is_asked_for_once(self, client: Client) -> None:
        page = client.get(enroll_page(make_speaker("Bob")))

        assert "has_agreed" not in page.context["form"].fields

    def test_a_text_without_a_language_is_offered_to_nobody(self, client: Client, speaker: Speaker) -> None:
        ConsentText.objects.create(text="The voices of the sample meeting are nobody's.", language="")
        page = client.get(reverse("enroll", args=[speaker.uuid])).content.decode()
        assert "biometric" in page and "sample meeting" not in page

    def test_the_consent_is_shown_in_the_language_of_the_page(self, client: Client, speaker: Speaker) -> None:
        page = client.get(enroll_page(speaker), headers={"accept-language": "zh-CN"})

        assert "声纹" in page.content.decode()

    def test_the_newest_wording_is_shown(self, client: Client, speaker: Speaker) -> None:
        ConsentText.objects.create(text="New words.", language="en")

        assert "New words." in client.get(enroll_page(speaker)).content.decode()

    def test_a_recording_of_the_browser_is_marked_as_one(self, client: Client, speaker: Speaker) -> None:
        client.post(enroll_page(speaker), {"recording": wav(), "source": "microphone", "has_agreed": "on"})

        assert Enrollment.objects.get().source == "microphone"

    def test_nobody_claims_that_an_upload_is_from_a_transcript(
        self, client: Client, speaker: Speaker
    ) -> None:
        client.post(enroll_page(speaker), {"recording": wav(), "source": "transcript", "has_agreed": "on"})

        assert Enrollment.objects.get().source == "upload"

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"Dear sir or madam", "not an audio file"),
            (b"", "empty"),
            (b"RIFF\xff\xff\xff\xffWAVEfmt ", "not an audio file"),
        ],
    )
    def test_a_file_that_is_no_recording_is_a_form_error(
        self, client: Client, speaker: Speaker, data: bytes, words: str
    ) -> None:
        file = SimpleUploadedFile("../../etc/voice.wav", data, "audio/wav")

        response = client.post(
            enroll_page(speaker), {"recording": file, "source": "upload", "has_agreed": "on"}
        )

        assert response.status_code == 200
        assert words in str(response.context["form"].errors["recording"])
        assert not Enrollment.objects.exists()


class TestDecide:
    def test_until_a_worker_has_listened_there_is_nothing_to_decide(
        self, client: Client, speaker: Speaker, user: User
    ) -> None:
        audio = np.zeros(SAMPLE_RATE, np.float32)
        draft = enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=user, speaker=speaker)

        page = client.get(decide_page(draft)).content.decode()

        assert "is being checked" in page
        assert 'name="store"' not in page
        answer = client.get(reverse("enrollment-verdict", args=[draft.uuid])).json()
        assert answer == {"is_judged": False, "has_failed": False}

    def test_the_verdict_is_shown_with_names(self, client: Client, speaker: Speaker, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(speaker, user, Problem.LIKE_ANOTHER, nearest=[(bob.pk, 3.0)])

        page = client.get(decide_page(draft)).content.decode()

        assert "It sounds like someone else who is enrolled." in page
        assert "Bob" in page
        assert "0.95" in page
        assert "9.5 s of 12.0 s" in page

    def test_somebody_who_was_forgotten_meanwhile_is_not_named(
        self, client: Client, speaker: Speaker, user: User
    ) -> None:
        draft = begin(speaker, user, nearest=[(99999, 3.0)])

        assert client.get(decide_page(draft)).status_code == 200

    def test_a_good_recording_is_stored(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user)

        client.post(decide_page(draft), {"store": "1"})

        voiceprint = bob.voiceprints.get()
        np.testing.assert_allclose(voiceprint.embedding, VOICE)
        assert (voiceprint.speech_s, voiceprint.created_by) == (9.5, user)
        assert not Enrollment.objects.exists()

    def test_a_doubtful_recording_is_stored_only_by_somebody_who_is_sure(
        self, client: Client, user: User
    ) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user, Problem.SEVERAL_VOICES)

        client.post(decide_page(draft), {"store": "1"})
        assert not bob.voiceprints.exists()

        client.post(decide_page(draft), {"store": "1", "is_sure": "on"})
        assert bob.voiceprints.exists()

    def test_too_little_speech_is_not_stored_at_all(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user, Problem.TOO_SHORT)

        response = client.post(decide_page(draft), {"store": "1", "is_sure": "on"})

        assert not bob.voiceprints.exists()
        assert "three seconds" in response.content.decode()

    def test_a_consent_that_was_withdrawn_meanwhile_stops_it(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user)
        bob.consents.get().delete()

        response = client.post(decide_page(draft), {"store": "1"})

        assert not bob.voiceprints.exists()
        assert "withdrawn" in response.content.decode()

    def test_a_recording_can_be_deleted(
        self, client: Client, speaker: Speaker, user: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        draft = begin(speaker, user)
        file = Path(draft.audio.path)

        with django_capture_on_commit_callbacks(execute=True):
            client.post(decide_page(draft), {"discard": "1"})

        assert not Enrollment.objects.exists()
        assert not file.exists()

    def test_the_recording_can_be_heard(self, client: Client, speaker: Speaker, user: User) -> None:
        draft = begin(speaker, user)

        response = client.get(reverse("enrollment-audio", args=[draft.uuid]))

        audio = enrollment.from_flac(b"".join(response.streaming_content))  # type: ignore[attr-defined]
        assert len(audio) == SAMPLE_RATE
        assert "no-store" in response["Cache-Control"]

    def test_what_a_worker_could_not_do_is_told(self, client: Client, speaker: Speaker, user: User) -> None:
        audio = np.zeros(SAMPLE_RATE, np.float32)
        draft = enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=user, speaker=speaker)
        Job.objects.update(state=Job.State.FAILED, error="The disk is full.")

        assert "The disk is full." in client.get(decide_page(draft)).content.decode()


class TestVoiceprints:
    def test_whoever_listens_is_on_record(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob", VOICE, audio=enrollment.to_flac(np.zeros(SAMPLE_RATE, np.float32)))

        response = client.get(reverse("voiceprint-audio", args=[bob.voiceprints.get().uuid]))

        assert response.status_code == 200
        entry = Entry.objects.get(action="play")
        assert (entry.actor, entry.speaker) == (user, bob.uuid)

    def test_a_recording_that_is_gone_is_not_found(self, client: Client) -> None:
        bob = make_speaker("Bob", VOICE)

        response = client.get(reverse("voiceprint-audio", args=[bob.voiceprints.get().uuid]))

        assert response.status_code == 404

    def test_a_lost_key_is_told(self, client: Client, settings: Any, tmp_path: Path) -> None:
        bob = make_speaker("Bob", VOICE, audio=enrollment.to_flac(np.zeros(SAMPLE_RATE, np.float32)))
        settings.VOICEPRINT_KEY_FILE = tmp_path / "other_keys"

        response = client.get(reverse("voiceprint-audio", args=[bob.voiceprints.get().uuid]))

        assert response.status_code == 503
        assert "Put that key back" in response.content.decode()

    def test_one_is_forgotten_and_that_is_on_record(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob", VOICE)
        enroll(bob, VOICE)
        first, second = bob.voiceprints.order_by("pk")

        client.post(reverse("forget-voiceprint", args=[first.uuid]))

        assert list(bob.voiceprints.all()) == [second]
        entry = Entry.objects.get(action="forget-voiceprint")
        assert (entry.actor, entry.detail) == (user, {"voiceprint": str(first.uuid)})

    def test_they_go_with_the_consent_that_is_withdrawn(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob", VOICE)

        client.post(reverse("withdraw-consent", args=[bob.consents.get().pk]))

        assert not bob.voiceprints.exists()
        entry = Entry.objects.get(action="withdraw")
        assert (entry.actor, entry.detail) == (user, {"voiceprints": 1})

    @pytest.mark.parametrize("name", ["forget-voiceprint", "withdraw-consent"])
    def test_looking_at_an_address_deletes_nothing(self, client: Client, name: str) -> None:
        bob = make_speaker("Bob", VOICE)
        keys = {"forget-voiceprint": bob.voiceprints.get().uuid, "withdraw-consent": bob.consents.get().pk}

        assert client.get(reverse(name, args=[keys[name]])).status_code == 405
        assert bob.voiceprints.exists()


class TestMerge:
    def merge_page(self, *speakers: Speaker) -> str:
        return reverse("merge-people") + "?" + "&".join(f"person={s.uuid}" for s in speakers)

    def test_all_that_the_others_have_goes_to_the_one_that_is_kept(self, client: Client, user: User) -> None:
        one, two = make_speaker("Alice", VOICE), make_speaker("Alicia", VOICE)

        client.post(self.merge_page(one, two), {"kept": two.pk})

        assert list(Speaker.objects.all()) == [two]
        assert two.voiceprints.count() == 2
        assert two.consents.count() == 2
        entry = Entry.objects.get(action="merge")
        assert (entry.actor, entry.speaker, entry.detail) == (user, two.uuid, {"gone": str(one.uuid)})

    def test_the_other_entry_is_looked_for(self, client: Client) -> None:
        alice, alicia = make_speaker("Alice"), make_speaker("Alicia")
        make_speaker("Bob")

        page = client.get(self.merge_page(alice), {"person": str(alice.uuid), "q": "ali"})

        assert list(page.context["found"]) == [alicia], "and nobody is merged with themselves"
        assert "Which entry is also Alice?" in page.text

    def test_somebody_who_was_not_chosen_cannot_be_kept(self, client: Client) -> None:
        one, two, other = (make_speaker(name) for name in ("Alice", "Alicia", "Bob"))

        client.post(self.merge_page(one, two), {"kept": other.pk})

        assert Speaker.objects.count() == 3

    @pytest.mark.parametrize("key", ["x", "", "1", "00000000-0000-0000-0000-000000000000", "\0"])
    def test_nonsense_in_the_address_is_nobody(self, client: Client, key: str) -> None:
        response = client.get(reverse("merge-people"), {"person": [key, key]})

        assert "at least two" in response.text


class TestExport:
    def test_it_holds_everything_that_is_kept_of_a_person(self, client: Client, user: User) -> None:
        audio = enrollment.to_flac(np.zeros(SAMPLE_RATE, np.float32))
        bob = make_speaker("Bob", VOICE, audio=audio)
        bob.name = "Robert"
        bob.save()

        response = client.post(reverse("export-person", args=[bob.uuid]))

        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            kept = json.loads(archive.read("speaker.json"))
            voiceprint = bob.voiceprints.get()
            assert archive.read(f"recordings/{voiceprint.uuid}.flac") == audio
        assert (kept["name"], kept["earlier_names"]) == ("Robert", ["Bob"])
        assert kept["voiceprints"][0]["embedding"] == pytest.approx(VOICE.tolist())
        assert kept["consents"][0]["text"]
        assert Entry.objects.get(action="export").actor == user

    def test_looking_at_the_page_exports_nothing(self, client: Client) -> None:
        bob = make_speaker("Bob", VOICE)

        assert client.get(reverse("export-person", args=[bob.uuid])).status_code == 200
        assert not Entry.objects.filter(action="export").exists()


# Who may open which page: 1 it opens, 0 it does not (403), - it is not theirs to decide on (404).
DOORS = """
                   viewer transcriber editor nobody enroller owner superuser
person-list        0      1           1      0      1        1     1
person             0      1           1      0      1        1     1
add-person         0      1           1      0      1        1     1
merge-people       0      0           0      0      1        1     1
enroll             0      0           0      0      1        1     1
export-person      0      0           0      0      1        1     1
forget-person      0      0           0      0      1        1     1
enrollment         0      0           0      0      -        1     1
enrollment-verdict 0      0           0      0      -        1     1
enrollment-audio   0      0           0      0      -        1     1
voiceprint-audio   0      0           0      0      1        1     1
"""
CHANGES = ["change-person", "forget-voiceprint", "withdraw-consent", "invite", "revoke-invitation"]
"""Pages that only take what is sent to them."""

FOR_EVERYBODY = {"record-oneself", "own-verdict", "withdraw-own-consent"}
"""Those who have a link: see `test_invitations`."""


class TestDoors:
    """No path to anybody's voice without the permission for it, nor by hiding the way to it alone."""

    @pytest.fixture
    def addresses(self) -> dict[str, str]:
        audio = np.zeros(SAMPLE_RATE, np.float32)
        alice = make_speaker("Alice", VOICE, audio=enrollment.to_flac(audio))
        draft = begin(alice, make_user("owner", "enroller"))
        keys: dict[str, list[Any]] = {
            "enrollment": [draft.uuid], "enrollment-verdict": [draft.uuid], "enrollment-audio": [draft.uuid],
            "voiceprint-audio": [alice.voiceprints.get().uuid],
            "forget-voiceprint": [alice.voiceprints.get().uuid],
            "withdraw-consent": [alice.consents.get().pk],
            "person-list": [], "add-person": [], "merge-people": [],
        }  # fmt: skip
        names = [*(line.split()[0] for line in DOORS.strip().splitlines()[1:]), *CHANGES]
        return {name: reverse(name, args=keys.get(name, [alice.uuid])) for name in names}

    def client_of(self, visitor: str) -> Client:
        client = Client(REMOTE_ADDR="203.0.113.7")
        if visitor == "superuser":
            client.force_login(User.objects.create_superuser("root"))
        elif visitor == "owner":
            client.force_login(User.objects.get(username="owner"))
        elif visitor != "remote":
            client.force_login(make_user(f"a-{visitor}", *([] if visitor == "nobody" else [visitor])))
        return client

    def test_every_address_is_in_the_table(self, addresses: dict[str, str]) -> None:
        found = {name for name, route in all_addresses() if route.startswith(OF_PEOPLE)}
        assert found - FOR_EVERYBODY == addresses.keys()

    def test_each_opens_to_those_with_its_permission(self, addresses: dict[str, str]) -> None:
        visitors, *rows = [line.split() for line in DOORS.strip().splitlines()]
        codes = {"1": 200, "0": 403, "-": 404}
        expected = {
            (row[0], visitor): codes[cell]
            for row in rows
            for visitor, cell in zip(visitors, row[1:], strict=True)
        }

        found = {
            (name, visitor): client.get(addresses[name]).status_code
            for visitor in visitors
            for client in [self.client_of(visitor)]
            for name in addresses.keys() - set(CHANGES)
        }

        assert found == expected

    def test_without_a_login_all_lead_to_one(self, addresses: dict[str, str]) -> None:
        client = self.client_of("remote")

        for address in addresses.values():
            for answer in (client.get(address), client.post(address)):
                assert answer.status_code == 405 or answer["Location"].startswith("/login/?next=/people/")
            assert client.post(address, headers={"accept": "application/json"}).status_code in (401, 405)
        assert Speaker.objects.count() == Voiceprint.objects.count() == Consent.objects.count() == 1

    @pytest.mark.parametrize("visitor", ["viewer", "transcriber", "editor", "nobody"])
    def test_who_may_not_open_a_page_may_not_send_to_it(
        self, addresses: dict[str, str], visitor: str
    ) -> None:
        client = self.client_of(visitor)

        for name in addresses.keys() - {"person-list", "person", "add-person"}:
            assert client.post(addresses[name], {"discard": "1", "store": "1"}).status_code == 403, name
        assert Speaker.objects.count() == Voiceprint.objects.count() == Consent.objects.count() == 1
        assert Enrollment.objects.exists()
