"""Edits of a transcript: one function for each, one transaction each.

All of them refuse to overwrite what the person has not seen, keep every version with its author, number what
changed so that open pages hear of it, and say how to take the edit back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from audit import log
from audit.models import Action
from recognition.writing.changes import from_columns, written_text
from sessions_app.models import Overlap, Session, Utterance, Voice
from sessions_app.store.queries import with_voices
from sessions_app.store.voices import lines_with
from speakers.models import Speaker

from . import attribution
from .alignment import cut
from .edit_requests import (
    ChangeText,
    ChangeTitle,
    Edit,
    EditError,
    GiveLine,
    InsertLine,
    MergeLines,
    NameVoice,
    RemoveLine,
    ReplaceText,
    RestoreLines,
    Seen,
    SeparateVoices,
    SplitLine,
    Version,
    Who,
    replace_in,
)
from .line_versions import LineVersion, Removal, by_line, lines_to_flip, removal_by_hand

EDITING_S = 600.0
"""One entry of the audit log in this time."""

AS_HEARD = ("language", "emotion", "events")
"""Columns that tell how a line sounded."""

NOT_RESTORED = ("id", "session", "seq", "revision", "tokens", "machine_text", "rewrites", *AS_HEARD)
"""Columns of a line that an earlier version leaves as they are."""

NOT_COPIED = ("id", "seq", "revision", "machine_text", "rewrites", "is_removed")
"""Columns that are a line's own: one that is made of it has others."""

_RESTORED = [field for field in Utterance._meta.concrete_fields if field.name not in NOT_RESTORED]
_COPIED = [field for field in Utterance._meta.concrete_fields if field.name not in NOT_COPIED]


