"""Promises: who is to do what until when, found by the patterns of what people say. Pure.

First "I will send it tomorrow", then "Bob, you take care of it". What is asked ("could you ...?") counts
once somebody says yes. What is over does not, nor what hangs on an "if", nor what people do by saying it
("I'd like to say ...").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from .days import Mention, mentions
from .lines import Line, Sentence, is_in_chinese, letters
from .marks_of_speech import is_condition, is_over, is_question, is_yes, without_lead
from .people import People
from .statements import Kind, Statement

MIN_LETTERS = 4
"""Chinese characters of a promise; English words, one less."""

_DO = (
    "发|给|写|做|改|修|交|出|提|送|报|补|完成|整理|准备|联系|通知|更新|安排|确认|跟进|检查|打电话|回电话|订|签|付|催|"
    "查|约|贴|寄|带|测|上线|部署|提交|汇总|组织|加|收集|申请|谈|找|汇报|协调|借|陪|弄|搞定|解决|落实|反馈|回复|拿|统计|对接|拉|"
    "建|备份|走审批|跑|负责|处理|牵头|跟|问|排|买|换|定稿|评估|梳理|推进|调|导|拟|起草|列|盯|升级|迁|删|发布|培训|弄好|选|画"
)
_SAY = (
    "说|讲|介绍|补充|分享|解释|总结一下|汇报一下吧|先汇报|觉得|想(?!办法)|认为|建议|估计|理解|记得|忘|听|以为|知道|同意|喜欢|"
    "看到|看了|看过|希望|反对|明白|没|不|怕|的意见|们?讨论|们?碰|们?聊|们?开会|们?先?对一下|们?商量|们?预计|们?班|们?组|妈|昨|这边声音"
)
_FIRST = re.compile(
    rf"(?<![给跟找和让帮对向叫陪发报问告诉])(?:我|咱)们?(?!{_SAY})(?:这边|这里|自己)?[^，,。]{{0,24}}?(?:{_DO})"
)
_GOES_ON = re.compile(f"(?:{_DO})")
_OTHERS = re.compile("你|他|她|大家|客户|谁|人")
_OWN = re.compile(f"(?:这个|那)?(?:[^我你]{{1,6}}以后)?(?:我|咱)们?(?!{_SAY})")
_FIRST_WILL = re.compile("会(?!议|展|场)|来|去|负责|争取|保证|尽快|回头|马上|准备把|打算|一下|这就|交给我")
_MINE = re.compile("交给我|包在我身上|算我的|(?:^|[，,])我来[吧。]?$|我来(?:弄|做|写|办|跑|跟|负责|吧)")
_TALK = re.compile(
    "我们?(?:先|就|来|再)*(?:说|讲|问大家|介绍|补充|汇报)|我来(?:说|讲|介绍)|们?今天(?:碰|讨论|开|聊|过|主要|把)|我觉得|我建议|我估计|我想(?!办法)"
)
_SECOND = re.compile(
    rf"你们?(?!说|讲|先讲|先说|觉得|看|那边|知道|愿意|放心|好|就说|这边|有|是|的意思|还)[^，,。]{{0,10}}?"
    rf"(?:负责|来|去|尽快|记得|回头|让|{_DO})"
)
_THIRD = "(?:你们?)?(?:来|去|负责|跟进|牵头|尽快|继续|这边|今天|明天|下周)"
_ASSIGNED = re.compile("(?:由|请|麻烦|让|辛苦)$")

_WILL = re.compile(
    r"\b(?:I'?ll|I will|I'?m going to|I am going to|I'?m gonna|let me|we'?ll|I can take)\s+"
    r"(?!be\b|start|say|show|share my|go first|keep|just say|think|see\b|talk|explain|use\b|go with|pay\b|"
    r"ask you|repeat)"
    r"(?:also |then |try to |just |probably )?(?P<verb>[a-z]+)",
    re.IGNORECASE,
)
_CAN = re.compile(r"\bI can\s+(?:also |probably )?[a-z]+", re.IGNORECASE)
_ASKED = re.compile(
    r"\b(?:(?:can|could|would|will) you(?: please)?|please)\s+"
    r"(?!tell|explain|give us|hear|see|say|repeat|go ahead)[a-z]+",
    re.IGNORECASE,
)
_THEY_WILL = re.compile(r"^\s*(?:,\s*)?(?:will|is going to|to)\s+(?!be\b)[a-z]+", re.IGNORECASE)


def find(found: Sequence[Sentence], people: People, today: date) -> list[Statement]:
    """Return the promises among the sentences of a meeting, in order.

    Args:
        found: All sentences, as `lines.sentences` returns them.
        people: Those of the meeting.
        today: The day of the meeting.
    """
    result: list[Statement] = []
    for number, sentence in enumerate(found):
        if _says_enough(sentence.text):
            own = _of_sentence(found, number, people, today)
            result += [each for each in own if not _is_said_again(each, result)]
    return result


def _is_said_again(promise: Statement, before: Sequence[Statement]) -> bool:
    """Tell whether somebody only agrees again to what they were just asked: "Right, I'll arrange it"."""
    last = before[-1] if before else None
    is_answer = last is not None and last.speaker == promise.speaker and promise.lines[0] in last.lines[1:]
    return is_answer and not promise.until


def _says_enough(text: str) -> bool:
    return letters(text) >= MIN_LETTERS - (not is_in_chinese(text))


def _of_sentence(found: Sequence[Sentence], number: int, people: People, today: date) -> Iterator[Statement]:
    sentence = found[number]
    text = without_lead(sentence.text)
    answer = _yes_after(found, number)
    if is_question(text) and not answer:
        return
    days = list(mentions(text, today))
    read = _read_chinese if is_in_chinese(text) else _read_english
    for speaker, needs_yes in read(text, sentence.line, people, days):
        if speaker is None and answer:
            speaker = answer.speaker
        is_answered = answer is not None and speaker != sentence.line.speaker
        if needs_yes and not is_answered:
            continue
        lines = [sentence.line.key, *([answer.key] if answer and is_answered else [])]
        yield _statement(text, lines, speaker or "", days)


def _statement(text: str, lines: list[int], speaker: str, days: Sequence[Mention]) -> Statement:
    # The last day of a sentence is when it must be done by: "tomorrow I start, on Friday you have it".
    day = days[-1] if days else None
    return Statement(
        Kind.ACTION,
        text,
        tuple(dict.fromkeys(lines)),
        speaker=speaker,
        until=day.text if day else "",
        due=day.day if day else None,
    )


def _yes_after(found: Sequence[Sentence], number: int) -> Line | None:
    """Return the line after this one, if in it somebody else says yes."""
    own = found[number]
    for later in found[number + 1 : number + 4]:
        if later.place == own.place:
            continue
        is_answer = later.place == own.place + 1 and later.line.speaker != own.line.speaker
        return later.line if is_answer and is_yes(later.line.text) else None
    return None


Reading = Iterator[tuple[str | None, bool]]
"""Voices that are to do something, None for one that is not named; and whether it takes a yes."""


def _read_chinese(text: str, line: Line, people: People, days: Sequence[Mention]) -> Reading:
    clauses = [clause for clause in re.split("[，,：:；;。！!？?]", text) if clause]
    is_asked = is_question(text)
    if any(map(is_condition, clauses[:-1])) or is_condition(clauses[-1]):
        return
    taken: set[str | None] = set()
    is_own = False  # "I can write it, on Monday you have it": the second clause has the first one's subject
    named: str | None = None
    for clause in clauses:
        names = people.find(clause)
        if names and clause[names[0][1] :] == clause and len(clause) == names[0][2]:
            named = names[0][0]  # "Bob, you ..."
            continue
        speaker, is_found = _of_clause(clause, line, names, named, days, is_asked=is_asked)
        if not is_found and is_own and not is_asked and _goes_on(clause, names, days):
            speaker, is_found = line.speaker, True
        is_own = is_own or _OWN.match(clause) is not None
        if is_found and speaker not in taken:
            taken.add(speaker)
            yield speaker, is_asked


def _of_clause(
    clause: str,
    line: Line,
    names: Sequence[tuple[str, int, int]],
    named: str | None,
    days: Sequence[Mention],
    *,
    is_asked: bool,
) -> tuple[str | None, bool]:
    """Return who is to do something by a clause, and whether anybody is."""
    if is_over(clause):
        return None, False
    if not is_asked and _is_first_person(clause, days):
        return line.speaker, True
    if names and (person := _named_to_do(clause, names[0])):
        return person, person != line.speaker
    if match := _SECOND.search(clause):
        before = [name for name, _start, end in names if end <= match.start() + 1]
        return (before[-1] if before else named), True
    return None, False


def _is_first_person(clause: str, days: Sequence[Mention]) -> bool:
    if _MINE.search(clause):
        return True
    if _TALK.search(clause) or not (match := _FIRST.search(clause)):
        return False
    has_will = _FIRST_WILL.search(clause[match.start() :]) is not None
    return has_will or any(day.text in clause for day in days)


def _goes_on(clause: str, names: Sequence[tuple[str, int, int]], days: Sequence[Mention]) -> bool:
    """Tell whether a clause without a subject says what is to be done on some day."""
    if names or is_over(clause) or _OTHERS.match(clause) or not _GOES_ON.search(clause):
        return False
    return any(day.text in clause for day in days)


def _named_to_do(clause: str, name: tuple[str, int, int]) -> str | None:
    """Return the person that a clause gives something to do: "by Bob", "Bob takes care of"."""
    person, start, end = name
    rest = clause[end:]
    if re.match(_THIRD, rest) and re.search(_DO, rest) and not re.match("你?(?:先?[说讲]|觉得)", rest):
        return person
    return (
        person
        if _ASSIGNED.search(clause[:start]) and re.match(f"(?:来|去)?.{{0,4}}(?:{_DO})", rest)
        else None
    )


def _read_english(text: str, line: Line, people: People, days: Sequence[Mention]) -> Reading:
    if is_condition(text):
        return
    if not is_question(text) and (_WILL.search(text) or (_CAN.search(text) and days)):
        yield line.speaker, False
        return
    others = [name for name in people.find(text) if name[0] != line.speaker]
    if _ASKED.search(text):
        yield (others[0][0] if others else None), is_question(text)
        return
    for person, _start, end in others:
        if _THEY_WILL.match(text[end:]):
            yield person, False
            return
