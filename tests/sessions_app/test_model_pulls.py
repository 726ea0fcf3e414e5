"""Pulls of model sets as jobs, with a stand-in for the hub: progress, going on, stopping, errors in words."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from recognition.model_sets.reading import ModelSet, read_model_set
from sessions_app import model_pulls
from speakers import jobs
from speakers.exceptions import JobFailed, JobLost
from speakers.jobs import RunningJob
from speakers.models import Job
from tests.recognition.model_sets.local_places import Places, serving, use

pytestmark = pytest.mark.django_db(transaction=True)

WEIGHTS = b"weights" * 1000

SET = """
base = "embedded"
title = "Our own"
[speaker]
title = "Voices"
licence = "MIT"
kind = "campplus"
[speaker.files."campplus_cn_en_common.pt"]
sha256 = "{sha256}"
size = {size}
places = [{{ huggingface = "somebody/weights@abc:a.pt" }}]
"""

ADDRESS = "/hf/somebody/weights/resolve/abc/a.pt"


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    with serving() as places:
        use(places, monkeypatch)
        yield places


@pytest.fixture
def own_set(settings: Settings, tmp_path: Path) -> ModelSet:
    settings.MODELS_DIR = tmp_path / "models"
    file = tmp_path / "own.toml"
    file.write_text(SET.format(sha256=hashlib.sha256(WEIGHTS).hexdigest(), size=len(WEIGHTS)))
    return read_model_set(str(file))


@pytest.fixture
def task(own_set: ModelSet) -> RunningJob:
    """A pull that a worker has claimed."""
    model_pulls.ask_for(own_set, by=User.objects.create_user("boss"))
    job = jobs.claim("a worker", [model_pulls.PULL])
    assert job
    return RunningJob(job, *cast("tuple[Any, Any]", (None, None)))  # it needs no models


def run(task: RunningJob) -> dict[str, Any] | None:
    async def work() -> dict[str, Any] | None:
        return await model_pulls.pull(task)

    return asyncio.run(work())


def is_missing(own_set: ModelSet, settings: Settings) -> bool:
    return bool(own_set.missing(Path(settings.MODELS_DIR)))


def test_what_is_missing_arrives_and_that_is_told(
    task: RunningJob, own_set: ModelSet, places: Places, settings: Settings
) -> None:
    places.content[ADDRESS] = WEIGHTS
    assert is_missing(own_set, settings)

    assert run(task) == {"kilobytes": 7}

    assert not is_missing(own_set, settings)
    told = Job.objects.get()
    assert (told.steps_done, told.steps) == (7, 7)


def test_a_file_that_nobody_has_is_named_in_words(task: RunningJob, places: Places) -> None:
    with pytest.raises(JobFailed, match=r"campplus_cn_en_common\.pt .*404"):
        run(task)


def test_a_stopped_pull_ends_and_the_next_goes_on_where_it_was(
    task: RunningJob,
    own_set: ModelSet,
    places: Places,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_pulls, "REPORT_S", 0.1)
    places.content[ADDRESS] = WEIGHTS
    places.pause_s = 0.05

    async def stop_in_the_middle() -> None:
        pulling = asyncio.ensure_future(model_pulls.pull(task))
        while not (await jobs.in_database(Job.objects.get)).steps_done:
            await asyncio.sleep(0.02)
        await jobs.in_database(model_pulls.stop, own_set)
        with pytest.raises(JobLost):
            await pulling

    asyncio.run(stop_in_the_middle())
    stopped = Job.objects.get()
    assert (stopped.state, stopped.error) == (Job.State.FAILED, "Stopped.")
    assert is_missing(own_set, settings)

    places.pause_s = 0.0
    model_pulls.ask_for(own_set, by=User.objects.get())
    job = jobs.claim("another", [model_pulls.PULL])
    assert job
    run(RunningJob(job, *cast("tuple[Any, Any]", (None, None))))
    assert not is_missing(own_set, settings)
    assert places.requests[-1] == (ADDRESS, places.requests[-1][1])
    assert places.requests[-1][1] is not None  # only the rest was asked for


def test_a_pull_that_runs_is_not_asked_for_twice(task: RunningJob, own_set: ModelSet) -> None:
    again = model_pulls.ask_for(own_set, by=User.objects.get())
    assert again.pk == task.job.pk
    assert model_pulls.is_at_work(model_pulls.latest()[own_set.reference])
