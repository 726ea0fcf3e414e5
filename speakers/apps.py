"""The Django application of speakers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SpeakersConfig(AppConfig):
    """Configuration of the application."""

    name = "speakers"
    verbose_name = _("Speakers")

    def ready(self) -> None:
        from audit import names

        from . import enrollment, on_record, reembedding, secure_erase, traces  # noqa: F401 - they declare what jobs do

        names.register(on_record.with_names)
        traces.watch()
