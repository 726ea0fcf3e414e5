"""Entries of the audit log. They name whoever did something, and everything else by its key."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .exceptions import AppendOnlyError


class Action(models.TextChoices):
    """Deeds that are on record."""

    # With a voice.
    INVITED = "invite", _("made a link to record oneself")
    CONSENT_RECORDED = "consent", _("recorded a consent")
    CONSENT_WITHDRAWN = "withdraw", _("withdrew a consent")
    ENROLLED = "enroll", _("enrolled a voice")
    PLAYED = "play", _("listened to a voice")
    EXPORTED = "export", _("exported everything")
    FORGOTTEN = "forget", _("forgot a speaker")
    VOICEPRINT_FORGOTTEN = "forget-voiceprint", _("forgot a voiceprint")
    EXPIRED = "expire", _("a consent expired")
    MERGED = "merge", _("merged two speakers")
    EMBEDDED = "reembed", _("computed a voiceprint anew")
    KEY_ROTATED = "rotate-key", _("changed the key")

    # With a meeting.
    MEETING_SENT = "meeting-send", _("sent the sound of a meeting")
    MEETING_READ = "meeting-read", _("read a meeting")
    MEETING_HEARD = "meeting-hear", _("listened to a meeting")
    MEETING_EXPORTED = "meeting-export", _("exported a meeting")
    MEETING_EDITED = "meeting-edit", _("edited a meeting")
    MEETING_COMMENTED = "meeting-comment", _("commented on a meeting")
    MINUTES_CHANGED = "minutes-change", _("changed the minutes of a meeting")
    MINUTES_SENT = "minutes-send", _("sent a meeting to a language model")
    MINUTES_MAILED = "minutes-mail", _("sent the minutes of a meeting by e-mail")
    MEETING_SHARED = "meeting-share", _("shared a meeting")
    MEETING_UNSHARED = "meeting-unshare", _("shared a meeting no longer")
    LINK_MADE = "link", _("made a link or token")
    LINK_REVOKED = "revoke-link", _("revoked a link or token")
    MEETING_ENDED = "meeting-end", _("ended a meeting")
    MEETING_TRASHED = "meeting-trash", _("put a meeting into the trash")
    MEETING_RESTORED = "meeting-restore", _("took a meeting out of the trash")
    MEETING_DELETED = "meeting-delete", _("deleted a meeting for good")
    RULE_CHANGED = "rule", _("changed a writing rule")
    HOTWORD_CHANGED = "hotword", _("changed a hotword")
    RECORDING_DELETED = "recording-delete", _("deleted a recording")

    # With an account.
    LOGGED_IN = "login", _("logged in")
    LOGIN_FAILED = "login-failed", _("failed to log in")
    LOGIN_REFUSED = "login-refused", _("was not let try to log in")
    LOGGED_OUT = "logout", _("logged out")
    ACCOUNT_MADE = "account-add", _("made an account")
    ACCOUNT_CHANGED = "account-change", _("changed an account")
    ACCOUNT_DELETED = "account-delete", _("deleted an account")
    PASSWORD_CHANGED = "password", _("changed a password")
    SECOND_FACTOR_ADDED = "second-factor-add", _("set up a second factor")
    SECOND_FACTOR_REMOVED = "second-factor-remove", _("removed a second factor")
    RECOVERY_CODES_MADE = "recovery-codes", _("made recovery codes")
    TEAM_CHANGED = "team", _("changed a team")
    WEBHOOK_CHANGED = "webhook", _("changed a webhook")

    # With this log.
    LOG_EXPORTED = "audit-export", _("exported the audit log")
    LOG_PRUNED = "audit-prune", _("deleted old entries of the audit log")


VOICE_ACTIONS = [
    Action.INVITED,
    Action.CONSENT_RECORDED,
    Action.CONSENT_WITHDRAWN,
    Action.ENROLLED,
    Action.PLAYED,
    Action.EXPORTED,
    Action.FORGOTTEN,
    Action.VOICEPRINT_FORGOTTEN,
    Action.EXPIRED,
    Action.MERGED,
    Action.EMBEDDED,
    Action.KEY_ROTATED,
]
"""What is done with voices; who keeps them may read of it, and of nothing else."""

VIEW = "audit.view_entry"
VIEW_ALL = "audit.view_all_entry"


class Entries(models.QuerySet["Entry"]):
    """Entries, to add and to read."""

    def readable_by(self, reader: User | AnonymousUser) -> Entries:
        """Return those that somebody who may read the log may read."""
        return self if reader.has_perm(VIEW_ALL) else self.filter(action__in=VOICE_ACTIONS)

    def update(self, **values: Any) -> NoReturn:
        raise AppendOnlyError

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError


class Entry(models.Model):
    """Somebody did something. Names nobody but the one who did it, so it outlives forgetting and deletion."""

    at = models.DateTimeField(_("when"), default=timezone.now, editable=False, db_index=True)
    """When it happened: some entries are written a little later."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("who")
    )
    actor_name = models.CharField(_("who"), max_length=150, blank=True)
    """As it was; empty for the service itself, and for visitors without a login."""

    address = models.GenericIPAddressField(_("from where"), null=True)
    """Empty for the service itself."""

    action = models.CharField(_("action"), max_length=20, choices=Action)
    speaker = models.UUIDField(_("speaker"), null=True, db_index=True)
    meeting = models.CharField(
        _("meeting ID"), max_length=128, blank=True, default="", db_default="", db_index=True
    )
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    """Keys and figures; never a name, never a word, never a voice."""

    objects = Entries.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        db_table = "speakers_auditentry"
        ordering: ClassVar = ["-at", "-id"]
        default_permissions: ClassVar = ["view"]
        permissions: ClassVar = [("view_all_entry", _("Can see who did what with meetings and accounts"))]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.speaker or self.meeting}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it. Raises `AppendOnlyError` for one that is on record already."""
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError
