"""Recordings in S3-compatible storage: a real server of it, on loopback."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import soundfile
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from asrsite import environment
from deploy.local_servers import free_port
from sessions_app.backups.archives import ArchiveWriter, Manifest, extract
from sessions_app.recordings import files, keys, object_storage, parts
from sessions_app.recordings.object_storage import BLOCK, StorageAway, StoredBytes
from sessions_app.transcripts import retention
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.worker.housekeeping import Housekeeping
from speakers import whole_files
from tests.sessions_app.meetings import make_session

from .test_files import ramp, write

pytestmark = pytest.mark.usefixtures("folder")

SAMPLES = 200_000

BUCKET, FOLDER = "meetings", "recordings/of-ours"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def folder(encrypted: Path, settings: Settings) -> None:
    """An empty one, in an installation that encrypts nothing."""
    settings.ENCRYPT_RECORDINGS = False


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "us")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def bucket(endpoint: str) -> Iterator[Any]:
    bucket = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1").Bucket(BUCKET)
    bucket.create()
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()


@pytest.fixture
def stored_at(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Use the storage at an address, as the settings would."""

    def use(endpoint: str) -> None:
        monkeypatch.setenv("URL", f"s3://{BUCKET}/{FOLDER}?endpoint={endpoint}&region=us-east-1")
        storage = environment.recordings_storage("URL")
        assert storage
        settings.STORAGES = {**settings.STORAGES, "recordings": storage}

    return use


@pytest.fixture
def storage(bucket: Any, endpoint: str, stored_at: Any) -> Any:
    """The bucket, in use."""
    stored_at(endpoint)
    return bucket


def ended(session: int = 1) -> bytes:
    """A recording as it is at the end of its session; the bytes of its file."""
    write(0, SAMPLES, session)
    path = files.encode_flac(session)
    assert path
    return path.read_bytes()


def names(bucket: Any) -> list[str]:
    return [each.key for each in bucket.objects.all()]


def lying_here() -> list[str]:
    return sorted(path.name for path in files.flac_path(0).parent.iterdir())


