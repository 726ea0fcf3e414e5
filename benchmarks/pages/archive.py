"""Fill a database with years of meetings; runs where Django is set up."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault

from recognition.audio import SAMPLE_RATE
from sessions_app.models import Session, Utterance, Voice
from sessions_app.transcripts import search
from speakers.models import Speaker

RARE = {"预算": 0.05, "季度报表": 0.0005}
"""What is looked for, and the part of the lines that say it; "鲸鱼" is said once."""

SPEAKERS = 50
VOICES = 4
MADE = 1000
"""Sessions whose lines are made up; what others say is theirs again, copied by the database itself."""

WORDS = 20_000
BATCH = 50_000
SPACING = 5 * SAMPLE_RATE
"""From line to line, samples."""

Row = tuple[Any, ...]


def fill(sessions: int, lines: int, *, seed: int = 0) -> None:
    """As many sessions, equally long, with as many lines in all. The search is indexed at the end."""
    speakers = [Speaker.objects.create(name=f"发言人{number}").pk for number in range(SPEAKERS)]
    each = lines // sessions
    with connection.cursor() as cursor:
        _hurry(cursor)
        search.uninstall("default")
        _insert(cursor, Session, _sessions(sessions, each, datetime.now(UTC)))
        _insert(cursor, Voice, _voices(sessions, speakers))
        made = min(sessions, MADE)
        _insert(cursor, Utterance, _lines(made, each, np.random.default_rng(seed)))
        for first in range(made, sessions, made):
            _repeat_lines(cursor, first, min(made, sessions - first), each)
        _set_counter(cursor, Utterance)
        cursor.execute(
            f"UPDATE {Utterance._meta.db_table} SET text = %s WHERE id = %s",
            ["海里有一条鲸鱼。", sessions * each // 2],
        )
        search.install("default")
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    connection.close()  # and with it what was set to hurry


def _sessions(count: int, each: int, now: datetime) -> Iterator[dict[str, Any]]:
    for pk in range(1, count + 1):
        started = now - timedelta(hours=3 * (count - pk))
        yield {
            "id": pk, "key": f"meeting-{pk}", "title": f"第{pk}次周会", "state": "ended",
            "model_set": "benchmark", "created_at": started, "ended_at": started,
            "durable": each * SPACING, "last_seq": each,
        }  # fmt: skip


def _voices(sessions: int, speakers: list[int]) -> Iterator[dict[str, Any]]:
    for pk in range(sessions * VOICES):
        session, place = divmod(pk, VOICES)
        yield {
            "id": pk + 1, "session_id": session + 1, "uuid": uuid.uuid4(),
            "speaker_id": speakers[(session + place * place) % len(speakers)],
        }  # fmt: skip


def _lines(sessions: int, each: int, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    texts = _texts(random)
    pk = 0
    for session in range(sessions):
        for seq in range(1, each + 1):
            pk += 1
            yield {
                "id": pk, "session_id": session + 1, "seq": seq, "start": (seq - 1) * SPACING,
                "end": seq * SPACING - SAMPLE_RATE, "text": next(texts), "tokens": "[]",
                "voice_id": session * VOICES + seq % VOICES + 1, "score": 0.7,
            }  # fmt: skip


def _texts(random: np.random.Generator) -> Iterator[str]:
    """Sentences of 8 to 60 characters, whose words are as unequally common as those of a language."""
    characters = np.array([chr(0x4E00 + place) for place in range(3500)])
    characters = np.array([c for c in characters if c not in "预算季度报表鲸鱼"])
    words = np.array(["".join(random.choice(characters, 2)) for _ in range(WORDS)])
    share = np.cumsum(1 / np.arange(1, WORDS + 1))
    while True:
        chosen = words[np.searchsorted(share, random.random(BATCH * 20) * share[-1])]
        lengths, rolls = random.integers(4, 30, BATCH), random.random(BATCH)
        at = 0
        for length, roll in zip(lengths, rolls, strict=True):
            at = at % (len(chosen) - 30)
            planted = "".join(term for term, part in RARE.items() if roll < part)
            yield (
                "".join(chosen[at : at + length // 2])
                + planted
                + "".join(chosen[at + length // 2 : at + length])
                + "。"
            )
            at += length


def _hurry(cursor: Any) -> None:
    """Without what protects a database from a crash, and from rows that refer to nothing."""
    if connection.vendor == "sqlite":
        for setting in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "foreign_keys = OFF",
            "cache_size = -1000000",
        ):
            cursor.execute(f"PRAGMA {setting}")
    else:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '2GB'")


def _insert(cursor: Any, model: type[Model], rows: Iterator[dict[str, Any]]) -> None:
    """What a row leaves out has the default of its field."""
    table = model._meta.db_table
    default = {field.column: _default(field) for field in model._meta.concrete_fields}
    columns = ", ".join(f'"{name}"' for name in default)
    values = (tuple((default | row).values()) for row in rows)
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
        _set_counter(cursor, model)
    else:
        marks = ", ".join("?" * len(default))
        raw = connection.connection
        raw.execute("BEGIN")
        raw.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", map(_for_sqlite, values))
        raw.execute("COMMIT")


def _default(field: Field[Any, Any]) -> Any:
    found = field.get_default()
    value = field.db_default if isinstance(found, DatabaseDefault) else found
    return field.get_db_prep_save(value, connection)


def _repeat_lines(cursor: Any, first: int, count: int, each: int) -> None:
    """So many sessions from this one on, counted from 0, say once more what the first ones said."""
    shift = {"id": first * each, "session_id": first, "voice_id": first * VOICES}
    names = [field.column for field in Utterance._meta.concrete_fields]
    columns = [f'"{name}"' for name in names]
    shifted = [f'"{name}" + {shift[name]}' if name in shift else f'"{name}"' for name in names]
    table = Utterance._meta.db_table
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(shifted)} FROM {table} "
        f"WHERE session_id <= {count} ORDER BY id"
    )


def _set_counter(cursor: Any, model: type[Model]) -> None:
    """For the keys that PostgreSQL gives to the next rows."""
    if connection.vendor == "postgresql":
        table = model._meta.db_table
        counter = f"pg_get_serial_sequence('{table}', 'id')"
        cursor.execute(f"SELECT setval({counter}, (SELECT max(id) FROM {table}))")


def _for_sqlite(row: Row) -> Row:
    return tuple(
        value.hex if isinstance(value, uuid.UUID)
        else value.replace(tzinfo=None).isoformat(" ") if isinstance(value, datetime)
        else value
        for value in row
    )  # fmt: skip
