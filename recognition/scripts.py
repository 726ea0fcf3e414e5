"""Scripts of Chinese, simplified and traditional, character for character. Pure; OpenCC is loaded at first.

There is more than one traditional script: this is that of Taiwan, in its characters and not in its words.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

SIMPLIFIED, TRADITIONAL = "simplified", "traditional"
SCRIPTS = (SIMPLIFIED, TRADITIONAL)


def traditional(text: str) -> str:
    """Return a text in traditional characters, as long as it was; what is right for one depends on others."""
    return _converted(text, "s2tw")


def simplified(text: str) -> str:
    """Return a text in simplified characters, as long as it was."""
    return _converted(text, "tw2s")


def _converted(text: str, way: str) -> str:
    if text.isascii():
        return text
    converter = _converter(way)
    converted = str(converter.convert(text))
    if len(converted) == len(text):
        return converted
    return "".join(str(converter.convert(character))[:1] or character for character in text)


@cache
def _converter(way: str) -> OpenCC:
    from opencc import OpenCC

    return OpenCC(way)
