from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SessionsConfig(AppConfig):
    name = "sessions_app"
    verbose_name = _("Sessions")

    def ready(self) -> None:
        from . import attribution, checks, roles  # noqa: F401 - registers their receivers

        post_migrate.connect(roles.set_up_groups_after_migrate, dispatch_uid="groups")
