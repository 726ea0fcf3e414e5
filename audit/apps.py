"""The Django application of the audit log."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """Configuration of the application."""

    name = "audit"
    verbose_name = _("Audit")

    def ready(self) -> None:
        from . import logins

        logins.watch()
