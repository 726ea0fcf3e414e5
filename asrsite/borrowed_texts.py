"""Texts of libraries, as of Django's admin, without a translation there, for `make translations`."""

from django.utils.translation import gettext_noop

TEXTS = [
    gettext_noop("Model name"),
    gettext_noop("Add link"),
    gettext_noop("Change or view list link"),
    gettext_noop("After you’ve created a user, you’ll be able to edit more user options."),
    gettext_noop("Changes"),
    gettext_noop("None"),
    gettext_noop("authenticator"),
]
