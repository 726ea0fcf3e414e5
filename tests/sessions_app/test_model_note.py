"""While the small built-in models are at work, pages and log say so, with the line that changes it."""

from __future__ import annotations

import logging
from unittest import mock

from django.test import TestCase, override_settings

from sessions_app.worker import hosted_worker

CHANGES_IT = "ASR_MODELS=paraformer-zh"


class PageTests(TestCase):
    def listing(self, language: str = "en") -> str:
        response = self.client.get("/", follow=True, headers={"accept-language": language})
        return response.content.decode()

    @override_settings(MODEL_SET="embedded")
    def test_a_page_says_it_in_both_languages(self):
        self.assertIn("The small built-in models are at work", self.listing())
        self.assertIn(CHANGES_IT, self.listing())
        self.assertIn(CHANGES_IT, self.listing("zh-hans"))
        self.assertNotIn("The small built-in models", self.listing("zh-hans"))

    @override_settings(MODEL_SET="paraformer-zh")
    def test_with_other_models_no_page_says_it(self):
        self.assertNotIn(CHANGES_IT, self.listing())


class LogTests(TestCase):
    def load(self) -> list[str]:
        measured = mock.Mock(streams=4)
        with (
            mock.patch.object(hosted_worker, "load_models"),
            mock.patch.object(hosted_worker, "measure", return_value=measured),
            self.assertLogs("sessions_app.worker.hosted_worker", logging.INFO) as logs,
        ):
            hosted_worker.load_recognition()
        return [record.getMessage() for record in logs.records if record.levelno >= logging.WARNING]

    @override_settings(MODEL_SET="embedded")
    def test_a_worker_says_it_when_it_has_loaded_them(self):
        (warning,) = self.load()

        self.assertIn(CHANGES_IT, warning)

    @override_settings(MODEL_SET="paraformer-zh")
    def test_with_other_models_there_is_no_warning(self):
        self.assertEqual(self.load(), [])
