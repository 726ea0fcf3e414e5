"""Lists of people: found by name, each with what is kept of their voice."""

from __future__ import annotations

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum

from .models import Consent, Speaker, Voiceprint


def with_voices(people: QuerySet[Speaker]) -> QuerySet[Speaker]:
    """Add to each: `prints` and `seconds` of them, `until` when a consent lasts, or that it `is_endless`."""
    own = Voiceprint.objects.filter(speaker=OuterRef("pk")).order_by().values("speaker")
    consents = Consent.objects.filter(speaker=OuterRef("pk")).order_by().values("speaker")
    return people.annotate(
        prints=Subquery(own.annotate(count=Count("pk")).values("count")),
        seconds=Subquery(own.annotate(total=Sum("speech_s")).values("total")),
        until=Subquery(consents.annotate(last=Max("expires_at")).values("last")),
        is_endless=Exists(consents.filter(expires_at=None)),
    )


def find(people: QuerySet[Speaker], text: str) -> QuerySet[Speaker]:
    """Find those whose name or note has this text."""
    text = text.strip().replace("\0", " ")  # PostgreSQL takes no NUL
    return people.filter(Q(name__icontains=text) | Q(note__icontains=text)) if text else people


def enrolled(people: QuerySet[Speaker], *, is_enrolled: bool) -> QuerySet[Speaker]:
    """Find those of whom a voice is kept, or those of whom none is."""
    voices = Voiceprint.objects.filter(speaker=OuterRef("pk"))
    return people.filter(Exists(voices) if is_enrolled else ~Exists(voices))
