"""An installation with believable content, for browser tests and pictures. Runs inside `manage.py shell`."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognition.audio import SAMPLE_RATE, samples
from recognition.evaluation import recordings
from recognition.fakes.scripted import Script, ScriptedEmbedder, ScriptedLine
from sessions_app.models import Session, Utterance, Voice
from speakers import enrollment
from speakers.models import Speaker, Voiceprint
from tests.sessions_app.meetings import LINES, make_lines, make_recording, make_session, make_user, make_voice
from tests.speakers.people import give_consent, make_speaker

from .sample_meeting import PEOPLE, SAMPLE, reference

RECORDINGS = ["enroll-lin-jing.flac", "enroll-wang-lei.flac"]
"""Of the first two people."""

READER = "A1_S0150"
"""Reads 150 lines of the recordings of people, of which the first are to enroll by."""

READ_TO_ENROLL = 10

OTHERS = {
    ("budget", "预算复核"): [
        "第三季度的预算有三处需要修改。",
        "差旅费用要单独列出来。",
        "我周五之前更新表格。",
    ],
    ("standup-47", "Stand-up, week 47"): [
        "The caption server is deployed.",
        "Two bugs are left.",
        "Let us ship.",
    ],
    ("interview-3", "用户访谈（三）"): [
        "您平时怎么整理会议记录？",
        "一般会后自己听录音。",
        "大概要花两个小时。",
    ],
    ("review", "产品评审会"): [
        "新的编辑页面大家都看过了吗？",
        "看过了，键盘操作很顺手。",
        "搜索还可以再快一点。",
    ],
    ("acoustics", "Lecture: room acoustics"): ["Today we look at reverberation.", "Hard walls keep sound."],
}


FOR_EDITING = (
    *("conflict", "removal", "composing", "autosave", "markup", "versions", "unsaved", "replacing"),
    "always",
)


def fill() -> None:
    """Make people, sessions and logins; prints the logins' cookies as JSON."""
    anna, boris = (make_user(name, "editor", "enroller", is_staff=True) for name in ("anna", "boris"))
    root = User.objects.create_superuser("admin")
    enroll_people(root)
    add_other_sessions(anna)
    add_sample_meeting("sample-meeting", anna)
    print(json.dumps({user.username: cookie_of(user) for user in (anna, boris, root)}))  # noqa: T201


def fill_for_editing() -> None:
    """The same, with a small session for each test that changes one."""
    fill()
    for key in (
        "conflict",
        "removal",
        "composing",
        "autosave",
        "markup",
        "versions",
        "unsaved",
        "replacing",
        "always",
    ):
        session = make_session(key, owner=User.objects.get(username="anna"))
        make_lines(session, voice=make_voice(session, PEOPLE[0]))
    for key in ("naming", "one-line", "merging"):
        add_session_of_strangers(key, User.objects.get(username="anna"))
    add_rewritten_line("rewritten", User.objects.get(username="anna"))
    add_heard_stranger("remembering", User.objects.get(username="anna"))
    add_meeting_at_once("at-once", User.objects.get(username="anna"))


def fill_with_people_who_enroll() -> None:
    """Make a login, and ask the server's own models to enroll two people of the sample meeting."""
    anna = make_user("anna", "editor", "enroller")
    for name, file in zip(PEOPLE, RECORDINGS, strict=False):
        speaker = Speaker.objects.create(name=name)
        audio, _rate = soundfile.read(SAMPLE / file, dtype="float32")
        source = Voiceprint.Source.UPLOAD
        enrollment.begin(audio, source=source, by=anna, speaker=speaker, consent=give_consent(speaker))
    print(json.dumps({"anna": cookie_of(anna)}))  # noqa: T201


def fill_with_a_reader_who_enrolls() -> None:
    """Make a login, and ask the server's own models to enroll a reader of the recordings at ASR_ASSETS."""
    anna = make_user("anna", "editor", "enroller")
    speaker = Speaker.objects.create(name=READER)
    lines = recordings.listed(Path(os.environ["ASR_ASSETS"]), under="speech/aishell1/")[:READ_TO_ENROLL]
    audio = np.concatenate([recordings.read(line.path) for line in lines])
    source = Voiceprint.Source.UPLOAD
    enrollment.begin(audio, source=source, by=anna, speaker=speaker, consent=give_consent(speaker))
    print(json.dumps({"anna": cookie_of(anna)}))  # noqa: T201


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def enroll_people(by: User) -> None:
    """The first two people of the scripted meeting."""
    for voice, name in enumerate(PEOPLE[:2]):
        recording = (SAMPLE / RECORDINGS[voice]).read_bytes()
        make_speaker(
            name,
            np.eye(ScriptedEmbedder.dimension, dtype=np.float32)[voice],
            model_id=ScriptedEmbedder.model_id,
            speech_s=14.2,
            audio=recording,
        )


