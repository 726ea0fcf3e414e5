"""Tracking of voices in one live session, line after line, with what must be corrected afterwards. Pure.

Every line belongs to a voice. A voice is an enrolled speaker or a stranger ("Speaker 1"), and what is known
of it grows with each line, so answers get better: `take_revisions` tells which earlier ones were wrong. Two
voices that were heard at once are two people, whatever they sound like. What must outlive the process is in
`VoiceState`; a tracker made from those goes on where another one stopped.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import numpy as np

from . import clustering
from .clustering import Cluster, ClusteringOptions
from .identification import Gallery, Identification, IdentificationOptions, identify, unit
from .overlaps import HeardLine, VoicePairs, beside_each
from .scoring import Voices, probability


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """Limits of tracking, with those of naming and of telling voices apart."""

    identification: IdentificationOptions = field(default_factory=IdentificationOptions)
    clustering: ClusteringOptions = field(default_factory=ClusteringOptions)

    shortest_speech_s: float = 0.6
    """Less speech than this says too little of a voice: the line goes to the likeliest one, uncertainly."""

    news: float = 0.1
    """Once this share of what is known of a voice is new, it is compared with the enrolled ones again."""

    recent_lines: int = 200
    """Lines that may still move to another voice one by one. At any time, all lines of a voice follow it."""


@dataclass(frozen=True, slots=True, eq=False)
class VoiceState:
    """A voice as it is kept while its session is live, so that another worker can go on."""

    voice: uuid.UUID
    speaker: int | None = None
    """Key of the enrolled speaker; None for a stranger."""

    is_named_by_person: bool = False
    """A person said who this is, and no likeness changes that."""

    mean: np.ndarray | None = None
    """How it sounds: float32, shape (d,); None if it has not been heard well."""

    speech_s: float = 0.0
    """Seconds of speech behind `mean`."""

    apart: frozenset[uuid.UUID] = frozenset()
    """Voices that were heard at the same time as this one: other people."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer whose line it is."""

    voice: uuid.UUID
    speaker: int | None
    """The enrolled speaker, None for a stranger."""

    score: float | None
    """How probable it is that the voice said this line, in (0, 1); None when there was nothing to compare."""

    is_uncertain: bool = False
    """A guess: too little speech, or like no voice in particular."""

    is_new: bool = False
    """No line had this voice before."""


@dataclass(frozen=True, slots=True)
class VoiceIdentified:
    """The voice is this enrolled speaker; or, with None, a stranger after all."""

    voice: uuid.UUID
    speaker: int | None


@dataclass(frozen=True, slots=True)
class VoicesMerged:
    """Two voices are one: the lines of `gone` belong to `kept`, and `gone` is never heard of again."""

    kept: uuid.UUID
    gone: uuid.UUID


@dataclass(frozen=True, slots=True)
class LineMoved:
    """This one line belongs to another voice."""

    line: int
    voice: uuid.UUID
    score: float


Revision = VoiceIdentified | VoicesMerged | LineMoved


class _Voice:
    """A voice at work."""

    __slots__ = ("cluster", "heard", "is_named_by_person", "is_open", "is_told", "key", "news_s", "speaker")

    def __init__(self, state: VoiceState, *, is_told: bool = True) -> None:
        self.key = state.voice
        self.speaker = state.speaker
        self.is_named_by_person = state.is_named_by_person
        self.cluster = Cluster(state.mean, state.speech_s)
        self.heard = 0  # when last, counted in lines
        self.news_s = 0.0  # seconds heard since it was compared with the enrolled voices
        self.is_told = is_told  # the outside knows of it
        self.is_open = False  # it began with a line of unknown voice: the next stranger may be meant

    @property
    def state(self) -> VoiceState:
        cluster = self.cluster
        return VoiceState(self.key, self.speaker, self.is_named_by_person, cluster.mean, cluster.speech_s)


@dataclass(slots=True, eq=False)
class _Line:
    """A recent line, which may still move."""

    key: int
    embedding: np.ndarray  # zero if nothing was heard of its voice
    speech_s: float
    voice: _Voice
    shapes: bool  # it is part of its voice's mean
    beside: list[_Line]  # lines that sound at the same time
    is_locked: bool = False  # a person said whose it is

    @property
    def may_move(self) -> bool:
        """Return whether anybody can be told that it belongs to another voice."""
        return self.key >= 0

    def is_beside(self, voice: _Voice) -> bool:
        return any(other.voice is voice for other in self.beside)


