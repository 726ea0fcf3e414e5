"""The page of model sets: who may see it, what it tells, and what its buttons do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from recognition.model_sets import kinds
from recognition.model_sets.measured import MEASURED
from recognition.model_sets.reading import ModelSet, read_model_set
from sessions_app import model_catalogue, model_pulls
from sessions_app.models import DefaultModels
from sessions_app.views import models as page
from speakers.models import Job
from tests.support.server import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sets(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "Our own"\nchecksum = true\n')
    settings.MODELS_DIR = tmp_path / "models"
    settings.MODEL_SETS = [str(tmp_path / "own.toml"), "embedded"]


@pytest.fixture
def boss() -> Client:
    """Somebody who may change models and nothing else."""
    user = User.objects.create_user("boss")
    user.user_permissions.add(Permission.objects.get(codename="change_defaultmodels"))
    client = Client()
    client.force_login(user)
    return client


def lay_files_of(name: str) -> list[Path]:
    """Files as if all that the set fetches were here; their content is of no account."""
    made = []
    for path in model_catalogue.own_directories(read_model_set(name), []):
        path.mkdir(parents=True)
        made.append(path)
    return made


def complete(model_set: ModelSet, models_dir: Path) -> None:
    """All files that the set fetches, with nothing in them."""
    for source in model_set.sources.values():
        directory = source.directory(models_dir)
        for name in source.files:
            assert directory
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).touch()


class TestRights:
    @pytest.mark.parametrize("action", ["pull", "stop", "default", "delete"])
    def test_only_who_may_change_models_does(self, action: str) -> None:
        client = Client()
        client.force_login(User.objects.create_user("somebody"))
        assert client.get("/models/").status_code == 403
        assert client.get("/models/progress").status_code == 403
        assert client.post(f"/models/people/{action}").status_code == 403
        assert not Job.objects.exists()

    def test_a_stranger_is_asked_to_log_in(self) -> None:
        assert "/login/" in Client().get("/models/").headers["Location"]

    def test_nothing_is_done_by_a_mere_look(self, boss: Client) -> None:
        assert boss.get("/models/people/pull").status_code == 405
        assert boss.post("/models/nothing/pull").status_code == 404
        assert boss.post("/models/people/explode").status_code == 404


class TestPage:
    def test_it_tells_figures_licences_and_what_is_missing(self, boss: Client) -> None:
        page = boss.get("/models/").content.decode()
        assert "<b>12.2 %</b>" in page
        assert "FunASR model licence 1.1" in page
        assert page.count("not downloaded") == 4
        assert "Our own" in page

    def test_a_set_that_came_after_the_start_waits_for_the_next(
        self, boss: Client, settings: Settings, tmp_path: Path
    ) -> None:
        settings.MODEL_SETS = ["auto"]
        assert "from the next start" not in boss.get("/models/").content.decode()
        complete(read_model_set("people"), tmp_path / "models")
        assert boss.get("/models/").content.decode().count("from the next start") == 1

    def test_so_does_one_of_the_settings_whatever_way_leads_to_its_file(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        settings.MODEL_SETS = [f"{tmp_path}/./later.toml"]
        (tmp_path / "later.toml").write_text('title = "Later"\nchecksum = true\n')
        later = model_catalogue.find("later")
        assert later
        assert later.is_wanted

    def test_in_chinese_too(self, boss: Client) -> None:
        page = boss.get("/models/", HTTP_ACCEPT_LANGUAGE="zh-CN").content.decode()
        for text in ("错字率", "下载", "普通话", "未下载"):
            assert text in page

    def test_its_queries_do_not_grow_with_the_pulls(
        self, boss: Client, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(30):
            Job.objects.create(kind=model_pulls.PULL, subject="people", state=Job.State.DONE)
        boss.get("/models/")  # the first of a login writes it down
        with django_assert_max_num_queries(8):  # type: ignore[operator]
            boss.get("/models/")

    def test_it_says_of_each_role_what_it_is_for(self) -> None:
        assert set(page.ROLES) == set(kinds.ROLES)

    def test_figures_are_those_that_were_measured(self) -> None:
        def result(name: str) -> dict[str, float]:
            figures: dict[str, float] = json.loads((ROOT / "benchmarks" / "results" / name).read_text())[
                "figures"
            ]
            return figures

        for measured in MEASURED.values():
            for figure in measured.figures:
                if ": " in figure.source:
                    name, keys = figure.source.split(": ")
                    found = sum(
                        result(name)[key] / (1000 if key.startswith("cpu_ms") else 1)
                        for key in keys.split(" + ")
                    )
                    assert figure.share == pytest.approx(found, abs=0.001)


class TestButtons:
    def test_download_asks_the_workers_and_stop_takes_it_back(self, boss: Client) -> None:
        boss.post("/models/people/pull")
        job = Job.objects.get()
        assert (job.kind, job.subject, job.state) == (model_pulls.PULL, "people", Job.State.QUEUED)
        told = boss.get("/models/progress").json()
        assert told == {"people": {"state": "queued", "done": 0, "total": 0}}
        assert "Waiting for a worker" in boss.get("/models/").content.decode()

        boss.post("/models/people/stop")
        assert Job.objects.get().state == Job.State.FAILED
        assert "Stopped." in boss.get("/models/").content.decode()

    def test_the_default_is_one_of_those_in_use(self, boss: Client) -> None:
        boss.post("/models/embedded/default")
        assert DefaultModels.objects.get().name == "embedded"

        page = boss.post("/models/people/default", follow=True).content.decode()
        assert "Only models that are in use" in page
        assert DefaultModels.objects.get().name == "embedded"

    def test_deleting_takes_the_files_of_this_set(self, boss: Client) -> None:
        directories = lay_files_of("people")
        boss.post("/models/people/delete")
        assert len(directories) == 3
        assert not any(path.exists() for path in directories)

    def test_nothing_is_deleted_that_is_in_use_or_on_its_way(self, boss: Client) -> None:
        assert "in use" in boss.post("/models/embedded/delete", follow=True).content.decode()
        assert (ROOT / "recognition" / "model_sets" / "embedded" / "speaker" / "model.pt").exists()

        directories = lay_files_of("people")
        boss.post("/models/people/pull")
        assert "stop that first" in boss.post("/models/people/delete", follow=True).content.decode()
        assert all(path.exists() for path in directories)

    def test_files_that_another_complete_set_needs_stay(self, tmp_path: Path) -> None:
        people = read_model_set("people")
        theirs = tmp_path / "theirs.toml"
        theirs.write_text('base = "people"\ntitle = "Theirs"\n')
        other = read_model_set(str(theirs))
        assert len(model_catalogue.own_directories(people, [other])) == 3  # it is not here: it needs nothing

        complete(people, tmp_path / "models")
        assert model_catalogue.own_directories(people, [other]) == set()
