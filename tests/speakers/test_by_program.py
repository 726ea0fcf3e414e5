"""From outside, with real models: enroll two people by the API, stream their meeting, read their names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from recognition.model_sets.reading import read_model_set
from sessions_app.sample.demo import SAMPLE
from tests.support.api import Api
from tests.support.clients import send_meeting
from tests.support.server import Server

pytestmark = pytest.mark.slow(20)

REFERENCE = json.loads((SAMPLE / "reference.json").read_text())
ENROLLED = REFERENCE["enrolled"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if read_model_set("embedded").missing(Path("var/models")):
        pytest.skip("the weights of the embedded models are not in this checkout")
    with Server(tmp_path_factory.mktemp("program"), ASR_MODELS="embedded") as server:
        server.shell(
            "from django.contrib.auth.models import User; User.objects.create_superuser('p', None, 'p')"
        )
        yield server


@pytest.fixture(scope="module")
def api(server: Server) -> Api:
    """Which has enrolled the people of the sample meeting that are to be."""
    api = Api(server.http, "p", "p")
    for name, file in ENROLLED.items():
        api.enroll(name, (SAMPLE / file).read_bytes())
    return api


def speaker_at(time_ms: float) -> str:
    """Who speaks then, by the reference: the enrolled by name, the third as a stranger."""
    lines = REFERENCE["lines"]
    nearest = min(lines, key=lambda line: max(line["start"] - time_ms / 1000, time_ms / 1000 - line["end"]))
    return nearest["speaker"] if nearest["speaker"] in ENROLLED else "Speaker 1"


async def test_every_line_of_the_sample_meeting_has_the_right_name(server: Server, api: Api) -> None:
    audio: Any = soundfile.read(SAMPLE / "meeting.flac", dtype="float32")[0]

    told = await send_meeting(server, "by-program", audio, "mode=sender&v=2", patience_s=240)

    lines = {line["seq"]: line for line in told.messages if line.get("final")}
    lines |= {event["line"]["seq"]: event["line"] for event in told.events("revise")}
    assert len(lines) >= 0.8 * len(REFERENCE["lines"])
    heard = [line["spk"]["speaker_name"] for line in lines.values()]
    assert heard == [speaker_at((line["start_ms"] + line["end_ms"]) / 2) for line in lines.values()]
    assert set(heard) == {*ENROLLED, "Speaker 1"}


def test_what_is_kept_of_somebody_can_be_read_back(api: Api) -> None:
    found = {each["name"]: each["id"] for each in api.call("GET", "speakers")["speakers"]}
    assert set(found) == set(ENROLLED)
    for speaker in found.values():
        (kept,) = api.call("GET", f"speakers/{speaker}/voiceprints")
        assert kept["model"].startswith("speaker@")
        assert kept["speech_s"] > 3


async def test_who_is_forgotten_is_a_stranger_in_the_lines_that_were_theirs(server: Server, api: Api) -> None:
    name = next(iter(ENROLLED))
    found = {each["name"]: each["id"] for each in api.call("GET", "speakers")["speakers"]}

    await asyncio.to_thread(api.call, "DELETE", f"speakers/{found[name]}")

    names = server.shell("print({u.voice.name for u in Utterance.objects.select_related('voice__speaker')})")
    assert name not in names
    assert next(reversed(ENROLLED)) in names
