"""The Django application of sessions."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SessionsConfig(AppConfig):
    name = "sessions_app"
    verbose_name = _("Meetings")

    def ready(self) -> None:
        # Registers checks, and declares what jobs do.
        from allauth.mfa.signals import authentication_failed

        from speakers import followers, key_rotation

        from . import checks, model_pulls  # noqa: F401
        from .access import passwords, rights_changes, roles, second_factor
        from .minutes import asking, live, writing  # noqa: F401
        from .recordings import keys
        from .transcripts import attribution, parts, reidentification, search  # noqa: F401

        followers.register(attribution.TranscriptFollower())
        key_rotation.also_rotate("keys of recordings", keys.rotate)
        key_rotation.also_rotate("second factors", second_factor.rotate)
        second_factor.watch()
        authentication_failed.connect(passwords.note_wrong_factor, dispatch_uid="wrong factor")
        rights_changes.connect_signals()
        connection_created.connect(search.add_functions, dispatch_uid="search")
        post_migrate.connect(search.install_after_migrate, sender=self, dispatch_uid="search")
        post_migrate.connect(roles.set_up_groups_after_migrate, dispatch_uid="groups")
