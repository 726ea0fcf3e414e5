"""Audit log of speakers: what was done with somebody's voice, and the names that its readers may see."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import OuterRef, QuerySet, Subquery

from audit.models import Action, Entry

from .models import Speaker
from .permissions import VIEW


def entries_of(speaker: Speaker) -> QuerySet[Entry]:
    """Return the log of somebody's voice, and of the entries that were merged into theirs."""
    return Entry.objects.filter(speaker__in=_merged_into(speaker))


def with_names(entries: QuerySet[Entry], reader: User | AnonymousUser) -> QuerySet[Entry]:
    """Annotate entries with `speaker_name`: of those who are still there, for readers who may see people."""
    people = Speaker.objects.filter(uuid=OuterRef("speaker"))
    if not reader.has_perm(VIEW):
        people = people.none()
    return entries.annotate(speaker_name=Subquery(people.values("name")))


def _merged_into(speaker: Speaker) -> set[uuid.UUID]:
    """Return the key of a speaker, and those of all entries that became part of this one."""
    known, new = set(), {speaker.uuid}
    while new:
        known |= new
        merges = Entry.objects.filter(action=Action.MERGED, speaker__in=new)
        new = {uuid.UUID(detail["gone"]) for detail in merges.values_list("detail", flat=True)} - known
    return known