class TestMoving:
    def test_takes_the_file_as_it_is_and_leaves_a_stub(self, storage: Any) -> None:
        content = ended()
        assert files.move_to_storage() == 1
        [stored] = storage.objects.all()
        assert stored.key.startswith(f"{FOLDER}/1.flac-")
        assert stored.get()["Body"].read() == content
        assert lying_here() == ["1.flac.stored"]
        assert files.move_to_storage() == 0

    def test_leaves_live_sessions_alone(self, storage: Any) -> None:
        write(0, SAMPLES)
        assert files.move_to_storage() == 0
        assert lying_here() == ["1.pcm"]

    def test_without_an_address_nothing_is_moved(self) -> None:
        ended()
        assert files.move_to_storage() == 0
        assert lying_here() == ["1.flac"]

    def test_a_storage_that_is_away_leaves_them_where_they_are(self, stored_at: Any) -> None:
        stored_at("http://127.0.0.1:1")
        ended()
        with pytest.raises(StorageAway, match="the storage of recordings"):
            files.move_to_storage()
        assert lying_here() == ["1.flac"]
        np.testing.assert_array_equal(files.read(1, 0, SAMPLES), ramp(0, SAMPLES))

    def test_one_that_cannot_be_moved_does_not_keep_the_others(
        self, storage: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for session in (1, 2, 3):
            ended(session)
        put = object_storage.put

        def refuse(path: Path) -> bool:
            if path.name == "2.flac":
                raise StorageAway("not this one")
            return put(path)

        monkeypatch.setattr(object_storage, "put", refuse)
        with pytest.raises(StorageAway):
            files.move_to_storage()
        assert lying_here() == ["1.flac.stored", "2.flac", "3.flac.stored"]

    def test_two_processes_move_it_once(self, storage: Any) -> None:
        ended()
        at_once = threading.Barrier(2)
        moved: list[int] = []

        def move() -> None:
            at_once.wait()
            moved.append(files.move_to_storage())

        threads = [threading.Thread(target=move) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(moved) == [0, 1]
        assert len(names(storage)) == 1

    def test_one_that_is_replaced_meanwhile_stays(
        self, storage: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended()
        stub = whole_files.write

        def replace_first(*arguments: Any, **options: Any) -> None:
            stub(*arguments, **options)
            files.store(1, [ramp(0, 500)])

        monkeypatch.setattr(whole_files, "write", replace_first)
        assert files.move_to_storage() == 0
        assert lying_here() == ["1.flac"]
        assert names(storage) == []
        assert files.length(1) == 500


class TestReading:
    def test_nobody_notices_where_it_is(self, storage: Any) -> None:
        content = ended()
        size = files.size(1)
        files.move_to_storage()
        assert files.length(1) == SAMPLES
        np.testing.assert_array_equal(files.read(1, 0, SAMPLES), ramp(0, SAMPLES))
        np.testing.assert_array_equal(files.read(1, 123_456, 123_999), ramp(123_456, 123_999))
        assert files.flac_bytes(1) == len(content)
        assert files.read_flac(1, 10, 5000) == content[10:5000]
        assert files.size(1) == size == len(content)

    def test_only_what_is_asked_for_is_fetched(self, storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        content = os.urandom(10 * BLOCK + 7)
        storage.put_object(Key=f"{FOLDER}/x", Body=content)
        fetched: list[tuple[int, int]] = []
        fetch = StoredBytes._fetch

        def note(self: StoredBytes, start: int, end: int) -> bytes:
            fetched.append((start, end))
            return fetch(self, start, end)

        monkeypatch.setattr(StoredBytes, "_fetch", note)
        stored = StoredBytes(object_storage.Stored("x", len(content)))
        assert stored.read_at(10, 3 * BLOCK - 5) == content[3 * BLOCK - 5 : 3 * BLOCK + 5]
        assert stored.read_at(100, 3 * BLOCK) == content[3 * BLOCK : 3 * BLOCK + 100]
        assert fetched == [(2 * BLOCK, 3 * BLOCK), (3 * BLOCK, 4 * BLOCK)]

    @pytest.mark.parametrize(
        ("count", "at"),
        [(0, 0), (1, 0), (20, BLOCK - 10), (BLOCK, BLOCK + 6), (5, BLOCK + 7), (5, 5 * BLOCK)],
    )
    def test_at_the_edges_there_is_what_there_is(self, storage: Any, count: int, at: int) -> None:
        content = os.urandom(BLOCK + 7)
        storage.put_object(Key=f"{FOLDER}/x", Body=content)
        stored = StoredBytes(object_storage.Stored("x", len(content)))
        assert stored.read_at(count, at) == content[at : at + count]

    def test_while_the_storage_is_away_it_says_so(self, storage: Any, stored_at: Any) -> None:
        ended()
        files.move_to_storage()
        stored_at("http://127.0.0.1:1")
        with pytest.raises(StorageAway):
            files.read(1, 0, 100)
        assert files.size(1) > 0

    def test_without_the_address_what_is_there_is_missed_by_name(
        self, storage: Any, settings: Settings
    ) -> None:
        ended()
        files.move_to_storage()
        settings.STORAGES = {name: each for name, each in settings.STORAGES.items() if name != "recordings"}
        with pytest.raises(StorageAway, match="ASR_RECORDINGS_URL is not set"):
            files.read(1, 0, 100)

    def test_an_object_that_is_missing_is_no_recording_of_nothing(self, storage: Any) -> None:
        ended()
        files.move_to_storage()
        storage.objects.all().delete()
        with pytest.raises(StorageAway, match="NoSuchKey"):
            files.length(1)


class TestEncrypted:
    @pytest.fixture(autouse=True)
    def encrypting(self, folder: None, settings: Settings) -> None:
        settings.ENCRYPT_RECORDINGS = True

    def test_what_is_stored_cannot_be_heard_without_the_key(self, storage: Any) -> None:
        ended()
        files.move_to_storage()
        [stored] = storage.objects.all()
        with pytest.raises(soundfile.LibsndfileError):
            soundfile.info(io.BytesIO(stored.get()["Body"].read()))
        np.testing.assert_array_equal(files.read(1, 150_000, 150_999), ramp(150_000, 150_999))
        assert keys.has_one(1)

    def test_one_that_was_stored_before_is_encrypted_where_it_is(
        self, storage: Any, settings: Settings
    ) -> None:
        settings.ENCRYPT_RECORDINGS = False
        ended()
        files.move_to_storage()
        [before] = names(storage)
        assert files.plain_ones() == [1]
        assert files.encrypt(1)
        files.move_to_storage()
        [after] = names(storage)
        assert before != after
        assert files.plain_ones() == []
        assert lying_here() == ["1.flac-sealed.stored", "1.key"]
        np.testing.assert_array_equal(files.read(1, 0, SAMPLES), ramp(0, SAMPLES))


class TestDeleting:
    def test_a_recording_takes_its_object_along(self, storage: Any) -> None:
        ended()
        files.move_to_storage()
        files.delete(1)
        assert names(storage) == lying_here() == []
        assert files.length(1) == 0

    def test_while_the_storage_is_away_it_is_only_put_off(
        self, storage: Any, stored_at: Any, endpoint: str, db: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        ended()
        files.move_to_storage()
        stored_at("http://127.0.0.1:1")
        retention._delete_files(1)
        assert "until `manage.py prune` finds it" in caplog.text
        stored_at(endpoint)
        retention.prune(sessions_days=0, recordings_days=0)
        assert names(storage) == lying_here() == []

    def test_another_recording_in_its_place_replaces_it(self, storage: Any) -> None:
        ended()
        files.move_to_storage()
        parts.divide(1, 2, 150_000)
        assert names(storage) == []
        assert files.move_to_storage() == 2
        np.testing.assert_array_equal(files.read(1, 0, SAMPLES), ramp(0, 150_000))
        np.testing.assert_array_equal(files.read(2, 0, SAMPLES), ramp(150_000, SAMPLES))


def test_a_backup_has_what_is_stored_and_needs_no_storage_to_be_restored(
    storage: Any, tmp_path: Path
) -> None:
    contents = {f"media/recordings/{session}.flac": ended(session) for session in (1, 2)}
    object_storage.put(files.flac_path(1))
    with (tmp_path / "backup.tar").open("wb") as file:
        writer = ArchiveWriter(file, Manifest("1.0", "today", "sqlite"))
        writer.add_media(files.flac_path(0).parent.parent)
        writer.close()
    manifest = extract(tmp_path / "backup.tar", tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in manifest.files} == contents


@pytest.mark.django_db
def test_players_hear_it_in_parts_and_are_told_when_the_storage_is_away(storage: Any, stored_at: Any) -> None:
    session = make_session()
    ended(session.pk)

    def get() -> Any:
        return Client().get(reverse("audio", args=[session.key]), headers={"Range": "bytes=300000-300099"})

    before = get()
    files.move_to_storage()
    after = get()
    assert (after.status_code, after.content) == (206, before.content)
    assert after["Content-Range"] == before["Content-Range"]
    stored_at("http://127.0.0.1:1")
    refused = get()
    assert refused.status_code == 503
    assert "The storage of recordings does not answer" in refused.content.decode()


@pytest.mark.django_db(transaction=True)
async def test_housekeeping_moves_them_and_waits_for_a_storage_that_is_away(
    storage: Any, stored_at: Any, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended()
    stored_at("http://127.0.0.1:1")
    housekeeping = Housekeeping()
    task = asyncio.create_task(housekeeping.run())
    try:
        async with asyncio.timeout(30):
            while "recordings wait here" not in caplog.text:
                await asyncio.sleep(0.02)
            assert lying_here() == ["1.flac"]
            stored_at(endpoint)
            housekeeping.look_now()
            while lying_here() != ["1.flac.stored"]:
                await asyncio.sleep(0.02)
    finally:
        await cancel_and_wait(task)


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "options"),
        [
            ("s3://b", {"bucket_name": "b", "location": ""}),
            ("s3://b/x/y/", {"bucket_name": "b", "location": "x/y"}),
            (
                "s3://b?endpoint=https://minio:9000&region=eu-1",
                {
                    "bucket_name": "b",
                    "location": "",
                    "endpoint_url": "https://minio:9000",
                    "region_name": "eu-1",
                },
            ),
        ],
    )
    def test_names_bucket_folder_and_server(
        self, monkeypatch: pytest.MonkeyPatch, url: str, options: dict[str, str]
    ) -> None:
        monkeypatch.setenv("URL", url)
        storage = environment.recordings_storage("URL")
        assert storage
        assert options.items() <= storage["OPTIONS"].items()

    @pytest.mark.parametrize(
        "url",
        ["b/x", "http://b", "s3://", "s3://key:secret@b", "s3://b?endpoint=minio:9000", "s3://b?bucket=x"],
    )
    def test_one_that_makes_no_sense_is_refused(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("URL", url)
        with pytest.raises(ImproperlyConfigured, match="URL"):
            environment.recordings_storage("URL")

    def test_none_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("URL", raising=False)
        assert environment.recordings_storage("URL") is None
