"""Minutes by e-mail, to people who may see the meeting; off until a mail server is set.

Whoever sends them waits for the server, and is told what it says. Each person gets a letter of their own:
nobody reads the addresses of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit import log
from audit.models import Action
from sessions_app.minutes import reading
from sessions_app.minutes.reading import MinutesOfMeeting
from sessions_app.minutes.requests import MinutesError
from sessions_app.models import MinutesItem, Session
from sessions_app.wire.untrusted import one_line

from . import exports
from .written_minutes import Part, Row, as_calendar, parts

MAX_PEOPLE = 100
"""To whom one request may send: whoever asked waits meanwhile."""


class NotMailed(MinutesError):
    """Minutes that cannot go by e-mail, or not to these people."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Minutes as an e-mail has them."""

    subject: str
    text: str
    html: str
    tasks: bytes | None
    """The to-dos for a calendar; None where there are none."""


def is_set_up() -> bool:
    """Tell whether e-mails can be sent."""
    return bool(settings.EMAIL_HOST)


def letter(session: Session, *, by: User, url: str) -> Letter:
    """Write the minutes of a meeting as an e-mail, in the language of who sends it.

    Args:
        url: The whole address of the meeting's page.

    Raises:
        NotMailed: While it has none.
    """
    minutes = reading.read(session)
    if minutes is None or minutes.is_so_far:
        raise NotMailed(_("Minutes can be sent when the meeting has ended and they are made."))
    title, day = one_line(str(session)), timezone.localtime(session.created_at)
    about = _("Minutes of “%(title)s”, %(day)s, sent by %(name)s.") % {
        "title": title,
        "day": date_format(day, "DATE_FORMAT"),
        "name": by.get_username(),
    }
    found = parts(minutes)
    context = {"title": title, "about": about, "url": url, "parts": found, "language": get_language()}
    return Letter(
        subject=_("Minutes: %(title)s") % {"title": title},
        text=_as_text(about, url, found),
        html=render_to_string("sessions/minutes_mail.html", context),
        tasks=_tasks(session, minutes),
    )


def _as_text(about: str, url: str, found: Sequence[Part]) -> str:
    blocks = [f"{about}\n{url}"]
    blocks += ["\n".join([part.heading, *(_with_link(row, url) for row in part.rows)]) for part in found]
    return "\n\n".join(blocks) + "\n"


def _with_link(row: Row, url: str) -> str:
    return f"{row.in_words}\n    {url}#line-{row.line}" if row.line else row.in_words


def _tasks(session: Session, minutes: MinutesOfMeeting) -> bytes | None:
    if not minutes.of(MinutesItem.Section.ACTION):
        return None
    return as_calendar(minutes, key=session.key, title=one_line(str(session)))


def send(session: Session, letter: Letter, people: Sequence[User], *, by: User) -> list[User]:
    """Send a letter to each of these people, and return those whose address the server does not take.

    Raises:
        NotMailed: If nobody or too many are meant, or the server does not answer, or takes nothing from here.
    """
    if not 0 < len(people) <= MAX_PEOPLE:
        raise NotMailed(_("Choose 1 to %(count)d people.") % {"count": MAX_PEOPLE})
    try:
        with mail.get_connection() as connection:
            log.record(
                Action.MINUTES_MAILED,
                by=by,
                meeting=session.key,
                accounts=sorted(person.pk for person in people),
            )
            messages = [(person, _message(session, letter, person, by, connection)) for person in people]
            return [person for person, message in messages if not _is_taken(message)]
    except OSError as error:  # those of smtplib as well
        raise NotMailed(
            _("The mail server does not take it: %(reason)s") % {"reason": _said(error)}
        ) from error


def _message(
    session: Session, letter: Letter, person: User, by: User, connection: BaseEmailBackend
) -> mail.EmailMultiAlternatives:
    message = mail.EmailMultiAlternatives(
        letter.subject,
        letter.text,
        to=[person.email],
        reply_to=[by.email] if by.email else None,
        connection=connection,
    )
    message.attach_alternative(letter.html, "text/html")
    if letter.tasks:
        message.attach(exports.file_name(session, "ics"), letter.tasks, "text/calendar")
    return message


def _is_taken(message: mail.EmailMultiAlternatives) -> bool:
    """Send a message; tell whether the server takes it for whom it is."""
    try:
        message.send()
    except (SMTPRecipientsRefused, SMTPDataError, ValueError):  # ValueError: an address that is none
        return False
    return True


def _said(error: OSError) -> str:
    """Return the reason in words, as the server or the system gives it."""
    if isinstance(error, SMTPResponseException):
        said = error.smtp_error
        return one_line(said.decode(errors="replace") if isinstance(said, bytes) else said)
    return one_line(error.strerror or str(error))
