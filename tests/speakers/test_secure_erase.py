"""What is forgotten is in no file any more: searched for byte by byte, in database and media.

Runs on SQLite, and again on PostgreSQL (see `tests/test_on_postgres.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.utils import timezone

from recognition.engine.engine import Engine
from speakers import enrollment, jobs, lifecycle, secure_erase
from speakers.exceptions import InUse
from speakers.fields import seal
from speakers.models import Enrollment, Job, Speaker, Voiceprint

from .people import enroll, expire_drafts, make_speaker
from .voices import gallery_of

pytestmark = pytest.mark.django_db(transaction=True)

NAME, OLD_NAME, NOTE = "Zaphod Beeblebrox", "Zaphod the Younger", "Two heads, one consent"
STAYS = "Trillian Astra"


@pytest.fixture
def media(settings: Any) -> Callable[[], bytes]:
    return lambda: content(Path(settings.MEDIA_ROOT))


@pytest.fixture
def zaphod() -> Speaker:
    """Renamed, logged by the admin, enrolled, and with a recording that waits: all places that know him."""
    make_speaker(STAYS, np.ones(4, np.float32))
    user = User.objects.create_user("enroller")
    speaker = make_speaker(OLD_NAME)
    speaker.name, speaker.note = NAME, NOTE
    speaker.save()
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Speaker),
        object_id=str(speaker.pk),
        object_repr=NAME,
        action_flag=ADDITION,
    )
    enroll(speaker, np.arange(1, 193, dtype=np.float32), audio=b"a voice")
    draft = enrollment.begin(
        np.zeros(16_000, np.float32), source=Voiceprint.Source.UPLOAD, by=user, speaker=speaker
    )
    draft.sealed_embedding = seal(np.arange(2, 194, dtype=np.float32))
    draft.save()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as it does by itself now and then; it keeps samples
    return speaker


def marks(speaker: Speaker) -> dict[str, bytes]:
    """Bytes by which somebody could be found."""
    return {
        "name": NAME.encode(),
        "old name": OLD_NAME.encode(),
        "note": NOTE.encode(),
        "voiceprint": bytes(speaker.voiceprints.get().sealed_embedding),
        "draft": bytes(speaker.enrollments.get().sealed_embedding or b""),
    }


def recordings(speaker: Speaker) -> list[bytes]:
    kept: list[Voiceprint | Enrollment] = [speaker.voiceprints.get(), speaker.enrollments.get()]
    return [Path(each.audio.path).read_bytes() for each in kept]


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def database_files() -> bytes:
    """Every byte of the database on disk; on PostgreSQL without its log of changes."""
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        return b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    return content(postgres_folder() / "base")


def postgres_folder() -> Path:
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")  # what is in memory is on disk then
        return Path(cursor.execute("SHOW data_directory").fetchone()[0])


def found(wanted: dict[str, bytes], where: bytes) -> set[str]:
    return {name for name, mark in wanted.items() if mark in where}


@pytest.fixture
def stop_reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], object]]:
    """Ends another connection, which reads the database as it is now until then, as a backup does."""
    monkeypatch.setattr(secure_erase, "SNAPSHOT_WAIT_S", 0.2)
    other = connection.copy()
    other.inc_thread_sharing()
    with other.cursor() as cursor:
        is_sqlite = connection.vendor == "sqlite"
        cursor.execute("BEGIN" if is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM speakers_speaker")
        cursor.fetchall()
        yield lambda: cursor.execute("ROLLBACK")
    other.close()


def test_who_is_forgotten_is_in_no_file(zaphod: Speaker, media: Callable[[], bytes]) -> None:
    wanted, heard = marks(zaphod), recordings(zaphod)
    assert found(wanted, database_files()) == set(wanted)
    assert all(recording in media() for recording in heard)

    lifecycle.forget(zaphod, by=None)
    secure_erase.wipe()

    files = database_files()
    assert found(wanted, files) == set()
    assert STAYS.encode() in files  # they are the right files
    assert not any(recording in media() for recording in heard)


def test_deleting_alone_leaves_bytes(zaphod: Speaker) -> None:
    """Else the test above would show nothing."""
    wanted = marks(zaphod)

    lifecycle.forget(zaphod, by=None)

    assert found(wanted, database_files())


def test_a_voiceprint_that_is_forgotten_is_in_no_file(zaphod: Speaker) -> None:
    wanted = marks(zaphod)

    lifecycle.forget_voiceprint(zaphod.voiceprints.get(), by=None)
    secure_erase.wipe()

    assert found(wanted, database_files()) == set(wanted) - {"voiceprint"}


def test_while_somebody_reads_what_was_there_nothing_is_claimed(
    zaphod: Speaker, stop_reading: Callable[[], object]
) -> None:
    wanted = marks(zaphod)
    lifecycle.forget(zaphod, by=None)

    with pytest.raises(InUse, match="tried again"):
        secure_erase.wipe()

    assert found(wanted, database_files())
    stop_reading()
    secure_erase.wipe()
    assert not found(wanted, database_files())


def test_writers_wait_no_longer_than_a_moment_for_it(
    zaphod: Speaker, stop_reading: Callable[[], object]
) -> None:
    """The time-out of everything else is in force again after a wipe that failed."""
    question = "PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout"
    with connection.cursor() as cursor:
        before = cursor.execute(question).fetchone()
        lifecycle.forget(zaphod, by=None)
        with pytest.raises(InUse):
            secure_erase.wipe()

        assert cursor.execute(question).fetchone() == before


DELETIONS: dict[str, Callable[[Speaker], object]] = {
    "forget": lambda speaker: lifecycle.forget(speaker, by=None),
    "forget a voiceprint": lambda speaker: lifecycle.forget_voiceprint(speaker.voiceprints.get(), by=None),
    "withdraw": lambda speaker: lifecycle.withdraw(speaker.consents.get(), by=None),
    "discard": lambda speaker: lifecycle.discard(speaker.enrollments.get()),
    "merge": lambda speaker: lifecycle.merge(make_speaker("Other"), speaker, by=None),
    "delete rows": lambda speaker: Speaker.objects.filter(pk=speaker.pk).delete(),
    "expire": lambda speaker: expire_drafts(),
}


@pytest.mark.parametrize("way", DELETIONS)
def test_every_way_to_delete_asks_a_worker_to_wipe(way: str, zaphod: Speaker) -> None:
    assert not Job.objects.filter(kind=secure_erase.WIPE).exists()

    DELETIONS[way](zaphod)

    assert Job.objects.filter(kind=secure_erase.WIPE).count() == 1


def test_what_is_not_deleted_after_all_needs_no_wiping(zaphod: Speaker) -> None:
    with transaction.atomic():
        lifecycle.forget(zaphod, by=None)
        transaction.set_rollback(True)

    assert not Job.objects.filter(kind=secure_erase.WIPE).exists()


async def work(engine: Engine) -> Job:
    """Let a worker do what is asked for; the job of wiping."""
    await jobs.run_pending(engine, lambda: gallery_of({}), "worker-1")
    return await Job.objects.aget(kind=secure_erase.WIPE)


async def test_a_worker_wipes_after_a_speaker_was_forgotten(zaphod: Speaker, engine: Engine) -> None:
    wanted = await jobs.in_database(marks, zaphod)
    await jobs.in_database(lifecycle.forget, zaphod, by=None)

    assert (await work(engine)).state == Job.State.DONE

    assert not found(wanted, await jobs.in_database(database_files))


async def test_a_worker_that_finds_it_in_use_says_so_and_tries_again(
    zaphod: Speaker, stop_reading: Callable[[], object], engine: Engine
) -> None:
    await jobs.in_database(lifecycle.forget, zaphod, by=None)

    waiting = await work(engine)
    assert (waiting.state, waiting.attempts) == (Job.State.QUEUED, 0)
    assert "tried again" in waiting.error
    assert (await work(engine)).state == Job.State.QUEUED  # not at once, or it would do nothing else

    await jobs.in_database(stop_reading)
    await Job.objects.filter(pk=waiting.pk).aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    done = await work(engine)
    assert (done.state, done.error) == (Job.State.DONE, "")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it is about PostgreSQL's log of changes")
def test_postgresqls_log_has_it_until_the_next_checkpoint_when_files_are_not_used_again(
    zaphod: Speaker,
) -> None:
    """What an administrator sets and waits for; here it is waited for by force."""
    wanted = marks(zaphod)
    lifecycle.forget(zaphod, by=None)
    secure_erase.wipe()
    folder = postgres_folder()
    assert found(wanted, content(folder / "pg_wal"))

    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET wal_recycle = off")
        cursor.execute("SELECT pg_reload_conf()")
        for _ in range(3):
            cursor.execute("SELECT pg_logical_emit_message(false, 'next', 'segment')")
            cursor.execute("SELECT pg_switch_wal()")
            cursor.execute("CHECKPOINT")

    assert not found(wanted, content(folder))
