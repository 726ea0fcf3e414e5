"""Measures pages in this process, on the database of its environment, and prints figures as JSON.

    DATABASE_URL=... ASR_DATA_DIR=... python -m benchmarks.pages.probe --sessions 562 --lines 281000

Times are pairs of milliseconds for a whole request (middleware, permissions, queries, template), medians:
of processor time, this process's and the database's, and by the clock, with all the machine does beside.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import django

LONG = 1500
"""Lines of a long transcript."""

ROUNDS = 15

Times = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--lines", type=int, required=True)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from sessions_app.models import Session

    from . import archive

    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":  # what other processes do for a query could not be seen
        connection.cursor().execute("ALTER ROLE current_user SET max_parallel_workers_per_gather = 0")
        connection.close()
    figures: dict[str, Any] = {}
    if not Session.objects.exists():
        began = time.perf_counter()
        archive.fill(arguments.sessions, arguments.lines)
        figures["fill_and_index_s"] = round(time.perf_counter() - began)
    figures |= {"search": searches(), "list": lists(), "admin": administration()}
    figures["transcript"] = long_transcript()
    print(json.dumps(figures | {"load_average": round(os.getloadavg()[0], 1)}))


def searches() -> dict[str, Times]:
    """The page of what was found, for what is common, rare, said once and never said."""
    from speakers.models import Speaker

    speaker, day = Speaker.objects.order_by("pk")[7].pk, str(date.today() - timedelta(days=30))
    queries: dict[str, dict[str, Any]] = {
        "two characters in 5 % of the lines": {"q": "预算"},
        "four characters in 0.05 %": {"q": "季度报表"},
        "two characters said once": {"q": "鲸鱼"},
        "two characters nobody said": {"q": "鲸算"},
        "one character": {"q": "预"},
        "ten characters nobody said": {"q": "季度报表里的预算鲸鱼"},
        "with a speaker": {"q": "预算", "speaker": speaker},
        "said once, with another speaker": {"q": "鲸鱼", "speaker": speaker},
        "on one day": {"q": "预算", "first_day": day, "last_day": day},
        "the second page": {"q": "预算", "before": "100000"},
    }
    return {name: _times(partial(_get, "/", query)) for name, query in queries.items()}


def lists() -> dict[str, Times]:
    """The list of sessions: its first page, one far down, and filtered ones."""
    from sessions_app.models import Session
    from speakers.models import Speaker

    speaker, day = Speaker.objects.order_by("pk")[7].pk, str(date.today() - timedelta(days=30))
    queries: dict[str, dict[str, Any]] = {
        "first page": {},
        "in the middle": {"before": str(Session.objects.count() // 2)},
        "of one speaker": {"speaker": speaker},
        "of one day": {"first_day": day, "last_day": day},
        "live": {"state": "live"},
    }
    return {name: _times(partial(_get, "/", query)) for name, query in queries.items()}


def administration() -> dict[str, Times]:
    """The admin's lists, as far down as they go, filtered and searched."""
    from django.contrib.auth.models import User

    from sessions_app.models import Session

    count = Session.objects.count()
    queries: dict[str, tuple[str, dict[str, Any]]] = {
        "sessions": ("session", {}),
        "sessions, the last page": ("session", {"p": -(-count // 50)}),
        "sessions by a piece of their title": ("session", {"q": "第5"}),
        "sessions that have ended": ("session", {"state__exact": "ended"}),
        "lines": ("utterance", {}),
        "lines, the last page": ("utterance", {"p": 100}),
        "lines of one session": ("utterance", {"session__id__exact": count // 2}),
        "lines with two characters in 5 % of them": ("utterance", {"q": "预算"}),
        "lines with two characters nobody said": ("utterance", {"q": "鲸算"}),
        "lines that were edited (none)": ("utterance", {"is_edited__exact": 1}),
        "lines of nobody (none)": ("utterance", {"voice__isempty": 1}),
        "voices": ("voice", {}),
        "voices of one name": ("voice", {"q": "发言人7"}),
    }
    admin = User.objects.create_superuser("benchmark")
    client = _client(admin)
    found = {
        name: _times(partial(_get, f"/admin/sessions_app/{table}/", query, client))
        for name, (table, query) in queries.items()
    }
    admin.delete()
    return found


def long_transcript() -> dict[str, Times]:
    """Opening a transcript of `LONG` lines, and saving one changed line of it."""
    from django.contrib.auth.models import User

    from recognition.audio import SAMPLE_RATE
    from sessions_app.models import Session, Utterance, Voice

    editor = User.objects.create_superuser("editor")
    session = Session.objects.create(key="long", model_set="benchmark", state="ended", owner=editor)
    voices = [Voice.objects.create(session=session, number=number) for number in (1, 2, 3)]
    text = "我们先看上个季度的预算，然后决定下个月的安排。"
    characters = [character for character in text if character.isalnum()]
    lines = []
    for seq in range(1, LONG + 1):
        start = seq * 5 * SAMPLE_RATE
        tokens = [[c, start + 3200 * at, start + 3200 * (at + 1)] for at, c in enumerate(characters)]
        lines.append(
            Utterance(
                session=session,
                seq=seq,
                start=start,
                end=start + 4 * SAMPLE_RATE,
                text=text,
                machine_text=text,
                tokens=tokens,
                voice=voices[seq % 3],
                score=0.7,
            )
        )
    Utterance.objects.bulk_create(lines)
    Session.objects.filter(pk=session.pk).update(last_seq=LONG, durable=LONG * 5 * SAMPLE_RATE)
    line = session.utterances.get(seq=LONG // 2)
    client = _client(editor)

    def save() -> None:
        line.refresh_from_db()
        edit = {
            "kind": "text",
            "seen": {"line": line.pk, "revision": line.revision},
            "text": f"{text}{line.revision}",
        }
        answer = client.post("/sessions/long/edits", edit, content_type="application/json")
        assert answer.status_code == 200, answer.content

    found = {
        "open": _times(lambda: _get("/sessions/long/", {}, client)),
        "save an edit": _times(save),
    }
    session.delete()
    editor.delete()
    return found


def _client(user: Any = None) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    if user:
        client.force_login(user)
    return client


@cache
def _visitor() -> Any:
    """Somebody without a login: one client for all, as a server makes its middleware once."""
    return _client()


def _get(path: str, query: dict[str, Any], client: Any = None) -> None:
    answer = (client or _visitor()).get(path, query)
    assert answer.status_code == 200, answer.status_code


def _times(work: Callable[[], None]) -> Times:
    work()
    measured = []
    for _ in range(ROUNDS):
        began, began_at = _processor_s(), time.perf_counter()
        work()
        measured.append((_processor_s() - began, time.perf_counter() - began_at))
        if sum(wall for _, wall in measured) > 20:
            break
    processor, clock = (statistics.median(column) for column in zip(*measured, strict=True))
    return round(1000 * processor, 1), round(1000 * clock, 1)


def _processor_s() -> float:
    """Of this process and, where the database is another, of the process there that serves this one."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return time.process_time()
    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + int(backend.read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()
