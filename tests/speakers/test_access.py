"""No path to anybody's voice without the permission for it: what the admin shows and does, for every role.

The same for the API is in `test_api`, for all other pages in `sessions_app/test_page_access`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from sessions_app.models import AccessToken, Session, Utterance
from speakers.models import (
    Calibration,
    Consent,
    ConsentText,
    Enrollment,
    Job,
    Speaker,
    Voiceprint,
)

from ..sessions_app.meetings import make_user
from ..support.admin_site import address_of, addresses, one_of_everything

pytestmark = pytest.mark.django_db

# All of them but `remote` are staff; `owner` is the enroller who made the recording that waits.
VISITORS = ["remote", "viewer", "transcriber", "editor", "staff", "enroller", "owner", "superuser"]

EXPECTED = """
                                         remote viewer transcriber editor staff enroller owner superuser
index                                    302    200    200         200    200   200      200   200
login                                    302    302    302         302    302   302      302   302
logout                                   302    405    405         405    405   405      405   405
password_change                          302    200    200         200    200   200      200   200
password_change_done                     302    200    200         200    200   200      200   200
autocomplete:sessions_app.session.owner  302    403    403         403    403   403      403   200
autocomplete:sessions_app.voice.speaker  302    403    200         200    403   200      200   200
jsi18n                                   302    200    200         200    200   200      200   200
view_on_site                             302    404    404         404    404   404      404   404
auth_group_changelist                    302    403    403         403    403   403      403   200
auth_group_add                           302    403    403         403    403   403      403   200
auth_group_history                       302    403    403         403    403   403      403   200
auth_group_delete                        302    403    403         403    403   403      403   200
auth_group_change                        302    403    403         403    403   403      403   200
auth_user_password_change                302    403    403         403    403   403      403   200
auth_user_changelist                     302    403    403         403    403   403      403   200
auth_user_add                            302    403    403         403    403   403      403   200
auth_user_history                        302    403    403         403    403   403      403   200
auth_user_delete                         302    403    403         403    403   403      403   200
auth_user_change                         302    403    403         403    403   403      403   200
sessions_live                            302    200    200         200    403   200      200   200
sessions_live_data                       302    200    200         200    403   200      200   200
sessions_app_session_changelist          302    200    200         200    403   200      200   200
sessions_app_session_add                 302    403    403         403    403   403      403   403
sessions_app_session_history             302    200    302         200    302   200      200   200
sessions_app_session_delete              302    403    302         200    403   403      403   200
sessions_app_session_change              302    200    302         200    403   200      200   200
sessions_app_defaultmodels_changelist    302    403    403         403    403   403      403   302
sessions_app_defaultmodels_add           302    403    403         403    403   403      403   403
sessions_app_defaultmodels_history       302    403    403         403    403   403      403   200
sessions_app_defaultmodels_delete        302    403    403         403    403   403      403   200
sessions_app_defaultmodels_change        302    403    403         403    403   403      403   200
sessions_app_writingrule_changelist      302    403    403         200    403   403      403   200
sessions_app_writingrule_add             302    403    403         200    403   403      403   200
sessions_app_writingrule_history         302    403    403         200    403   403      403   200
sessions_app_writingrule_delete          302    403    403         200    403   403      403   200
sessions_app_writingrule_change          302    403    403         200    403   403      403   200
sessions_app_minutestemplate_changelist  302    403    403         403    403   403      403   200
sessions_app_minutestemplate_add         302    403    403         403    403   403      403   200
sessions_app_minutestemplate_history     302    403    403         403    403   403      403   200
sessions_app_minutestemplate_delete      302    403    403         403    403   403      403   200
sessions_app_minutestemplate_change      302    403    403         403    403   403      403   200
sessions_app_commonhotword_changelist    302    403    403         200    403   403      403   200
sessions_app_commonhotword_add           302    403    403         200    403   403      403   200
sessions_app_commonhotword_history       302    403    403         200    403   403      403   200
sessions_app_commonhotword_delete        302    403    403         200    403   403      403   200
sessions_app_commonhotword_change        302    403    403         200    403   403      403   200
sessions_app_utterance_simple_history    302    403    403         200    403   403      403   200
sessions_app_utterance_changelist        302    200    200         200    403   200      200   200
sessions_app_utterance_add               302    403    403         403    403   403      403   403
sessions_app_utterance_history           302    403    403         200    403   403      403   200
sessions_app_utterance_delete            302    403    403         403    403   403      403   403
sessions_app_utterance_change            302    200    302         200    403   200      200   200
sessions_app_voice_changelist            302    200    200         200    403   200      200   200
sessions_app_voice_add                   302    403    403         403    403   403      403   403
sessions_app_voice_history               302    200    302         200    302   200      200   200
sessions_app_voice_delete                302    403    403         403    403   403      403   403
sessions_app_voice_change                302    200    302         200    403   200      200   200
sessions_app_accesstoken_changelist      302    403    403         403    403   403      403   200
sessions_app_accesstoken_add             302    403    403         403    403   403      403   200
sessions_app_accesstoken_history         302    403    403         403    403   403      403   200
sessions_app_accesstoken_delete          302    403    403         403    403   403      403   200
sessions_app_accesstoken_change          302    403    403         403    403   403      403   200
speakers_speaker_simple_history          302    403    200         200    403   200      200   200
speakers_speaker_changelist              302    403    200         200    403   200      200   200
speakers_speaker_add                     302    403    200         200    403   200      200   200
speakers_speaker_history                 302    403    200         200    403   200      200   200
speakers_speaker_delete                  302    403    403         403    403   200      200   200
speakers_speaker_change                  302    403    200         200    403   200      200   200
audit_entry_changelist                   302    403    403         403    403   200      200   200
audit_entry_export                       302    403    403         403    403   200      200   200
audit_entry_add                          302    403    403         403    403   403      403   403
audit_entry_history                      302    403    403         403    403   200      200   200
audit_entry_delete                       302    403    403         403    403   403      403   403
audit_entry_change                       302    403    403         403    403   200      200   200
speakers_job_changelist                  302    403    403         403    403   403      403   200
speakers_job_add                         302    403    403         403    403   403      403   403
speakers_job_history                     302    403    403         403    403   403      403   200
speakers_job_delete                      302    403    403         403    403   403      403   403
speakers_job_change                      302    403    403         403    403   403      403   200
speakers_consenttext_changelist          302    403    403         403    403   403      403   200
speakers_consenttext_add                 302    403    403         403    403   403      403   200
speakers_consenttext_history             302    403    403         403    403   403      403   200
speakers_consenttext_delete              302    403    403         403    403   403      403   200
speakers_consenttext_change              302    403    403         403    403   403      403   200
speakers_calibration_changelist          302    403    403         403    403   403      403   200
speakers_calibration_add                 302    403    403         403    403   403      403   200
speakers_calibration_history             302    403    403         403    403   403      403   200
speakers_calibration_delete              302    403    403         403    403   403      403   200
speakers_calibration_change              302    403    403         403    403   403      403   200
app_list                                 302    404    200         200    404   200      200   200
"""

# Which actions are offered.
ACTIONS = """
                                          remote viewer transcriber editor staff enroller owner superuser
