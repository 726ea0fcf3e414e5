"""A title drawn from what was said: the clause near the beginning that the rest is most about. Pure.

Topics come again, small talk does not: a clause is worth what its words are worth, and a word the more
lines it is in. As Chinese is written without blanks, its words are pairs of neighbouring characters here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from recognition.core.text import is_chinese

MAX_LINES = 400
"""Lines that are listened for what comes again."""

OPENING = 40
"""Lines among which a title is looked for."""

MAX_CHINESE, MAX_WORDS = 18, 9
MAX_LENGTH = 72
MIN_CHINESE, MIN_WORDS = 4, 2

FADING = 20
"""Clauses after which one counts for half: what a meeting is about is said early."""

MIN_LETTERS = 3
"""Letters of a word that can carry a topic."""

NEW = 0.25
"""Worth of a word that comes in one line only."""

PRIOR = 3
"""Words without worth that each clause is given, so that a single good one does not win."""

_CLAUSE = re.compile(r"[，。！？；：、,;:!?…\n]+|\.(?=\s|$)")
_CHINESE_LEAD = re.compile(
    "(嗯|呃|啊|哦|喂|好的?|对|行|是的?|那么?|然后|所以|但是|不过|其实|就是|首先|最后|另外|接下来|第[一二三四五]个?是|"
    "大家(早上|上午|下午|晚上)?好|各位|我们|咱们|我|你|今天|现在|来|先|主要|想|要|就|再|开始|继续|讨论|聊|说|讲|看|谈|介绍|一下|关于|的是)+"
)
_ENGLISH_LEAD = re.compile(
    r"((so|okay|ok|well|um+|uh+|and|but|yeah|yes|no|right|all right|alright|now|then|first|next|finally|"
    r"hi|hello|hey|good (morning|afternoon|evening)|everyone|everybody|welcome( to)?|today|let's|let us|"
    r"we('re| are)?|"
    r"i('d|'ll|'m)?|you|want(ed)? to|would like to|going to|gonna|will|can|start(ing)?( with)?|"
    r"begin(ning)?( with)?|(talk|talking|speak|hear|discuss|look|looking|go|move)( a bit)?"
    r"( about| at| over| through| on to)?|discuss(ing)?|about|here to)(?![\w']),?\s*)+",
    re.IGNORECASE,
)
_EMPTY_CHARACTERS = frozenset(
    "的了是在我你他她它们这那就也都和吗呢吧啊嗯呃哦哈好很不没有一个会要能可以说么什还再到去来对上下把被给让跟与或请先后"
)
_PAIRS = "问题 大家 知道 觉得 时候 事情 东西 谢谢 今天 明天 昨天 别的 开始 开会 听得 听到 得到"
_EMPTY_PAIRS = frozenset(_PAIRS.split())
_WORDS = """
the and for are was were with that this these those you your our they them their have has had not but all can
will would could should what when where which who how why there here from about into just like very really
some any then than its it's i'm we're you're let's out one two get got going know think yes yeah okay
"""
_EMPTY_WORDS = frozenset(_WORDS.split())
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?", re.UNICODE)


def draw_title(lines: Sequence[str]) -> str:
    """Return a title for a meeting with these lines; empty if none of them says anything."""
    heard = Counter(word for line in lines[:MAX_LINES] for word in set(_words(line)))
    best, best_worth = "", 0.0
    for place, clause in enumerate(_clauses(lines[:OPENING])):
        worth = _worth(clause, heard) / (1 + place / FADING)
        if worth > best_worth:
            best, best_worth = clause, worth
    return best[:1].upper() + best[1:]


def _clauses(lines: Iterable[str]) -> Iterator[str]:
    """Yield what may be a title, in the order in which it was said."""
    for line in lines:
        for part in _CLAUSE.split(line):
            whole = part.strip()
            if clause := _shortened(_without_lead(whole)) or _shortened(whole):
                yield clause


def _without_lead(clause: str) -> str:
    """Return a clause without what people say before they say something."""
    lead = _ENGLISH_LEAD.match(clause) or _CHINESE_LEAD.match(clause)
    return clause[lead.end() :].strip() if lead else clause


def _shortened(clause: str) -> str:
    """Return a clause of a title's length; empty if it is too short for one."""
    chinese = sum(map(is_chinese, clause))
    if chinese:
        return _cut(clause, MAX_CHINESE) if chinese >= MIN_CHINESE else ""
    words = clause.split()
    if len(words) < MIN_WORDS:
        return ""
    return _cut(" ".join(words[:MAX_WORDS]) + ("…" if len(words) > MAX_WORDS else ""), MAX_LENGTH)


def _cut(clause: str, length: int) -> str:
    return clause if len(clause) <= length else clause[:length].rstrip() + "…"


def _worth(clause: str, heard: Counter[str]) -> float:
    words = set(_words(clause))
    # Where nothing comes again, something that is new must do.
    return sum(NEW + math.log2(max(1, heard[word])) for word in words) / (len(words) + PRIOR)


def _words(text: str) -> Iterator[str]:
    """Yield the words that can carry a topic."""
    for one, other in pairwise(text):
        is_word = is_chinese(one) and is_chinese(other) and not _EMPTY_CHARACTERS & {one, other}
        if is_word and one + other not in _EMPTY_PAIRS:
            yield one + other
    for match in _WORD.finditer(text):
        word = match[0].casefold()
        if len(word) >= MIN_LETTERS and not is_chinese(word[0]) and word not in _EMPTY_WORDS:
            yield word
