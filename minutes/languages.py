"""Languages into which the lines of a meeting can be translated. Pure."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES: Mapping[str, tuple[str, str]] = {
    "en": ("English", "English"),
    "zh": ("Simplified Chinese", "简体中文"),
    "zh-hant": ("Traditional Chinese", "繁體中文"),
    "ja": ("Japanese", "日本語"),
    "ko": ("Korean", "한국어"),
    "fr": ("French", "Français"),
    "de": ("German", "Deutsch"),
    "es": ("Spanish", "Español"),
    "ru": ("Russian", "Русский"),
}
"""Languages into which lines are translated: what each is called in English, and by those who speak it."""
