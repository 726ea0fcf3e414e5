"""Forms of accounts, teams and webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.models import Group, User
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .access import roles
from .models import Team, Webhook
from .store.outbox import Event

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

EVENTS: Mapping[str, StrOrPromise] = {
    Event.SESSION_BEGUN: gettext_lazy("A meeting has begun"),
    Event.LINE_FINAL: gettext_lazy("A line is there"),
    Event.LINE_REVISED: gettext_lazy("A line has changed"),
    Event.SESSION_ENDED: gettext_lazy("A meeting has ended"),
    Event.UPLOAD_DONE: gettext_lazy("A file is transcribed, or cannot be"),
    Event.MINUTES_READY: gettext_lazy("Minutes are there"),
}
"""Events that webhooks can be told, in words."""


class RoleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Roles to tick, in words."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Group.objects.order_by("pk"), required=False, label=gettext_lazy("Roles"), **kwargs)

    def label_from_instance(self, obj: Group) -> str:
        return format_html('{} <span class="hint">{}</span>', *roles.in_words(obj.name))


class AddressField(forms.EmailField):
    """The address at which an account gets e-mails; it may have none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            max_length=User._meta.get_field("email").max_length,
            label=gettext_lazy("E-mail"),
            help_text=gettext_lazy(
                "Minutes of meetings can be sent there; logins have nothing to do with it."
            ),
            widget=forms.EmailInput(attrs={"autocomplete": "off"}),
            **kwargs,
        )


class NewAccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new account; its password is made for it."""

    email = AddressField()
    roles = RoleField()

    class Meta:
        model = User
        fields = ("username", "email")
        labels: ClassVar = {"username": gettext_lazy("User name")}
        help_texts: ClassVar = {"username": ""}
        widgets: ClassVar = {"username": forms.TextInput(attrs={"autocomplete": "off", "autofocus": True})}


class AccountForm(forms.Form):
    """Roles of an account, its address, and that it may be used."""

    email = AddressField()
    roles = RoleField()
    is_active = forms.BooleanField(label=gettext_lazy("This account may log in"), required=False)

    @classmethod
    def of(cls, user: User, data: Any = None, *, is_own: bool) -> AccountForm:
        """Make the form of one account; nobody closes their own."""
        known = {"email": user.email, "roles": user.groups.all(), "is_active": user.is_active}
        form = cls(data, initial=known)
        form.fields["is_active"].disabled = is_own
        return form


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name of a team, and what its members may do with each other's meetings."""

    class Meta:
        model = Team
        fields = ("name", "level", "minutes_template", "no_language_model")
        error_messages = {"name": {"unique": gettext_lazy("There is a team of this name already.")}}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        template: Any = self.fields["minutes_template"]
        template.empty_label = gettext_lazy("as for everybody")


class MemberForm(forms.Form):
    """Somebody to join a team, by the name of their account."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"list": "accounts", "autocomplete": "off"}),
    )

    def clean_username(self) -> User:
        name = self.cleaned_data["username"]
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("There is no account “%(name)s”.") % {"name": name})
        return user


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and address of a webhook, and what it is told."""

    events = forms.MultipleChoiceField(
        choices=list(EVENTS.items()), widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Tell it when")
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "events", "is_active")
        widgets: ClassVar = {
            "url": forms.TextInput(
                attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://example.com/hook"}
            )
        }

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            parts = urlsplit(url)
            is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_one = False
        if not is_one or not url.isascii() or not url.isprintable() or " " in url or "@" in parts.netloc:
            raise forms.ValidationError(_("This is no address: it begins with https:// or http://."))
        return url