class Conflict(EditError):
    """An edit that somebody else has forestalled; nothing was changed.

    Attributes:
        lines: As they read now, those that are not as they were seen.
    """

    def __init__(self, message: str, lines: Sequence[Utterance] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.lines = lines


class NotPossible(EditError):
    """An edit that makes no sense with this transcript; the message is for the person."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an edit."""

    lines: list[Utterance] = field(default_factory=list)
    """As they read now, those that changed."""

    undo: Edit | None = None
    """The edit that takes it back, unless somebody changes the same in between."""

    was: Mapping[int, int] = field(default_factory=dict)
    """The revisions that lines had before, by key: taken back, they read again as they did then."""


def apply(session: Session, edit: Edit, *, by: User) -> Outcome:
    """Do what a person asks.

    Raises:
        Conflict: If something is not as the person saw it.
        NotPossible: If it cannot be done.
    """
    with transaction.atomic():
        # Commits take this row first, too: so a person and a worker wait for each other.
        session = Session.objects.select_for_update().get(pk=session.pk)
        outcome = _SERVICES[type(edit)](session, edit, by)
        # Every version of every line is kept with who made it: here it is enough to find who edited what.
        log.record_seldom(Action.MEETING_EDITED, every_s=EDITING_S, by=by, meeting=session.key)
        return outcome


# Texts.


def change_text(session: Session, edit: ChangeText, by: User) -> Outcome:
    """Let a line read otherwise."""
    return _change_texts(session, {edit.seen: edit.text}, by, "text")


def replace_text(session: Session, edit: ReplaceText, by: User) -> Outcome:
    """Replace a text in the lines that were chosen."""
    lines = _seen_lines(session, edit.lines)
    texts = {seen: replace_in(line.text, edit) for seen, line in zip(edit.lines, lines, strict=True)}
    if not all(texts.values()):
        raise NotPossible(_("A line would be left empty: remove it instead."))
    return _change_texts(session, texts, by, "replace")


def _change_texts(session: Session, texts: dict[Seen, str], by: User, reason: str) -> Outcome:
    lines = _seen_lines(session, texts)
    changed = [(line, text) for line, text in zip(lines, texts.values(), strict=True) if line.text != text]
    before = _keep_versions([line for line, _ in changed])
    for line, text in changed:
        # Whoever writes what the machine said has not corrected it.
        line.text, line.is_edited = text, text not in _by_machine(line)
    return _finish(session, [line for line, _ in changed], by, reason, before)


def _by_machine(line: Utterance) -> tuple[str, str]:
    """Return a line's text as the machine heard it, and as it has written that."""
    heard = line.machine_text
    return heard, written_text(heard, from_columns(line.rewrites))


# Who says what.


def give_line(session: Session, edit: GiveLine, by: User) -> Outcome:
    """Give one line to somebody else."""
    [line] = _seen_lines(session, [edit.seen])
    before = _keep_versions([line])
    line._change_reason = "speaker"  # type: ignore[attr-defined]
    was = _revisions([line])
    attribution.give_line(line, _voice(session, edit.who, by), by=by)
    return _outcome(session, before, was)


def name_voice(session: Session, edit: NameVoice, by: User) -> Outcome:
    """Name a voice, or make it one with the voice that is meant."""
    voice = _known_voice(session, edit.voice)
    if voice is None:
        raise Conflict(_("Someone else has renamed this voice in the meantime."))
    own = list(voice.utterances.values_list("pk", flat=True))
    overlaps = list(voice.overlaps.values_list("pk", flat=True))
    was = dict(session.utterances.filter(pk__in=lines_with(Q(pk=voice.pk))).values_list("pk", "revision"))
    previous = Who(speaker_id=str(voice.speaker.uuid)) if voice.speaker else Who(stranger=True)
    other = _known_voice(session, edit.who.speaker_id) if edit.who.speaker_id else None
    now = (
        attribution.merge_voices(other, voice)
        if other
        else attribution.name_voice(voice, _speaker(edit.who, by))
    )
    undo: Edit
    if now.pk == voice.pk:
        undo = NameVoice(voice=now.public_id, who=previous)
    else:
        undo = SeparateVoices(voice=str(voice.uuid), lines=own, overlaps=overlaps)
    return Outcome(_read(session, was), undo, was)


def separate_voices(session: Session, edit: SeparateVoices, by: User) -> Outcome:
    """Make two voices of one that was merged."""
    gone = session.voices.filter(uuid=_uuid(edit.voice)).exclude(merged_into=None).first()
    if gone is None or gone.merged_into is None:
        raise Conflict(_("Someone else has renamed this voice in the meantime."))
    kept = gone.merged_into
    own = dict(kept.utterances.filter(pk__in=edit.lines).values_list("pk", "revision"))
    overlaps = kept.overlaps.filter(pk__in=edit.overlaps)
    overlapped = dict(overlaps.values_list("utterance", "utterance__revision"))
    was = overlapped | own
    attribution.separate_voice(gone, own, list(overlaps.values_list("pk", flat=True)))
    undo = NameVoice(voice=gone.public_id, who=Who(speaker_id=kept.public_id))
    return Outcome(_read(session, was), undo, was)


def _voice(session: Session, who: Who, by: User) -> Voice:
    """Return the voice in this session, made if need be."""
    known = _known_voice(session, who.speaker_id) if who.speaker_id else None
    return known or attribution.voice_of(session, _speaker(who, by))


def _known_voice(session: Session, public_id: str) -> Voice | None:
    for voice in session.voices.filter(merged_into=None).select_related("speaker"):
        if voice.public_id == public_id:
            return voice
    return None


def _speaker(who: Who, by: User) -> Speaker | None:
    """Return the enrolled or new speaker; None for a stranger."""
    if who.stranger:
        return None
    if who.name is not None:
        if not by.has_perm("speakers.add_speaker"):
            raise NotPossible(_("You may only choose among the known speakers."))
        return Speaker.objects.create(name=who.name)
    speaker = Speaker.objects.filter(uuid=_uuid(who.speaker_id or "")).first()
    if speaker is None:
        raise NotPossible(_("This speaker no longer exists."))
    return speaker


# Lines.


def split_line(session: Session, edit: SplitLine, by: User) -> Outcome:
    """Cut a line in two, in text and in time."""
    [line] = _seen_lines(session, [edit.seen])
    before = _keep_versions([line])
    place = cut(f"{edit.first} {edit.second}", len(edit.first) + 1, line.tokens, line.start, line.end)
    # Both parts keep all tokens: only those within a line's own time count, and nothing is lost by undoing.
    second = copy_of(line, start=place.start, text=edit.second, is_edited=True)
    line.end, line.text, line.is_edited = place.end, edit.first, True
    now = timezone.now()
    _add(second, by, "split", now)
    _copy_overlaps(line, second)
    return _finish(session, [line], by, "split", before | {second.pk: None}, now)


def merge_lines(session: Session, edit: MergeLines, by: User) -> Outcome:
    """Join a line and the one after it."""
    line, following = _seen_lines(session, [edit.seen, edit.following])
    if following != _line_after(session, line):
        raise NotPossible(_("Only a line and the one after it can be joined."))
    before = _keep_versions([line, following])
    _copy_overlaps(following, line)
    line.text, line.is_edited = join_lines(line.text, following.text), True
    line.end = max(line.end, following.end)
    line.tokens = sorted({tuple(token) for token in [*line.tokens, *following.tokens]}, key=lambda t: t[1:])
    Utterance.objects.filter(pk=line.pk).update(tokens=line.tokens)
    following.is_removed = True
    return _finish(session, [line, following], by, "merge", before)


def _line_after(session: Session, line: Utterance) -> Utterance | None:
    later = Q(start__gt=line.start) | Q(start=line.start, pk__gt=line.pk)
    return session.utterances.filter(later, is_removed=False).order_by("start", "id").first()


def insert_line(session: Session, edit: InsertLine, by: User) -> Outcome:
    """Add a line after another, without a time of its own."""
    line = session.utterances.filter(pk=edit.after).select_related("voice").first()
    if line is None:
        raise NotPossible(_no_such_line(edit.after))
    following = session.utterances.filter(start__gt=line.start, is_removed=False).order_by("start").first()
    # Between the two in the order of (start, id); its own end is where the next one starts.
    is_room = following is None or line.end < following.start
    start = line.end if is_room else line.start
    inserted = copy_of(
        line,
        start=start,
        end=start,
        text=edit.text,
        is_edited=True,
        # Nobody heard it, and so far only its place says whose it is.
        tokens=[],
        score=None,
        is_voice_locked=False,
        **dict.fromkeys(AS_HEARD, ""),
    )
    _add(inserted, by, "insert", timezone.now())
    return _finish(session, [], by, "insert", {inserted.pk: None})


def remove_line(session: Session, edit: RemoveLine, by: User) -> Outcome:
    """Take a line out of the transcript."""
    [line] = _seen_lines(session, [edit.seen])
    before = _keep_versions([line])
    line.is_removed = True
    return _finish(session, [line], by, "remove", before)


def restore_lines(session: Session, edit: RestoreLines, by: User) -> Outcome:
    """Let lines read as they did in an earlier version."""
    lines = _seen_lines(session, [Seen(line=v.line, revision=v.revision) for v in edit.lines], removed=True)
    versions = {
        version.pk: version
        for version in Utterance.history.filter(
            session_id=session.pk, pk__in=[v.version for v in edit.lines if v.version is not None]
        )
    }
    # Undoing names all lines; whoever picks a version of one means what came and went with it, too.
    others = _lines_that_follow(session, versions) if len(edit.lines) == 1 else []
    before = _keep_versions([*lines, *others])
    for line, wanted in zip(lines, edit.lines, strict=True):
        if wanted.version is None:
            line.is_removed = True
            continue
        version = versions.get(wanted.version)
        if version is None or version.id != line.pk:
            raise NotPossible(_("There is no such version of this line."))
        for column in _RESTORED:
            setattr(line, column.attname, getattr(version, column.attname))
        _follow_merged_voice(line)
    for line in others:
        line.is_removed = not line.is_removed
    return _finish(session, [*lines, *others], by, "restore", before)


def _lines_that_follow(session: Session, versions: Mapping[int, Any]) -> list[Utterance]:
    """Return the lines that come or go with this version: no words are lost, and none are there twice."""
    version = next(iter(versions.values()), None)
    if version is None:
        return []
    own = Utterance.history.filter(id=version.id, history_date__gt=version.history_date)
    dates = list(own.values_list("history_date", flat=True))
    together = Utterance.history.filter(session_id=session.pk, history_date__in=dates).exclude(id=version.id)
    rows = session.utterances.in_bulk(together.values_list("id", flat=True).distinct()) if dates else {}
    removed = {pk: row.is_removed for pk, row in rows.items()}
    flips = lines_to_flip(version.id, version.history_date, history_of([version.id, *rows]), removed)
    return [rows[pk] for pk in flips]


def history_of(lines: Iterable[int]) -> list[LineVersion]:
    """Read when lines came and went, the oldest first."""
    rows = Utterance.history.filter(id__in=list(lines)).order_by("history_date", "history_id")
    columns = ("id", "history_id", "history_date", "history_user__username", "history_change_reason")
    return [
        LineVersion(line, key, at, by or "", reason or "", is_removed, kind == "+")
        for line, key, at, by, reason, is_removed, kind in rows.values_list(
            *columns, "is_removed", "history_type"
        )
    ]


def removed_by_hand(session: Session) -> list[tuple[Utterance, Removal]]:
    """Return the lines that people took out, in their order, which can be brought back."""
    removed = with_voices(session.utterances.filter(is_removed=True))
    rows = list(removed.defer("tokens", "machine_text").order_by("start", "id"))
    histories = by_line(history_of(row.pk for row in rows))
    removals = [(row, removal_by_hand(histories.get(row.pk, []))) for row in rows]
    return [(row, removal) for row, removal in removals if removal]


def _follow_merged_voice(line: Utterance) -> None:
    """Give a line of a voice that was merged since to the other, and one of a voice that is gone to none."""
    if line.voice_id is None:
        return
    voice = Voice.objects.select_related("merged_into").filter(pk=line.voice_id).first()
    line.voice = (voice.merged_into or voice) if voice else None


# The session.


def change_title(session: Session, edit: ChangeTitle, by: User) -> Outcome:
    """Give the session another title."""
    if session.title not in (edit.seen, edit.title):
        message = _("Someone else has changed the title to “%(title)s” in the meantime.")
        raise Conflict(message % {"title": session.title})
    before, session.title = session.title, edit.title
    session.save(update_fields=["title"])
    return Outcome(undo=ChangeTitle(seen=edit.title, title=before))


# What all of them share.


def _seen_lines(session: Session, seen: Iterable[Seen], *, removed: bool = False) -> list[Utterance]:
    """Return the lines, in the order asked for, as they were seen.

    Raises:
        Conflict: If any of them changed since.
    """
    wanted = list(seen)
    rows = {
        row.pk: row for row in with_voices(session.utterances.filter(pk__in=[line.line for line in wanted]))
    }
    if missing := [line.line for line in wanted if line.line not in rows]:
        raise NotPossible(_no_such_line(missing[0]))
    changed = [
        rows[line.line]
        for line in wanted
        if rows[line.line].revision != line.revision or (rows[line.line].is_removed and not removed)
    ]
    if changed:
        raise Conflict(_("Someone else has changed this in the meantime."), changed)
    return [rows[line.line] for line in wanted]


def _keep_versions(lines: Sequence[Utterance]) -> dict[int, int | None]:
    """Make sure that each line as it is now is a version in its history; return their keys.

    The machine writes no history: it would double every line. So what it wrote is kept when a person is
    about to change it.
    """
    latest: dict[int, Any] = {}
    for version in Utterance.history.filter(id__in=[line.pk for line in lines]).order_by("history_id"):
        latest[version.id] = version
    unkept = [line for line in lines if not _is_version_of(latest.get(line.pk), line)]
    for line in unkept:
        line._history_user = None  # type: ignore[attr-defined]
    made = Utterance.history.bulk_history_create(unkept, update=True, default_change_reason="machine")
    kept = {version.id: version.history_id for version in made}
    return {line.pk: kept.get(line.pk) or latest[line.pk].history_id for line in lines}


def _is_version_of(version: Any, line: Utterance) -> bool:
    return version is not None and all(
        getattr(version, column.attname) == getattr(line, column.attname) for column in _RESTORED
    )


def copy_of(line: Utterance, **changes: Any) -> Utterance:
    """Return another line that is like this one but for `changes`; not saved."""
    columns = {column.attname: getattr(line, column.attname) for column in _COPIED}
    return Utterance(**columns | changes)


def _copy_overlaps(line: Utterance, other: Utterance) -> None:
    """Give another line all speech of others during this one: only what is in its time counts."""
    known = set(other.overlaps.values_list("voice", "start", "end"))
    spans = [span for span in line.overlaps.values_list("voice", "start", "end") if span not in known]
    Overlap.objects.bulk_create(
        Overlap(utterance=other, voice_id=voice, start=start, end=end) for voice, start, end in spans
    )


def _add(line: Utterance, by: User, reason: str, now: datetime) -> None:
    line._history_user, line._change_reason = by, reason  # type: ignore[attr-defined]
    line._history_date = now  # type: ignore[attr-defined]
    line.save()


def _finish(
    session: Session,
    lines: Sequence[Utterance],
    by: User,
    reason: str,
    before: dict[int, int | None],
    now: datetime | None = None,
) -> Outcome:
    """Save the lines with their history, number all that changed, and tell whoever reads along."""
    for line in lines:
        line._history_user = by  # type: ignore[attr-defined]
    columns = [column.name for column in _RESTORED]
    bulk_update_with_history(
        lines,
        Utterance,
        columns,
        batch_size=200,
        default_change_reason=reason,
        default_date=now or timezone.now(),  # one for all: it says what changed together
    )
    attribution.announce(session, before)
    return _outcome(session, before, _revisions(lines))


def _outcome(session: Session, before: dict[int, int | None], was: dict[int, int]) -> Outcome:
    lines = _read(session, before)
    versions = [Version(line=line.pk, revision=line.revision, version=before[line.pk]) for line in lines]
    return Outcome(lines, RestoreLines(lines=versions) if versions else None, was)


def _revisions(lines: Iterable[Utterance]) -> dict[int, int]:
    return {line.pk: line.revision for line in lines}


def _read(session: Session, lines: Iterable[int]) -> list[Utterance]:
    rows = with_voices(session.utterances.filter(pk__in=list(lines)))
    return list(rows.order_by("start", "id"))


def join_lines(first: str, second: str) -> str:
    """Join two texts: with a space between them unless one is Chinese there."""
    is_chinese = any("\u2e80" <= character <= "\uffef" for character in first[-1:] + second[:1])
    return first + ("" if is_chinese else " ") + second


def _no_such_line(line: int) -> str:
    return _("There is no line %(line)s in this meeting.") % {"line": line}


def _uuid(text: str) -> uuid.UUID:
    """Return the id in this text; one that nobody has if there is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


_SERVICES: dict[type, Callable[[Session, Any, User], Outcome]] = {
    ChangeText: change_text,
    ReplaceText: replace_text,
    GiveLine: give_line,
    NameVoice: name_voice,
    SeparateVoices: separate_voices,
    SplitLine: split_line,
    MergeLines: merge_lines,
    InsertLine: insert_line,
    RemoveLine: remove_line,
    RestoreLines: restore_lines,
    ChangeTitle: change_title,
}
