"""While the small built-in models are at work, pages and log say so, with the line that changes it."""

from __future__ import annotations

import logging
from unittest import mock

import pytest
from django.test import Client
from pytest_django import Settings

from sessions_app.worker import hosted_worker

CHANGES_IT = "ASR_MODELS=people"


@pytest.mark.django_db
class TestPage:
    def listing(self, client: Client, language: str = "en") -> str:
        response = client.get("/", follow=True, headers={"accept-language": language})
        return response.content.decode()

    def test_a_page_says_it_in_both_languages(self, client: Client, settings: Settings) -> None:
        settings.MODEL_SETS = ["embedded"]

        english, chinese = self.listing(client), self.listing(client, "zh-hans")

        assert "Only the small built-in models are here" in english
        assert CHANGES_IT in english
        assert CHANGES_IT in chinese
        assert "Only the small built-in models" not in chinese

    def test_with_other_models_no_page_says_it(self, client: Client, settings: Settings) -> None:
        settings.MODEL_SETS = ["paraformer-zh"]

        assert CHANGES_IT not in self.listing(client)


class TestLog:
    @pytest.fixture(autouse=True)
    def no_models(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "sessions_app")
        monkeypatch.setattr(hosted_worker, "load_models", mock.Mock())
        monkeypatch.setattr(hosted_worker, "measure", lambda models: mock.Mock(streams=4))

    def test_a_worker_says_it_when_it_has_loaded_them(
        self, caplog: pytest.LogCaptureFixture, settings: Settings
    ) -> None:
        settings.MODEL_SETS = ["embedded"]

        hosted_worker.load_recognition()

        (warning,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
        assert CHANGES_IT in warning.getMessage()

    def test_with_other_models_there_is_no_warning(
        self, caplog: pytest.LogCaptureFixture, settings: Settings
    ) -> None:
        settings.MODEL_SETS = ["paraformer-zh"]

        hosted_worker.load_recognition()

        assert {record.levelno for record in caplog.records} == {logging.INFO}
