"""Marks by which a sentence is told to be a question, a condition, something that is over, or a yes. Pure."""

from __future__ import annotations

import re

from .days import PAST

_QUESTION = re.compile(
    r"[？?]\s*$|(?:吗|呢|么|没有|对不对|行不行|好不好|可不可以)[。.]?\s*$"
    r"|^(?:who|what|when|where|why|how|do|does|did|is|are|can|could|should|would|will|have|has)\b[^,.]*\?",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"^(?:如果|要是|假如|万一|除非|若)|的话$|\b(?:if|unless|in case|would have)\b", re.IGNORECASE
)
_OVER = re.compile(r"已经|过了|[完好过掉成]了$|了$|\b(?:already|have been|was|were|did)\b", re.IGNORECASE)
_YES = re.compile(
    r"^(?:嗯|哦|啊|那)?[，,]?(?:好(?:的|嘞|吧|啊)?|行(?:吧)?|可以|没问题|收到|明白|了解|知道了|同意|没有?意见|对|是的?|成|ok|"
    r"sure|yes|yep|yeah|okay|will do|of course|happy to|works for me|agreed|fine|perfect|sounds good|noted|"
    r"understood|makes sense)(?![\w一-鿿])",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:嗯|呃|啊|哦|对|好的?|行|可以|没问题|明白|收到|了解|ok|okay|sure|yes|yeah|well|so|right|great|good|fine|perfect|"
    r"all right|and|but|actually|then|不过|然后|另外|还有|最后|所以|因为|但是|那么)[，,。.! ]+)+",
    re.IGNORECASE,
)


def is_question(sentence: str) -> bool:
    """Tell whether something is asked."""
    return bool(_QUESTION.search(sentence))


def is_condition(clause: str) -> bool:
    """Tell whether a clause says what would have to be."""
    return bool(_CONDITION.search(clause))


def is_over(clause: str) -> bool:
    """Tell whether a clause is about what has been."""
    return bool(PAST.search(clause) or _OVER.search(clause))


def is_yes(text: str) -> bool:
    """Tell whether somebody agrees."""
    return bool(_YES.match(text.strip()))


def without_lead(text: str) -> str:
    """Return a sentence without the words that people begin with."""
    rest = _LEAD.sub("", text.strip())
    return rest[:1].upper() + rest[1:]