class SpeakerTracker:
    """Tracker of the voices of one session. A line costs the same in the first minute and in the third hour.

    Args:
        gallery: The enrolled speakers; see `set_gallery`.
        voices: What `changed_voices` told of this session, if it goes on after an interruption.
        expected: Keys of the speakers who are expected in this session.
    """

    def __init__(
        self,
        gallery: Gallery,
        options: TrackingOptions = TrackingOptions(),
        voices: Iterable[VoiceState] = (),
        *,
        expected: Collection[int] = (),
        new_key: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        self.options = options
        self._expected = np.fromiter(expected, np.int64, len(expected))
        self._gallery = gallery
        self._new_key = new_key
        self._voices: dict[uuid.UUID, _Voice] = {}  # in order of appearance
        self._pairs = VoicePairs()
        self._last: _Voice | None = None  # who spoke last
        self._lines: deque[_Line] = deque(maxlen=options.recent_lines)
        self._heard = self._prepared([], [])  # the lines, ready to be compared
        self._count = 0
        self._revisions: list[Revision] = []
        self._changed: set[uuid.UUID] = set()
        for state in voices:
            self.adopt(state)

    def identify(self, line: int, embedding: np.ndarray | None, speech_s: float) -> Decision:
        """Decide whose line this is, which sounds alone; see `HeardLine` and `identify_all`."""
        [decision] = self.identify_all([HeardLine(line, embedding, speech_s)])
        return decision

    def identify_all(self, lines: Sequence[HeardLine]) -> list[Decision]:
        """Decide whose the lines of one utterance are; those that sound at once are of different people.

        The longest speech has the first choice.

        Returns:
            Of each line, in the order given. Later thoughts about the first of them are revisions.

        Raises:
            ValueError: If an embedding has another dimension than the gallery.
        """
        for line in lines:
            self._check(line.embedding)
        beside = beside_each(lines)
        known = len(self._voices)
        heard: dict[int, _Line] = {}
        decisions: dict[int, Decision] = {}
        for index in sorted(range(len(lines)), key=lambda index: -_known_s(lines[index])):
            before = [heard[other].voice for other in reversed(range(index)) if other in heard]
            among = [heard[other] for other in beside[index] if other in heard]
            heard[index], decisions[index] = self._decide(lines[index], before, among)
        self._note_order([heard[index] for index in range(len(lines))], known)
        return [decisions[index] for index in range(len(lines))]

    @property
    def model_id(self) -> str:
        """The model whose embeddings are compared."""
        return self._gallery.model_id

    def take_revisions(self) -> list[Revision]:
        """Return what was found wrong in earlier answers since the last call, to be applied in this order."""
        revisions, self._revisions = self._revisions, []
        return revisions

    def changed_voices(self) -> list[VoiceState]:
        """Return the voices that are new or changed since the last call, to be stored."""
        changed, self._changed = self._changed, set()
        return [
            replace(voice.state, apart=self._pairs.of(key))
            for key, voice in self._voices.items()
            if key in changed
        ]

    def set_gallery(self, gallery: Gallery) -> None:
        """Take over a gallery in which somebody was enrolled, changed, or forgotten.

        How a voice sounds is forgotten with what was enrolled of its speaker, and so is its name, unless a
        person gave it.
        """
        before, self._gallery = self._gallery, gallery
        if before.scoring is not gallery.scoring:
            lines = self._lines
            self._heard = self._prepared(
                [line.embedding for line in lines], [line.speech_s for line in lines]
            )
        for voice in list(self._voices.values()):
            if voice.speaker is not None and voice.speaker in before and voice.speaker not in gallery:
                self._forget(voice)
        for voice in list(self._voices.values()):
            if voice.key in self._voices:
                self._recognise(voice)

    # What a person said.

    def adopt(self, state: VoiceState) -> None:
        """Take over a voice that a person added or named: `state.speaker` holds.

        What the tracker knows of how the voice sounds is kept.
        """
        self._pairs.restore(state.voice, state.apart)
        voice = self._voices.get(state.voice)
        if voice is None:
            self._voices[state.voice] = _Voice(state)
            return
        voice.speaker, voice.is_named_by_person = state.speaker, state.is_named_by_person

    def merge(self, kept: uuid.UUID, gone: uuid.UUID) -> None:
        """Make one of two voices, even if they were heard at once. Unknown voices are ignored."""
        if kept in self._voices and gone in self._voices and kept != gone:
            self._join(self._voices[kept], self._voices[gone])

    def assign(self, line: int, voice: uuid.UUID) -> None:
        """Give a line to a voice, for good. It shapes the voice that it belongs to."""
        target = self._voices.get(voice)
        recent = next((recent for recent in self._lines if recent.key == line), None)
        if target is None or recent is None:
            return
        recent.is_locked = True
        self._move(recent, target)

    # Deciding.

    def _check(self, embedding: np.ndarray | None) -> None:
        if embedding is not None and embedding.shape != (self._gallery.dimension,):
            raise ValueError(f"embedding has shape {embedding.shape}, not ({self._gallery.dimension},)")

    def _decide(
        self, heard: HeardLine, before: Sequence[_Voice], beside: list[_Line]
    ) -> tuple[_Line, Decision]:
        """Decide whose line this is.

        Args:
            before: The voices of lines before it in the utterance, the nearest first.
            beside: Lines that sound at the same time, as far as they are decided.
        """
        if _is_telling(heard.embedding):
            embedding, speech_s = unit(heard.embedding), heard.speech_s
            voice, score, is_certain = self._choose(embedding, speech_s, beside)
        else:
            embedding, speech_s = np.zeros(self._gallery.dimension, np.float32), 0.0
            voice, score, is_certain = self._guess(before, _voices_of(beside)), None, False
        line = _Line(heard.key, embedding, speech_s, voice, is_certain, beside)
        self._remember(line)
        if is_certain:
            self._shape(voice, embedding, speech_s)
            self._reconsider(voice)
        is_new, line.voice.is_told = not line.voice.is_told, True
        self._note_speaker(line.voice)
        return line, Decision(line.voice.key, line.voice.speaker, score, not is_certain, is_new)

    def _remember(self, line: _Line) -> None:
        for other in line.beside:
            other.beside.append(line)
            self._pairs.add(line.voice.key, other.voice.key)
        if not (line.speech_s or line.beside):
            return
        if len(self._lines) == self._lines.maxlen:
            self._heard = self._heard.take(slice(1, None))
        self._lines.append(line)
        self._heard = self._heard.joined(self._prepared([line.embedding], [line.speech_s]))

    def _note_order(self, lines: Sequence[_Line], known: int) -> None:
        """Note who spoke when; the voices behind the first `known` began in this order."""
        speakers = [line.voice for line in lines if line.voice.key in self._voices]
        for voice in speakers:
            self._note_speaker(voice)
        words = [line.voice for line in lines if line.may_move and line.voice.key in self._voices]
        self._last = words[-1] if words else self._last  # not who only spoke during the line of another
        new = set(list(self._voices)[known:])
        for key in dict.fromkeys(voice.key for voice in speakers if voice.key in new):
            self._voices[key] = self._voices.pop(key)

    def _note_speaker(self, voice: _Voice) -> None:
        self._count += 1
        voice.heard = self._count
        self._last = voice
        self._changed.add(voice.key)

    def _guess(self, before: Sequence[_Voice], busy: Collection[uuid.UUID]) -> _Voice:
        """Return the voice of a line that says nothing: of who spoke last, and is not busy."""
        last = [self._last] if self._last else []
        others = sorted(self._voices.values(), key=lambda voice: -voice.heard) if busy else []
        known = (voice for voice in (*before, *last, *others) if voice.key in self._voices)
        return next((voice for voice in known if voice.key not in busy), None) or self._open_voice(busy)

    def _choose(
        self, embedding: np.ndarray, speech_s: float, beside: Sequence[_Line]
    ) -> tuple[_Voice, float | None, bool]:
        """Choose the voice of a line among those that are not busy with a line beside it.

        Returns:
            The voice, how probable it is, and whether that is certain.
        """
        options = self.options.clustering
        busy = _voices_of(beside)
        voices = [voice for voice in self._voices.values() if voice.key not in busy]
        odds = self._log_odds(self._prepared([embedding], [speech_s]), voices)[0]
        best = int(np.argmax(odds)) if voices else 0
        top = float(odds[best]) if voices else -np.inf
        is_long_enough = speech_s >= self.options.shortest_speech_s

        found = identify(
            embedding,
            self._gallery,
            speech_s=speech_s,
            options=self.options.identification,
            expected=self._expected,
        )
        if found.speaker is not None and not self._is_here(found, voices[best] if voices else None, top):
            return self._new_voice(found.speaker), probability(found.log_odds), True
        if not voices:
            return self._new_stranger(busy), None, is_long_enough
        is_strange = top < options.found or self._is_like_a_guess(
            embedding, speech_s, max(options.join, top + options.lead), beside
        )
        if is_strange and speech_s >= options.shortest_founder_s and self._make_room(busy):
            return self._new_stranger(busy), None, True
        return voices[best], probability(top), is_long_enough and top >= options.join

    def _is_here(self, found: Identification, best: _Voice | None, log_odds: float) -> bool:
        """Tell if one of the session's voices is this enrolled speaker, by name or by sound."""
        if any(voice.speaker == found.speaker for voice in self._voices.values()):
            return True
        if best is None or log_odds < self.options.clustering.join:
            return False
        if best.is_named_by_person and best.cluster.centroid is not None:
            # Perhaps a person overruled this very likeness.
            return self._identify_voice(best.cluster).candidate == found.speaker
        return log_odds >= found.log_odds

    def _is_like_a_guess(
        self, embedding: np.ndarray, speech_s: float, least: float, beside: Sequence[_Line]
    ) -> bool:
        """Tell if a recent line that fitted no voice is this much like it: together they are a voice."""
        guesses = [
            row
            for row, line in enumerate(self._lines)
            if not (line.shapes or line.is_locked or line in beside)
            and line.speech_s >= self.options.shortest_speech_s
        ]
        if not guesses:
            return False
        known = self._heard.take(np.array(guesses))
        scoring = self._gallery.scoring
        return float(scoring.log_odds(self._prepared([embedding], [speech_s]), known).max()) >= least

    def _prepared(self, embeddings: Sequence[np.ndarray], seconds: Sequence[float]) -> Voices:
        rows = np.stack(embeddings) if embeddings else np.empty((0, self._gallery.dimension), np.float32)
        return self._gallery.scoring.voices(rows, np.array(seconds))

    def _log_odds(self, lines: Voices, voices: Sequence[_Voice]) -> np.ndarray:
        """Return log-odds that lines are of voices; those of enrolled speakers by what is enrolled as well.

        Returns:
            float32, shape (len(lines), len(voices)).
        """
        scoring = self._gallery.scoring
        odds = clustering.log_odds(lines, [voice.cluster for voice in voices], scoring)
        for column, voice in enumerate(voices):
            enrolled = None if voice.speaker is None else self._gallery.voice(voice.speaker)
            if enrolled is not None:
                ahead = self.options.identification.expected * (voice.speaker in self._expected)
                odds[:, column] = np.maximum(odds[:, column], scoring.log_odds(lines, enrolled)[:, 0] + ahead)
        return odds

    def _identify_voice(self, cluster: Cluster) -> Identification:
        assert cluster.centroid is not None
        return identify(
            cluster.centroid,
            self._gallery,
            speech_s=cluster.speech_s,
            options=self.options.identification,
            expected=self._expected,
        )

    def _new_stranger(self, busy: Collection[uuid.UUID]) -> _Voice:
        free = (voice for voice in self._voices.values() if voice.is_open and voice.key not in busy)
        if voice := next(free, None):
            voice.is_open = False
            return voice
        return self._new_voice(None)

    def _new_voice(self, speaker: int | None) -> _Voice:
        voice = _Voice(VoiceState(self._new_key(), speaker), is_told=False)
        self._voices[voice.key] = voice
        return voice

    def _open_voice(self, busy: Collection[uuid.UUID]) -> _Voice:
        voice = self._new_stranger(busy)
        voice.is_open = True
        return voice

    def _make_room(self, busy: Collection[uuid.UUID]) -> bool:
        """Make room for one more voice, if there may be one: the least known that was silent longest goes."""
        options = self.options.clustering
        if len(self._voices) < options.most_voices:
            return True
        unsettled = [
            voice
            for voice in self._voices.values()
            if voice.speaker is None and voice.cluster.speech_s < options.settled_s and voice.key not in busy
        ]
        if not unsettled:
            return False
        gone = min(unsettled, key=lambda voice: voice.heard)
        self._forget_lines(gone)
        self._pairs.drop(gone.key)
        del self._voices[gone.key]
        return True

    # Thinking again.

    def _reconsider(self, voice: _Voice) -> None:
        """Draw what follows from knowing this voice better than before."""
        if voice.news_s >= self.options.news * voice.cluster.speech_s:
            voice = self._recognise(voice)
        self._merge_alike(voice)
        self._review_lines()

    def _recognise(self, voice: _Voice) -> _Voice:
        """Compare all that is known of a voice with the enrolled ones; returns the voice it is part of."""
        if voice.is_named_by_person or voice.cluster.centroid is None:
            return voice
        voice.news_s = 0.0
        found = self._identify_voice(voice.cluster)
        if found.speaker is None:
            is_settled = voice.cluster.speech_s >= self.options.clustering.settled_s
            if voice.speaker is not None and is_settled and not found.is_uncertain:
                self._name(voice, None)
            return voice
        if found.speaker == voice.speaker:
            return voice
        own = next((other for other in self._voices.values() if other.speaker == found.speaker), None)
        if own is None:
            self._name(voice, found.speaker)
            return voice
        if (own.key, voice.key) in self._pairs:
            return voice
        return self._join(own, voice)

    def _merge_alike(self, voice: _Voice) -> None:
        options = self.options.clustering
        others = [
            other
            for other in self._voices.values()
            if other is not voice and _may_be_one(voice, other) and (voice.key, other.key) not in self._pairs
        ]
        known = [other for other in others if other.cluster.speech_s >= options.settled_s]
        if not known or voice.cluster.centroid is None or voice.cluster.speech_s < options.settled_s:
            return
        own = self._prepared([voice.cluster.centroid], [voice.cluster.speech_s])
        odds = clustering.log_odds(own, [other.cluster for other in known], self._gallery.scoring)[0]
        best = int(np.argmax(odds))
        if odds[best] >= options.merge:
            self._join(voice, known[best])

    def _review_lines(self) -> None:
        """Move the recent lines that fit another voice clearly better, and settle those that were guesses."""
        options = self.options.clustering
        free = [
            (row, line)
            for row, line in enumerate(self._lines)
            if not line.is_locked and line.speech_s >= self.options.shortest_speech_s
        ]
        if not free:
            return
        lines = [line for _, line in free]
        voices = list(self._voices.values())
        columns = {voice.key: column for column, voice in enumerate(voices)}
        rows, own = np.arange(len(lines)), np.array([columns[line.voice.key] for line in lines])
        prepared = self._heard.take(np.array([row for row, _ in free]))
        odds = self._log_odds(prepared, voices)  # (lines, voices)
        of_own = self._log_odds_among_others(lines, prepared, odds[rows, own])
        for row, line in enumerate(lines):
            if line.beside:
                odds[row, [columns[other.voice.key] for other in line.beside]] = -np.inf
        odds[rows, own] = of_own
        best, top = odds.argmax(axis=1), odds.max(axis=1)
        shapes = np.array([line.shapes for line in lines])
        may_move = np.array([line.may_move for line in lines])
        fits_better = may_move & (best != own) & (top - odds[rows, own] >= options.lead)
        settles = ~shapes & (best == own)
        for row in np.flatnonzero((top >= options.join) & (fits_better | settles)).tolist():
            line, voice, left = lines[row], voices[best[row]], lines[row].voice
            if voice.key not in self._voices or (voice is not left and line.is_beside(voice)):
                continue
            self._move(line, voice)
            if voice is left:
                continue
            self._revisions.append(LineMoved(line.key, voice.key, probability(top[row])))
            is_empty = left.cluster.mean is None and left.speaker is None
            if is_empty and (voice.key, left.key) not in self._pairs:
                self._absorb(voice, left)

    def _log_odds_among_others(
        self, lines: Sequence[_Line], prepared: Voices, log_odds: np.ndarray
    ) -> np.ndarray:
        """Return log-odds of each line and its voice: a line that shapes a stranger's vouches not for itself.

        Args:
            log_odds: Of the lines and their voices as they are, shape (len(lines),).
        """
        scoring = self._gallery.scoring
        rows = np.array([row for row, line in enumerate(lines) if line.shapes and line.voice.speaker is None])
        if not len(rows):
            return log_odds
        own = [lines[row] for row in rows]
        others, rest_s = clustering.without(
            [line.voice.cluster for line in own],
            prepared.rows[rows],
            np.array([line.speech_s for line in own]),
        )
        among = scoring.log_odds_of_pairs(prepared.take(rows), scoring.voices(others, rest_s))
        # A line that is alone in its voice says nothing for it, but to move it makes one of two voices.
        options = self.options.clustering
        among[rest_s == 0] = options.merge - options.lead
        fair = log_odds.copy()
        fair[rows] = among
        return fair

    # Changing.

    def _shape(self, voice: _Voice, embedding: np.ndarray, speech_s: float) -> None:
        voice.cluster.add(embedding, speech_s, memory_s=self.options.clustering.memory_s)
        voice.news_s += speech_s
        self._changed.add(voice.key)

    def _move(self, line: _Line, voice: _Voice) -> None:
        if line.shapes:
            line.voice.cluster.remove(line.embedding, line.speech_s)
            self._changed.add(line.voice.key)
        for other in line.beside:
            self._pairs.remove(line.voice.key, other.voice.key)
            self._pairs.add(voice.key, other.voice.key)
            self._changed.add(other.voice.key)
        line.voice, line.shapes = voice, True
        self._shape(voice, line.embedding, line.speech_s)

    def _name(self, voice: _Voice, speaker: int | None) -> None:
        voice.speaker = speaker
        self._changed.add(voice.key)
        if voice.is_told:
            self._revisions.append(VoiceIdentified(voice.key, speaker))

    def _join(self, one: _Voice, other: _Voice) -> _Voice:
        """Make two voices one and return it: the one that a person named, else the one known for longer."""
        order = list(self._voices)
        kept, gone = sorted(
            (one, other), key=lambda voice: (not voice.is_named_by_person, order.index(voice.key))
        )
        return self._absorb(kept, gone)

    def _absorb(self, kept: _Voice, gone: _Voice) -> _Voice:
        kept.cluster.absorb(gone.cluster, memory_s=self.options.clustering.memory_s)
        kept.heard = max(kept.heard, gone.heard)
        kept.news_s += gone.news_s
        for line in self._lines:
            for own in (line, *line.beside):
                if own.voice is gone:
                    own.voice = kept
        self._changed |= self._pairs.of(gone.key)
        self._pairs.join(kept.key, gone.key)
        if self._last is gone:
            self._last = kept
        del self._voices[gone.key]
        self._changed.add(kept.key)
        if gone.is_told:
            self._revisions.append(VoicesMerged(kept.key, gone.key))
        if kept.speaker is None and gone.speaker is not None:
            self._name(kept, gone.speaker)
        return kept

    def _forget(self, voice: _Voice) -> None:
        """Keep nothing of how a voice sounds."""
        voice.cluster.forget()
        self._forget_lines(voice)
        self._changed.add(voice.key)
        if not voice.is_named_by_person:
            self._name(voice, None)

    def _forget_lines(self, voice: _Voice) -> None:
        is_kept = np.array([line.voice is not voice for line in self._lines], bool)
        kept = [line for line in self._lines if line.voice is not voice]
        self._heard = self._heard.take(is_kept)
        for line in kept:
            line.beside = [other for other in line.beside if other.voice is not voice]
        self._lines = deque(kept, maxlen=self.options.recent_lines)


def _may_be_one(one: _Voice, other: _Voice) -> bool:
    """Tell if both are known by name: then they are two."""
    return one.speaker is None or other.speaker is None


def _voices_of(lines: Iterable[_Line]) -> frozenset[uuid.UUID]:
    return frozenset(line.voice.key for line in lines)


def _is_telling(embedding: np.ndarray | None) -> TypeGuard[np.ndarray]:
    """Tell if this is how a voice sounds, not silence or what went wrong."""
    return embedding is not None and 0 < float(np.linalg.norm(embedding)) < np.inf


def _known_s(line: HeardLine) -> float:
    """Return the seconds by which a voice is known; one that says nothing comes after all that do."""
    return line.speech_s if _is_telling(line.embedding) else -1.0
