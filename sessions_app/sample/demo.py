"""The sample meeting, streamed to this server through its public socket, for a first look at it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import soundfile
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from websockets.asyncio.client import ClientConnection, connect

from recognition.audio import SAMPLE_RATE, samples, seconds
from recognition.model_sets.selection import ALWAYS_THERE
from sessions_app import model_sets
from sessions_app.access.decision import Access
from sessions_app.models import SAMPLE_TITLE, AccessToken, Session
from sessions_app.naming import SAMPLE_KEY
from sessions_app.store.in_database import in_database
from speakers import enrollment
from speakers.models import ConsentText, Job, Speaker, Voiceprint

SAMPLE = Path(__file__).parent
SESSION = SAMPLE_KEY

FRAME = samples(0.2)
ENROLLING_S = 60
TOKEN_LIFETIME = timedelta(hours=1)

LOOPBACK: Any = {"proxy": None, "ping_interval": None}
"""No pings: client and server share a process, and if one is slow, so is the other."""

Say = Callable[[str], None]


async def show_sample_meeting(port: int, say: Say) -> None:
    """Enroll two of the three people of the sample meeting, stream it at its own pace, and tell its lines.

    Does nothing once there is any session: it is for an empty installation.
    """
    if await in_database(Session.objects.exists):
        return
    await _enroll_people(say)
    needs_token = settings.ACCESS == Access.TOKEN
    tokens = await in_database(_issue_tokens) if needs_token else {}
    url = f"ws://127.0.0.1:{port}/ws/asr/{SESSION}"
    reading = urlencode({"mode": "receiver"} | tokens.get("receiver", {}))
    sending = urlencode(
        {"mode": "sender", "v": 2, "title": SAMPLE_TITLE, "models": synthetic_voices_set()}
        | tokens.get("sender", {})
    )
    say(
        _("A sample meeting is being streamed; watch it at http://127.0.0.1:%d/sessions/%s/")
        % (port, SESSION)
    )
    if needs_token:
        say(_("Nobody is let in without a login or a token (ASR_ACCESS=token): log in as admin to see it."))
    async with connect(f"{url}?{reading}", **LOOPBACK) as receiver, asyncio.TaskGroup() as tasks:
        tasks.create_task(_tell(receiver, say))
        tasks.create_task(_send(f"{url}?{sending}"))
    say(_("The sample meeting has ended. Record one of your own, or send one from a program: see README.md."))


def _issue_tokens() -> dict[str, dict[str, str]]:
    """Make a token for each end of the meeting; each is a part of its address."""
    expires_at = timezone.now() + TOKEN_LIFETIME
    issued = {}
    for role in AccessToken.Role:
        name = _("Sample meeting")
        _row, secret = AccessToken.issue(name=name, role=role, session_key=SESSION, expires_at=expires_at)
        issued[role.value] = {"token": secret}
    return issued


def synthetic_voices_set() -> str:
    """Return the set that knows the synthetic voices of the meeting; empty if it is not served."""
    return ALWAYS_THERE if ALWAYS_THERE in model_sets.names() else ""


async def _send(url: str) -> None:
    """Send at the pace at which it was said, until all of it is confirmed."""
    audio, rate = soundfile.read(SAMPLE / "meeting.flac", dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"the sample meeting has {rate} Hz, not {SAMPLE_RATE}")
    loop = asyncio.get_running_loop()
    async with connect(url, **LOOPBACK) as sender:
        began = loop.time()
        for at in range(0, len(audio), FRAME):
            await asyncio.sleep(began + seconds(at) - loop.time())
            await sender.send(audio[at : at + FRAME].tobytes())
        await sender.send("close")
        async for message in sender:
            if json.loads(message).get("event", {}).get("type") == "session_end":
                break


async def _tell(receiver: ClientConnection, say: Say) -> None:
    async for message in receiver:
        line = json.loads(message)
        if line["asr"]:
            minutes, second = divmod(line["start_ms"] // 1000, 60)
            say(f"  {minutes}:{second:02d}  {line['spk']['speaker_name']}：{line['asr']}")


async def _enroll_people(say: Say) -> None:
    admin = await in_database(get_user_model().objects.filter(is_superuser=True).first)
    if admin is None:
        say(_("Nobody is enrolled for the sample meeting: there is no admin account (manage.py prepare)."))
        return
    reference = json.loads((SAMPLE / "reference.json").read_text())
    for name, file in reference["enrolled"].items():
        await in_database(_begin_enrollment, name, SAMPLE / file, admin)
    for _attempt in range(ENROLLING_S):
        if await in_database(_are_known, len(reference["enrolled"])):
            return
        await asyncio.sleep(1)  # a worker does it, perhaps in another process
    say(_("The people of the sample meeting could not be enrolled; the log may say why."))


def _are_known(count: int) -> bool:
    """Return whether so many are enrolled, and heard by the models of all sets."""
    unfinished = Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    return Voiceprint.objects.count() == count and not unfinished.exists()


def _in_all_languages(text: str) -> str:
    """Return a text for a row that readers of every language see."""
    said = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            said.append(_(text))
    return " ".join(said)


def _begin_enrollment(name: str, file: Path, admin: User) -> None:
    speaker = Speaker.objects.create(
        name=name, note=_in_all_languages(gettext_noop("From the sample meeting."))
    )
    text, _made = ConsentText.objects.get_or_create(
        text=_("The voices in the sample meeting are synthetic and belong to nobody."), language=""
    )
    consent = enrollment.record_consent(speaker, text, by=admin)
    audio: Any = soundfile.read(file, dtype="float32")[0]
    enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=admin, speaker=speaker, consent=consent)
