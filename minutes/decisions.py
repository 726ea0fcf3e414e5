"""Decisions: what a meeting settles, found by the patterns of what people say then. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .days import PAST
from .lines import Sentence, is_in_chinese, letters
from .marks_of_speech import is_question, is_yes, without_lead
from .statements import Kind, Statement

MIN_LETTERS = 5
"""Chinese characters of a decision; English words, one less."""

_SETTLED = re.compile(
    "(?<!没)(?<!不能)决定(?!不了|权|要看)|敲定(?!了没)|拍板|就这么定|就这样定|(?:时间|日期|场地|方案|名额|地点|人选|价格|结论)?"
    "(?:就)?(?:定在|定为|定于|暂定|选定)|确定(?:用|采用|选|为|在|由|下来)|统一(?:改|在|用|为|按|由|采用|使用|保留)|一律|全票通过|"
    "(?:一致|表决)(?:同意|通过)|达成一致|最终(?:选|用|采用|定)|结论(?:是|就是)|改到|改成|改为|推迟到|提前到|延期到|换成|"
    "(?:先|暂时|暂)不(?:做|上|改|考虑|支持|招|提|涨)|放到.{1,8}(?:再|考虑)|(?:继续|还是)?保留(?=[，,。]|$)|取消|砍(?:到|掉)|先按|就按|"
    "从(?:今天|明天|下周|下个月|现在|.{1,4}月|明年)(?:起|开始)"
)
_THEN = re.compile(
    "(?:^|[，,])(?:好[，,])?那(?:我们|咱们|么)?(?:这个.{0,6})?(?:就|还是|以后|[^我你，,]{0,8}(?:就|用|选|改|定|换|由|接))"
    "|^(?:我们|咱们)?就(?:用|选|定|按|这么|这样|改|换|做)"
    "|(?:^|[，,])那[^我你，,？?]{1,6}就[^，,]{1,8}吧"
)
_NOT_YET = re.compile(
    "能不能|要不要|是不是|是否|会不会|可不可以|还没|没定|再定|再说|再看|要把|得把|需要|希望|我觉得|我建议|建议|我喜欢|商量|讨论|好像|可能|应该|如果|要是|"
    "今天就到|就到这|先这样|没问题|就好|辛苦|太好|谢谢|怎么|什么|多少|谁|哪|下次会|们?说一下|催|我去|我来|我回|我改|我今|我明|我先|我月|我下|我这|我跟"
)
_CONSENT = re.compile(
    "(?:大家|各位|你们)?(?:都)?(?:没有?意见|没有?异议|同意)吧?[？?]$|行吧[？?]$|可以吧[？?]$"
)

_AGREED = re.compile(
    r"\b(?:we(?:'ve| have)?\s+(?:all\s+)?(?:decided|agreed|settled)|it(?:'s| is) decided|the decision is"
    r"|(?:let's|let us|we(?:'ll| will|'re going to| are going to))\s+(?:just\s+)?"
    r"(?:go with|switch|use|keep|drop|cancel|postpone|adopt|stick|pay|skip|leave|ship|release|not)"
    r"|we(?:'re| are) going (?:with|for)|from now on|is approved|we won't|no longer)\b",
    re.IGNORECASE,
)
_NOT_AGREED = re.compile(
    r"\b(?:if we|maybe|should we|could we|would|perhaps|I think|not sure|haven't|have not|didn't|last|"
    r"another time)\b",
    re.IGNORECASE,
)


def find(found: Sequence[Sentence]) -> list[Statement]:
    """Return the decisions among the sentences of a meeting, in order."""
    return [
        Statement(Kind.DECISION, without_lead(sentence.text), _lines(found, number))
        for number, sentence in enumerate(found)
        if _is_decision(sentence, is_agreed_to=_has_yes_after(found, number))
    ]


def _is_decision(sentence: Sentence, *, is_agreed_to: bool) -> bool:
    text = without_lead(sentence.text)
    if letters(text) < MIN_LETTERS - (not is_in_chinese(text)):
        return False
    if not is_in_chinese(text):
        return bool(_AGREED.search(text)) and not _NOT_AGREED.search(text) and not is_question(text)
    if is_question(text):
        # "Twenty thousand, does anybody object?" is a question by its form only.
        return (
            is_agreed_to and bool(_CONSENT.search(text)) and bool(_SETTLED.search(text) or _THEN.search(text))
        )
    if _NOT_YET.search(text) or PAST.search(text):
        return False
    return bool(_SETTLED.search(text) or _THEN.search(text))


def _lines(found: Sequence[Sentence], number: int) -> tuple[int, ...]:
    """Return the line of a decision; with the one before, if it only says that this is settled."""
    own = found[number]
    points_back = re.search("就这么定|就这样定|it's decided", own.text)
    before = [found[number - 1].line.key] if points_back and number else []
    return tuple(dict.fromkeys([*before, own.line.key]))


def _has_yes_after(found: Sequence[Sentence], number: int) -> bool:
    own = found[number]
    later = next((each for each in found[number + 1 : number + 4] if each.place > own.place), None)
    return later is not None and later.line.speaker != own.line.speaker and is_yes(later.line.text)
