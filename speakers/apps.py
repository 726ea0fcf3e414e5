from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SpeakersConfig(AppConfig):
    name = "speakers"
    verbose_name = _("Speakers")

    def ready(self) -> None:
        # Connects signals, and declares what jobs do.
        from . import enrollment, lifecycle, reembedding, secure_erase  # noqa: F401