auth_group:delete_selected                no     no     no          no     no    no       no    yes
auth_user:delete_selected                 no     no     no          no     no    no       no    yes
sessions_app_session:delete_selected      no     no     yes         yes    no    no       no    yes
sessions_app_session:end                  no     no     yes         yes    no    no       no    yes
sessions_app_session:keep                 no     no     yes         yes    no    no       no    yes
sessions_app_session:release              no     no     yes         yes    no    no       no    yes
sessions_app_session:delete_recordings    no     no     yes         yes    no    no       no    yes
sessions_app_session:identify_anew        no     no     yes         yes    no    no       no    yes
sessions_app_defaultmodels:delete_selected no    no     no          no     no    no       no    no
sessions_app_writingrule:delete_selected  no     no     no          yes    no    no       no    yes
sessions_app_minutestemplate:delete_selected no  no     no          no     no    no       no    yes
sessions_app_commonhotword:delete_selected no     no     no          yes    no    no       no    yes
sessions_app_utterance:delete_selected    no     no     no          no     no    no       no    no
sessions_app_utterance:enroll_with_lines  no     no     no          no     no    yes      yes   yes
sessions_app_voice:delete_selected        no     no     no          no     no    no       no    no
sessions_app_accesstoken:delete_selected  no     no     no          no     no    no       no    yes
sessions_app_accesstoken:revoke           no     no     no          no     no    no       no    yes
speakers_speaker:delete_selected          no     no     no          no     no    yes      yes   yes
speakers_speaker:merge                    no     no     no          no     no    yes      yes   yes
speakers_speaker:embed_anew               no     no     no          no     no    yes      yes   yes
audit_entry:delete_selected               no     no     no          no     no    no       no    no
speakers_job:delete_selected              no     no     no          no     no    no       no    no
speakers_consenttext:delete_selected      no     no     no          no     no    no       no    yes
speakers_calibration:delete_selected      no     no     no          no     no    no       no    yes
"""


def read(text: str) -> dict[str, dict[str, str]]:
    header, *rows = [line.split() for line in text.strip().splitlines()]
    assert header == VISITORS
    return {name: dict(zip(VISITORS, cells, strict=True)) for name, *cells in rows}


TABLE = read(EXPECTED)
OFFERED = read(ACTIONS)


@pytest.fixture
def rows() -> dict[str, Any]:
    return one_of_everything()


def client_of(visitor: str) -> Client:
    client = Client()
    if visitor == "superuser":
        client.force_login(User.objects.create_superuser("root"))
    elif visitor == "owner":
        client.force_login(User.objects.get(username="owner"))
    elif visitor != "remote":
        role = [] if visitor == "staff" else [visitor]
        client.force_login(make_user(f"a-{visitor}", *role, is_staff=True))
    return client


def actions() -> Iterator[tuple[str, str]]:
    """All actions on rows that there are: the table's name, and the action's."""
    for model, model_admin in admin.site._registry.items():
        table = model._meta.label_lower.replace(".", "_")
        yield from ((table, name) for _function, name, _description in model_admin._get_base_actions())  # type: ignore[attr-defined]


def test_every_address_of_the_admin_is_in_the_table() -> None:
    assert set(addresses()) == set(TABLE)


def test_every_action_of_the_admin_is_in_the_table() -> None:
    assert {f"{table}:{action}" for table, action in actions()} == set(OFFERED)


@pytest.mark.parametrize("visitor", VISITORS)
def test_who_may_open_what(visitor: str, rows: dict[str, Any]) -> None:
    client = client_of(visitor)
    expected = {name: cells[visitor] for name, cells in TABLE.items()}

    found = {name: str(client.get(address_of(name, rows)).status_code) for name in expected}

    assert found == expected


@pytest.mark.parametrize("visitor", VISITORS)
def test_who_may_not_open_a_page_may_not_send_to_it(visitor: str, rows: dict[str, Any]) -> None:
    client = client_of(visitor)
    before = counts()
    closed = [name for name, cells in TABLE.items() if cells[visitor] in ("302", "403", "404")]

    for name in set(closed) - {"login"}:
        response = client.post(address_of(name, rows), {"post": "yes", "discard": "1", "store": "1"})
        assert response.status_code in (302, 403, 404, 405), name

    assert counts() == before


@pytest.mark.parametrize("visitor", VISITORS)
def test_who_is_offered_which_action(visitor: str, rows: dict[str, Any]) -> None:
    client = client_of(visitor)

    offered = {
        f"{table}:{name}"
        for table in rows
        for name in actions_on(client.get(reverse(f"admin:{table}_changelist")))
    }

    assert offered == {name for name, cells in OFFERED.items() if cells[visitor] == "yes"}


def actions_on(page: Any) -> set[str]:
    form = page.context.get("action_form") if page.status_code == 200 else None
    return {name for name, _label in form.fields["action"].choices if name} if form else set()


@pytest.mark.parametrize("visitor", VISITORS)
def test_an_action_that_is_not_offered_does_nothing(visitor: str, rows: dict[str, Any]) -> None:
    client = client_of(visitor)
    before = counts()

    for name in (name for name, cells in OFFERED.items() if cells[visitor] == "no"):
        table, action = name.split(":")
        sent = {"action": action, "_selected_action": [rows[table].pk], "post": "yes"}
        response = client.post(reverse(f"admin:{table}_changelist"), sent)
        assert response.status_code in (200, 302, 403)

    assert counts() == before


@pytest.mark.parametrize("table", ["sessions_app_voice", "sessions_app_utterance", "sessions_app_session"])
def test_a_filter_does_not_tell_what_may_not_be_seen(table: str, rows: dict[str, Any]) -> None:
    """Whoever may list meetings could else guess a note or a consent letter by letter."""
    path = {"sessions_app_voice": "speaker", "sessions_app_utterance": "voice__speaker"}
    prefix = path.get(table, "voices__speaker")
    client = client_of("viewer")

    for field in ("note__startswith", "consents__given_at__gt", "voiceprints__speech_s__gt"):
        answer = client.get(reverse(f"admin:{table}_changelist"), {f"{prefix}__{field}": "1"})
        assert answer.status_code in (302, 400), field


@pytest.mark.parametrize("visitor", ["transcriber", "editor", "enroller", "superuser"])
def test_who_sees_a_speakers_name_does_not_see_their_voice_for_that(
    visitor: str, rows: dict[str, Any]
) -> None:
    page = client_of(visitor).get(address_of("speakers_speaker_change", rows)).content.decode()

    sees_voices = visitor in ("enroller", "superuser")
    assert ("recorded by" in page.lower()) == sees_voices


def test_a_worker_needs_no_page_and_a_page_no_worker() -> None:
    """The verdict of a recording is read from the database: no page of speakers loads a model."""
    code = "import speakers.admin, sys; assert not {'torch', 'funasr'} & set(sys.modules)"
    setup = "import django; django.setup(); "
    subprocess.run([sys.executable, "-c", setup + code], check=True)


def counts() -> dict[str, int]:
    tables = (
        *(Speaker, Voiceprint, Consent, ConsentText, Calibration, Enrollment, Job, Entry),
        *(Session, Utterance, AccessToken, User),
    )
    return {model.__name__: model.objects.count() for model in tables}
