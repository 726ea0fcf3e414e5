"""Words of code within a text, as the API's descriptions have them: between backticks."""

from __future__ import annotations

import re
from html import escape

from django import template
from django.utils.safestring import SafeString

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")


@register.filter
def with_code(text: str) -> SafeString:
    """Write a text as HTML, what is between backticks as code."""
    return SafeString(_CODE.sub(r"<code>\1</code>", escape(text)))
