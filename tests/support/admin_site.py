"""Every address of the admin, and something for each of them to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.urls import URLResolver, reverse

from audit.models import Entry
from sessions_app.models import AccessToken, CommonHotword, DefaultModels, MinutesTemplate, WritingRule
from speakers import enrollment
from speakers.models import Calibration, Job, Speaker, Voiceprint

from ..sessions_app.meetings import make_lines, make_session, make_user, make_voice
from ..speakers.people import make_speaker


def one_of_everything() -> dict[str, Any]:
    """One of everything that the admin shows, by its table; the meeting is nobody's.

    `owner` is the enroller who made the recording that waits.
    """
    audio = np.zeros(16_000, np.float32)
    alice = make_speaker("Alice", np.ones(4, np.float32), audio=enrollment.to_flac(audio))
    owner = make_user("owner", "enroller", is_staff=True)
    enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=owner, speaker=alice)
    session = make_session()
    voice = make_voice(session, alice.name)
    (line,) = make_lines(session, ["Hello."], voice)
    line.text = "Hello!"
    line.save()
    token, _secret = AccessToken.issue(name="for a friend", role="receiver")
    found = [
        alice, session, voice, line, token,
        alice.consents.get().text,
        Entry.objects.create(action="play"),
        Job.objects.get(),
        Calibration.objects.create(model_id="model-1", threshold=0.9, margin=1.0, shortest_speech_s=1.0),
        DefaultModels.objects.create(name="embedded"),
        CommonHotword.objects.create(text="王磊"),
        WritingRule.objects.create(wrong="王雷", right="王磊"),
        MinutesTemplate.objects.create(name="晨会"),
        User.objects.create_user("somebody"),
        Group.objects.all()[0],
    ]  # fmt: skip
    return {row._meta.label_lower.replace(".", "_"): row for row in found}


def addresses() -> Iterator[str]:
    """The names of all addresses of the admin; a field that completes names has one of its own."""
    for name in _named(admin.site.get_urls()):
        if name == "autocomplete":
            yield from completions()
        else:
            yield name


def _named(patterns: list[Any]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _named(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name
        else:  # leads on to the page that changes a row; or is no page at all
            route = str(pattern.pattern)
            assert route in ("<path:object_id>/", "(?P<url>.*)$"), f"{route} needs a name"


def completions() -> Iterator[str]:
    for model, model_admin in admin.site._registry.items():
        yield from (
            f"autocomplete:{model._meta.label_lower}.{field}" for field in model_admin.autocomplete_fields
        )


def address_of(name: str, rows: dict[str, Any]) -> str:
    if name.startswith("autocomplete:"):
        app, model, field = name.removeprefix("autocomplete:").split(".")
        query = urlencode({"app_label": app, "model_name": model, "field_name": field})
        return f"{reverse('admin:autocomplete')}?{query}"
    return reverse(f"admin:{name}", args=arguments_of(name, rows))


def arguments_of(name: str, rows: dict[str, Any]) -> list[Any]:
    alice = rows["speakers_speaker"]
    own: dict[str, list[Any]] = {
        "auth_user_password_change": [rows["auth_user"].pk],
        "app_list": ["speakers"],
        "view_on_site": [ContentType.objects.get_for_model(Speaker).pk, alice.pk],
    }
    if name in own:
        return own[name]
    table, _, page = name.rpartition("_")
    if name.endswith("_simple_history"):
        row = rows[name.removesuffix("_simple_history")]
        return [row.pk, row.history.first().pk]
    return [rows[table].pk] if table in rows and page in ("change", "delete", "history") else []