def add_sample_meeting(key: str, owner: User, *, title: str = "项目周例会") -> Session:
    """The sample meeting as if it had been recognised without a mistake, with its recording."""
    session = Session.objects.create(
        key=key,
        title=title,
        owner=owner,
        state=Session.State.ENDED,
        ended_at=timezone.now(),
        model_set="test",
    )
    voices = {name: make_voice(session, name) for name in PEOPLE[:2]}
    voices[PEOPLE[2]] = make_voice(session)
    lines = [_line(session, seq, line, voices) for seq, line in enumerate(reference(), 1)]
    Utterance.objects.bulk_create(lines)
    audio, _rate = soundfile.read(SAMPLE / "meeting.flac", dtype="float32")
    make_recording(session, audio, as_flac=True)
    session.last_seq = len(lines)
    session.durable = len(audio)
    session.save()
    return session


def add_other_sessions(owner: User) -> None:
    for age, ((key, title), texts) in enumerate(OTHERS.items()):
        session = Session.objects.create(
            key=key,
            title=title,
            owner=owner,
            state=Session.State.ENDED,
            ended_at=timezone.now(),
            model_set="test",
        )
        names = PEOPLE[: 1 + age % 2]
        for text, voice in zip(
            texts, [make_voice(session, name) for name in names] * len(texts), strict=False
        ):
            make_lines(session, [text], voice)
        Voice.objects.filter(session=session, utterances=None).delete()
        minutes = 12 + 17 * age
        Session.objects.filter(pk=session.pk).update(
            created_at=timezone.now() - timedelta(days=2 * (len(OTHERS) - age), minutes=53 * age),
            durable=minutes * 60 * SAMPLE_RATE + 7 * age * SAMPLE_RATE,
        )


def add_session_of_strangers(key: str, owner: User) -> None:
    """Two who take turns, line by line, and a third at the end."""
    session = make_session(key, owner=owner)
    first, second, third = (make_voice(session) for _ in range(3))
    for text, voice in zip([*LINES, "还有吗？"], [first, second, first, second, third], strict=True):
        make_lines(session, [text], voice)


def add_rewritten_line(key: str, owner: User) -> None:
    """A line with a name that a rule has changed, and a number in digits."""
    session = make_session(key, owner=owner)
    [line] = make_lines(session, ["王磊完成了80%。"], voice=make_voice(session, PEOPLE[0]))
    line.machine_text = "汪磊完成了百分之八十。"
    line.rewrites = [[0, 2, "汪磊", "王磊", 1], [5, 8, "百分之八十", "80%", 0]]
    line.save()


def add_heard_stranger(key: str, owner: User) -> None:
    """One whom the scripted models tell from everybody else, with the recording."""
    session = make_session(key, owner=owner)
    make_lines(session, voice=make_voice(session))
    make_recording(session, Script([ScriptedLine(LINES[0], 4, 8.0)]).audio(pause_s=0), as_flac=True)


AT_ONCE = [
    (0, 0.0, 6.0, "我们先看第三季度的预算，差旅费用比计划多出一成。", [(1, 2.0, 3.5)]),
    (1, 5.0, 9.0, "等一下，这里面包括展会的费用吗？", [(2, 7.5, 8.5)]),
    (2, 6.0, 6.8, "Wait, which fair?", []),
    (0, 9.5, 14.0, "包括。春季和秋季两次展会，都在里面。", []),
    (0, 14.2, 18.0, "明年我们只去秋季那一次。", [(1, 15.0, 15.6), (2, 16.0, 17.0)]),
]
"""Who speaks from when to when, what, and who speaks meanwhile; in seconds."""


def add_meeting_at_once(key: str, owner: User) -> None:
    """Three people who talk over each other."""
    session = make_session(key, owner=owner, title="预算会")
    voices = [make_voice(session, PEOPLE[0]), make_voice(session, PEOPLE[1]), make_voice(session)]
    for seq, (voice, start, end, text, others) in enumerate(AT_ONCE, 1):
        line = Utterance.objects.create(
            session=session, seq=seq, start=samples(start), end=samples(end), text=text, voice=voices[voice]
        )
        for other, begin, stop in others:
            line.overlaps.create(voice=voices[other], start=samples(begin), end=samples(stop))
    audio = Script([ScriptedLine(LINES[0], 4, AT_ONCE[-1][2])]).audio(pause_s=0)
    make_recording(session, audio, as_flac=True)
    session.last_seq, session.durable = len(AT_ONCE), len(audio)
    session.save()


def _line(session: Session, seq: int, line: dict[str, Any], voices: dict[str, Voice]) -> Utterance:
    start, end = (int(line[edge] * SAMPLE_RATE) for edge in ("start", "end"))
    characters = [character for character in line["text"] if character.isalnum()]
    edges = np.linspace(start, end, len(characters) + 1).astype(int).tolist()
    return Utterance(
        session=session,
        seq=seq,
        start=start,
        end=end,
        text=line["text"],
        machine_text=line["text"],
        tokens=[[c, a, b] for c, a, b in zip(characters, edges, edges[1:], strict=False)],
        voice=voices[line["speaker"]],
        score=0.93,
    )
