"""People who record themselves by a link: for whom it is, how long it is good, and what becomes of it."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Action, Entry
from speakers import enrollment, invitations, lifecycle
from speakers.exceptions import EnrollmentError
from speakers.export import describe
from speakers.invitations import MAX_TAKES, Stage
from speakers.models import Consent, Enrollment, Invitation, Speaker, Voiceprint
from speakers.voiceprints.assessment import Problem

from ..sessions_app.meetings import make_user
from .drafts import judge, wav
from .people import make_speaker

pytestmark = pytest.mark.django_db

AGREED = {"source": "microphone", "has_agreed": "on"}


@pytest.fixture
def enroller() -> User:
    return make_user("enroller", "enroller")


@pytest.fixture
def invitation(enroller: User) -> Invitation:
    return invitations.invite(Speaker.objects.create(name="Alice"), by=enroller)


@pytest.fixture
def visitor() -> Client:
    return Client(REMOTE_ADDR="203.0.113.7")


def page_of(invitation: Invitation) -> str:
    return reverse("record-oneself", args=[invitations.token_of(invitation)])


def stage_of(invitation: Invitation) -> Stage:
    found = invitations.find(invitations.token_of(invitation))
    assert found
    return invitations.stage_of(found)


def test_the_stages_follow_from_consent_and_recording() -> None:
    for has_agreed, is_judged, can_be_stored, is_enrolled in product([False, True], repeat=4):
        known = {"has_agreed": has_agreed, "can_be_stored": can_be_stored, "is_enrolled": is_enrolled}
        with_recording = invitations.stage(has_recording=True, is_judged=is_judged, **known)
        assert (with_recording is Stage.JUDGING) == (not is_judged)
        assert with_recording not in (Stage.OPEN, Stage.DONE)
        without = invitations.stage(has_recording=False, is_judged=is_judged, **known)
        assert (without is Stage.OPEN) == (not has_agreed)
        assert (without is Stage.DONE) == (has_agreed and is_enrolled)


class TestLink:
    def test_is_made_on_record_and_shown_to_those_who_may_enroll(self, enroller: User) -> None:
        alice = Speaker.objects.create(name="Alice")
        client = Client()
        client.force_login(enroller)

        page = client.post(reverse("invite", args=[alice.uuid]), follow=True).text

        invitation = alice.invitations.get()
        assert f'value="http://testserver{page_of(invitation)}"' in page
        entry = Entry.objects.get(action="invite")
        assert (entry.actor, entry.detail) == (enroller, {"invitation": str(invitation.uuid)})

    def test_shows_the_consent_text_and_the_name_without_a_login(
        self, visitor: Client, invitation: Invitation
    ) -> None:
        page = visitor.get(page_of(invitation))

        assert "biometric" in page.text
        assert "Alice" in page.text
        assert "no-store" in page["Cache-Control"]

    @pytest.mark.parametrize("token", ["x", "00000000000000000000000000000000:abc", ":", "é"])
    def test_nobody_makes_up_a_link(self, visitor: Client, invitation: Invitation, token: str) -> None:
        bare = invitation.uuid.hex
        for wrong in (token, bare, f"{bare}:wrong"):
            assert visitor.get(reverse("record-oneself", args=[wrong])).status_code == 404

    def test_is_no_longer_good_once_it_is_over_revoked_or_its_maker_is_gone(
        self, visitor: Client, invitation: Invitation, enroller: User
    ) -> None:
        address = page_of(invitation)
        Invitation.objects.update(expires_at=timezone.now())
        answer = visitor.get(address)
        assert answer.status_code == 404
        assert "Ask whoever sent it for another." in answer.text

        Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))
        User.objects.update(is_active=False)
        assert visitor.post(address, {"recording": wav(), **AGREED}).status_code == 404

        User.objects.update(is_active=True)
        client = Client()
        client.force_login(enroller)
        client.post(reverse("revoke-invitation", args=[invitation.uuid]))
        assert visitor.get(address).status_code == 404
        assert not Enrollment.objects.exists()

    def test_what_is_over_is_deleted(self, invitation: Invitation) -> None:
        Invitation.objects.update(expires_at=timezone.now())

        lifecycle.expire()

        assert not Invitation.objects.exists()


class TestRecording:
    def test_needs_consent(self, visitor: Client, invitation: Invitation) -> None:
        visitor.post(page_of(invitation), {"recording": wav(), "source": "microphone"})

        assert not Enrollment.objects.exists()
        assert not Consent.objects.exists()

    def test_a_good_one_is_stored_as_their_own(
        self, visitor: Client, invitation: Invitation, enroller: User
    ) -> None:
        visitor.post(page_of(invitation), {"recording": wav(), **AGREED})

        draft = judge(Enrollment.objects.get())
        consent = Consent.objects.get()
        assert (draft.source, draft.consent, draft.created_by) == ("invitation", consent, enroller)
        assert consent.recorded_by is None, "nobody saw it: they agreed themselves"
        entry = Entry.objects.get(action="consent")
        assert entry.detail["invitation"] == str(invitation.uuid)

        enrollment.store(draft, invitation.speaker, consent, by=enroller)
        assert stage_of(invitation) is Stage.DONE
        assert "your voice is enrolled" in visitor.get(page_of(invitation)).text

    def test_while_it_is_judged_the_page_waits(self, visitor: Client, invitation: Invitation) -> None:
        visitor.post(page_of(invitation), {"recording": wav(), **AGREED})
        verdict = reverse("own-verdict", args=[invitations.token_of(invitation)])

        assert visitor.get(verdict).json() == {"is_judged": False, "has_failed": False}
        judge(Enrollment.objects.get(), Problem.LIKE_ANOTHER)
        assert visitor.get(verdict).json()["is_judged"]
        page = visitor.get(page_of(invitation)).text
        assert "enroller will listen to the recording and decide" in page
        assert "sounds like" not in page, "whom it sounds like is nobody's business"

    def test_a_bad_one_is_made_again_without_agreeing_again(
        self, visitor: Client, invitation: Invitation
    ) -> None:
        visitor.post(page_of(invitation), {"recording": wav(), **AGREED})
        first = judge(Enrollment.objects.get(), Problem.TOO_SHORT)
        page = visitor.get(page_of(invitation)).text
        assert "Please record it once more." in page
        assert "has_agreed" not in page

        visitor.post(page_of(invitation), {"recording": wav(), "source": "microphone"})

        assert Enrollment.objects.get().pk != first.pk, "the bad one is gone"
        assert Consent.objects.count() == 1

    def test_a_link_takes_no_more_than_so_many(self, visitor: Client, invitation: Invitation) -> None:
        Invitation.objects.update(takes=MAX_TAKES)

        page = visitor.post(page_of(invitation), {"recording": wav(), **AGREED})

        assert "This link has taken too many recordings." in page.text
        assert not Enrollment.objects.exists()
        assert not Consent.objects.exists()

    def test_once_enrolled_it_takes_no_more(self, visitor: Client, invitation: Invitation) -> None:
        bob = make_speaker("Bob")
        consent = bob.consents.get()
        Invitation.objects.update(consent=consent, speaker=bob)
        Voiceprint.objects.create(
            speaker=bob, consent=consent, model_id="m", sealed_embedding=b"x", speech_s=9, source="upload"
        )

        visitor.post(page_of(invitation), {"recording": wav(), **AGREED})

        assert not Enrollment.objects.exists()


class TestConsent:
    """Is seen and withdrawn by whoever gave it, with nothing but the link."""

    @pytest.fixture
    def enrolled(self, visitor: Client, invitation: Invitation, enroller: User) -> Voiceprint:
        visitor.post(page_of(invitation), {"recording": wav(), **AGREED})
        draft = judge(Enrollment.objects.get())
        return enrollment.store(draft, invitation.speaker, Consent.objects.get(), by=enroller)

    def withdraw(self, visitor: Client, invitation: Invitation) -> str:
        token = invitations.token_of(invitation)
        return visitor.post(reverse("withdraw-own-consent", args=[token])).text

    def test_is_shown_with_its_text_and_day(
        self, visitor: Client, invitation: Invitation, enrolled: Voiceprint
    ) -> None:
        page = visitor.get(page_of(invitation)).text

        assert "You agreed to this on" in page
        assert "biometric" in page
        assert "Withdraw my consent and delete my voice" in page

    def test_there_is_nothing_to_withdraw_before(self, visitor: Client, invitation: Invitation) -> None:
        assert "Withdraw my consent" not in visitor.get(page_of(invitation)).text
        assert "is withdrawn" in self.withdraw(visitor, invitation)
        assert not Entry.objects.filter(action=Action.CONSENT_WITHDRAWN).exists()

    def test_withdrawn_takes_the_voice_along_and_is_on_record(
        self, visitor: Client, invitation: Invitation, enrolled: Voiceprint
    ) -> None:
        page = self.withdraw(visitor, invitation)

        assert "Your consent is withdrawn, and your voice is deleted." in page
        assert not Consent.objects.exists()
        assert not Voiceprint.objects.exists()
        entry = Entry.objects.get(action=Action.CONSENT_WITHDRAWN)
        assert (entry.actor, entry.detail) == (None, {"voiceprints": 1, "invitation": str(invitation.uuid)})

    def test_a_recording_that_waits_goes_with_it(self, visitor: Client, invitation: Invitation) -> None:
        visitor.post(page_of(invitation), {"recording": wav(), **AGREED})
        judge(Enrollment.objects.get(), Problem.LIKE_ANOTHER)

        self.withdraw(visitor, invitation)

        assert not Enrollment.objects.exists()
        assert not Consent.objects.exists()

    def test_who_withdrew_may_think_better_of_it(
        self, visitor: Client, invitation: Invitation, enrolled: Voiceprint
    ) -> None:
        self.withdraw(visitor, invitation)

        assert stage_of(invitation) is Stage.OPEN
        visitor.post(page_of(invitation), {"recording": wav(), **AGREED})
        assert Consent.objects.exists()

    def test_a_look_withdraws_nothing(
        self, visitor: Client, invitation: Invitation, enrolled: Voiceprint
    ) -> None:
        address = reverse("withdraw-own-consent", args=[invitations.token_of(invitation)])

        assert visitor.get(address).status_code == 405
        assert Consent.objects.exists()

    def test_nobody_makes_up_a_link_to_withdraw(self, visitor: Client, enrolled: Voiceprint) -> None:
        address = reverse("withdraw-own-consent", args=["x:y"])

        assert visitor.post(address).status_code == 404
        assert Consent.objects.exists()


class TestConsentOfALinkThatIsOver(TestConsent):
    """Is seen and withdrawn all the same: only recordings are taken no more."""

    @pytest.fixture(autouse=True)
    def _over(self, request: pytest.FixtureRequest) -> None:
        if "enrolled" in request.fixturenames:
            request.getfixturevalue("enrolled")
            Invitation.objects.update(expires_at=timezone.now())
            lifecycle.expire()

    def test_who_withdrew_may_think_better_of_it(
        self, visitor: Client, invitation: Invitation, enrolled: Voiceprint
    ) -> None:
        self.withdraw(visitor, invitation)

        assert visitor.get(page_of(invitation)).status_code == 404
        lifecycle.expire()
        assert not Invitation.objects.exists()

    def test_takes_no_more_recordings(
        self, visitor: Client, invitation: Invitation, enrolled: Voiceprint
    ) -> None:
        enrolled.delete()

        page = visitor.get(page_of(invitation)).text
        assert "This link takes no more recordings." in page
        assert "Send the recording" not in page
        visitor.post(page_of(invitation), {"recording": wav(), "source": "microphone"})
        with pytest.raises(EnrollmentError, match="This link is over"):
            invitations.take(invitation, np.zeros(16_000, np.float32), None)
        assert not Enrollment.objects.exists()


class TestAfterwards:
    def test_forgetting_the_person_ends_the_link(self, visitor: Client, invitation: Invitation) -> None:
        address = page_of(invitation)

        lifecycle.forget(invitation.speaker, by=None)

        assert visitor.get(address).status_code == 404

    def test_it_goes_along_when_entries_are_merged(self, visitor: Client, invitation: Invitation) -> None:
        kept = make_speaker("Alicia")

        lifecycle.merge(kept, invitation.speaker, by=None)

        assert re.search("The voice of Alicia", visitor.get(page_of(invitation)).text)

    def test_it_is_in_the_export_of_the_person(self, invitation: Invitation) -> None:
        (told,) = describe(invitation.speaker)["links_to_record_oneself"]

        assert told["by"] == "enroller"
