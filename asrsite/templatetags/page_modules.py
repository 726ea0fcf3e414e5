"""A page's module, with all that it imports: a browser that is told at once asks for all of them at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from asrsite.module_graph import imported_by
from asrsite.static_files import shown_version

register = template.Library()


@register.simple_tag
def page_module(name: str) -> SafeString:
    """Write the elements that load a module; for the head of a page, as modules wait for the rest of it."""
    return _elements_once(name) if shown_version() else _elements(name)


@register.simple_tag
def static_version() -> str:
    """Return what changes with the texts of scripts, for their address."""
    return shown_version()


def _elements(name: str) -> SafeString:
    preloads = format_html_join(
        "\n  ",
        '<link rel="modulepreload" href="{}">',
        ((static(module),) for module in imported_by(name, _read)),
    )
    return format_html('<script type="module" src="{}"></script>\n  {}', static(name), preloads)


_elements_once = cache(_elements)


def _read(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        raise template.TemplateSyntaxError(f"there is no static file {name}")
    return Path(found).read_text(encoding="utf-8")
