"""One stream's transcription, without I/O.

The session is told what happened (`receive_audio`, `receive_flush`, `receive_end`, `receive_result`) and
asked what to do (`work_to_do`) and what to say (`events_to_send`). It never awaits, reads a clock, or touches
a model, so a test drives it one call at a time.

                speech start                 end of stream
    LISTENING ────────────────► SPEAKING ─────────────────────┐
        ▲                          │                          ▼
        └──────────────────────────┘      end of stream   DRAINING ── last final ──► ENDED
            speech end, flush      LISTENING ───────────────► ▲

An utterance that has grown too long is cut between two of its words. They are known when the second pass has
heard it, so until then the next utterance has no certain start, and its own second pass waits.

A flush cuts the stream: what comes behind it is recognised as if the stream began there. So it makes no
difference when the flush became known, or whether another session goes on from its position.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recognition.audio import AudioBuffer, samples
from recognition.exceptions import SessionClosed
from recognition.interfaces import TURN_PENALTY, Models, Span, Token

from . import text, turns
from .cutting import Cut, best_cut
from .endpointing import Boundary, Endpointer, EndpointingOptions, SpeechEnd, SpeechStart
from .events import Ended, Event, Final, Flushed, OverlappingSpeech, Partial, Settled, UtteranceFailed
from .passages import find_passages
from .runs import Listening, Run, find_runs, listen
from .segments import Segments
from .speaking import Line, find_lines
from .tracks import WindowLayout
from .turns import Turn, TurnVoice
from .typography import ENDS, continued, typeset
from .work import (
    ChunkDecoded,
    DecodeChunk,
    DetectSpeech,
    Embed,
    Embedded,
    EndDecoding,
    Failed,
    Preview,
    Previewed,
    Punctuate,
    Punctuated,
    Recognize,
    Recognized,
    Result,
    Segment,
    Segmented,
    SpeechProbabilities,
    Work,
)


class State(enum.Enum):
    LISTENING = "listening"
    SPEAKING = "speaking"
    DRAINING = "draining"
    ENDED = "ended"


FIRST_PREVIEW = samples(0.6)
"""Audio of an utterance of which something can be shown; about a third of it lies before the speech."""

PREVIEW_STEP = samples(0.2)
PREVIEW_STEP_ALONE = samples(0.6)
"""Audio between two previews where no first pass follows."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Facts about the models that a session must know; all lengths are samples."""

    vad_window: int
    vad_frame: int
    vad_delay: int
    chunk: int
    """One step of the first pass; 0 for no partials."""

    endpointing: EndpointingOptions = EndpointingOptions()

    preview_step: int = 0
    """Audio between two previews; 0 for none."""

    revises: bool = False
    """Whether the first pass hears the whole utterance each time, and shows a tail that may change."""

    has_punctuator: bool = True
    """Otherwise marks come with the tokens."""

    has_embedder: bool = True
    """Otherwise nobody's voice is known."""

    turn_penalty: float = TURN_PENALTY
    """What another turn must gain, by the embedder."""

    segmenter: WindowLayout | None = None
    """Otherwise those who speak at once are not told apart."""

    @classmethod
    def for_models(
        cls, models: Models, endpointing: EndpointingOptions, *, partials: bool = True
    ) -> SessionOptions:
        vad = models.vad
        partials = partials and models.partials
        chunk = models.chunk if partials else 0
        revises = models.revises and chunk > 0
        step = PREVIEW_STEP if chunk else PREVIEW_STEP_ALONE
        return cls(
            vad.window,
            vad.frame,
            vad.delay,
            chunk,
            endpointing,
            step if partials and not revises else 0,
            revises=revises,
            has_punctuator=models.punctuator is not None,
            has_embedder=models.embedder is not None,
            turn_penalty=models.turn_penalty,
            segmenter=_layout(models),
        )


@dataclass(slots=True)
class _Utterance:
    """Speech between two endpoints, on its way to finals."""

    index: int
    start: int
    end: int | None = None
    cut_before: int | None = None  # end of what is heard to find the place for a cut

    # First pass.
    decoded: int = 0  # end of the audio handed to it
    has_begun: bool = False
    is_decoding: bool = False
    has_partials: bool = True
    partial_tokens: list[str] = field(default_factory=list)
    tail: tuple[str, ...] = ()
    shown: int = 0  # tokens of the longest partial, without its tail

    # Previews, until the first pass has said something.
    previewed: int = 0  # end of the audio handed to them
    is_previewing: bool = False

    # Who speaks; None without a segmenter, or if it fails.
    segments: Segments | None = None
    before: np.ndarray | None = None  # audio that it hears, up to the start
    runs: Sequence[Run] = ()
    listening: Listening | None = None
    is_embedding: bool = False

    # Second pass; None while the models work on it.
    audio: np.ndarray | None = None
    tokens: tuple[Token, ...] | None = None
    marks: tuple[str, ...] | None = None
    lines: Sequence[Line] | None = None
    has_failed: bool = False

    @property
    def is_cut(self) -> bool:
        """Tell whether speech goes on behind it."""
        return self.cut_before is not None

    @property
    def is_recognized(self) -> bool:
        return self.has_failed or self.tokens is not None

    @property
    def is_final(self) -> bool:
        if self.has_failed or self.tokens == ():
            return True
        return self.tokens is not None and self.marks is not None and self.lines is not None


class TranscriptionSession:
    """The recognition state of one audio stream.

    Args:
        start: Position of the first sample to come; more than 0 when a session goes on after an interruption.
        first_utterance: Number of the first utterance.
    """

    def __init__(self, options: SessionOptions, *, start: int = 0, first_utterance: int = 0) -> None:
        self.options = options
        self.state = State.LISTENING
        self.settled = start

        self._audio = AudioBuffer(start)
        self._cuts: deque[int] = deque()  # ahead of the VAD, in order
        self._flushed: deque[int] = deque()  # behind it, and not told yet
        self._is_judging = False
        self._begin_piece(start)
        self._next_utterance = first_utterance
        self._utterances: deque[_Utterance] = deque()  # not final yet, in order
        self._last_mark = ENDS[0]  # of what was final

        self._work: list[Work] = []
        self._events: list[Event] = []

    @property
    def position(self) -> int:
        """End of the audio received."""
        return self._audio.end

    @property
    def processed(self) -> int:
        """End of the audio searched for speech; what lies behind `position` by much is a backlog."""
        return min(self._judged, self.position)

    @property
    def is_waiting(self) -> bool:
        """True while it needs more audio to go on: all that has ended is final."""
        return not self._is_judging and all(utterance.end is None for utterance in self._utterances)

    # What happened.

    def receive_audio(self, audio: np.ndarray) -> None:
        """Take the next audio of the stream.

        Args:
            audio: Mono at 16 kHz in [-1, 1], float32, shape (n,).

        Raises:
            SessionClosed: If `receive_end` was called earlier.
        """
        if self.state in (State.DRAINING, State.ENDED):
            raise SessionClosed(f"audio after the end: the session is {self.state.value}")
        self._audio.append(audio)
        self._detect_speech()
        self._show_more()

    def receive_flush(self) -> None:
        """End the open utterance here, at `position`; later audio opens a new one.

        `Flushed` tells when everything before is final. Nothing happens after the end of the stream.
        """
        if self.state in (State.DRAINING, State.ENDED):
            return
        self._cuts.append(self.position)
        self._detect_speech()
        self._settle()

    def receive_end(self) -> None:
        """No more audio will come. Idempotent."""
        if self.state in (State.DRAINING, State.ENDED):
            return
        self.state = State.DRAINING
        self._detect_speech()
        self._settle()

    def receive_result(self, result: Result) -> None:
        """The models finished a piece of work. Results for one utterance may come in any order."""
        match result:
            case SpeechProbabilities(values):
                self._receive_probabilities(values)
            case ChunkDecoded(index, tokens, tail):
                self._receive_chunk(index, tokens, tail)
            case Previewed(index, tokens):
                self._receive_preview(index, tokens)
            case Recognized(index, tokens):
                self._receive_tokens(index, tokens)
            case Segmented(index, window, activity):
                self._receive_activity(index, window, activity)
            case Punctuated(index, marks):
                if utterance := self._find(index):
                    utterance.marks = marks
            case Embedded(index, embeddings):
                if utterance := self._find(index):
                    self._receive_embeddings(utterance, embeddings)
            case Failed(work):
                self._receive_failure(work)
        self._settle()

    # What to do and say.

    def work_to_do(self) -> list[Work]:
        """Return the work for the models that was asked for since the last call."""
        work, self._work = self._work, []
        return work

    def events_to_send(self) -> list[Event]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    # Finding speech.

    def _begin_piece(self, start: int) -> None:
        """Search for speech as if the stream began here."""
        options = self.options
        self._piece_start = start
        self._is_new_piece = True
        self._judging = start  # end of the audio handed to the VAD
        self._endpointer = Endpointer(
            options.endpointing, frame=options.vad_frame, start=start - options.vad_delay
        )

    @property
    def _piece_end(self) -> int:
        """Up to here audio may be taken: what lies behind a cut is for the next piece."""
        return self._cuts[0] if self._cuts else self._audio.end

    @property
    def _judged(self) -> int:
        return max(self._endpointer.position, self._piece_start)

    def _detect_speech(self) -> None:
        """Hand the VAD its next window, one at a time: its state depends on the one before."""
        if self._is_judging:
            return
        self._pass_cuts()
        window, end = self.options.vad_window, self._piece_end
        available = end - self._judging
        if available >= window:
            audio = self._audio.read(self._judging, self._judging + window)
        elif (self._cuts or self.state is State.DRAINING) and self._judged < end:
            # Silence behind the end pushes the last speech through the detector's delay.
            audio = np.zeros(window, np.float32)
            audio[: max(0, available)] = self._audio.read(self._judging, end)
        else:
            return
        self._judging = min(self._judging + window, end)
        self._is_judging = True
        self._work.append(DetectSpeech(audio, self._is_new_piece))
        self._is_new_piece = False

    def _receive_probabilities(self, values: np.ndarray) -> None:
        self._is_judging = False
        if self._cuts:
            # The silence that was put behind the cut is none of the stream's.
            values = values[
                : max(0, -(-(self._cuts[0] - self._endpointer.position) // self._endpointer.frame))
            ]
        self._place(self._endpointer.receive(values))
        self._detect_speech()
        self._show_more()

    def _pass_cuts(self) -> None:
        """End the utterance at each cut that the VAD has come to."""
        while self._cuts and self._judged >= self._cuts[0]:
            if self._cuts[0] > self._piece_start:
                self._place(self._endpointer.receive_flush())
                self._begin_piece(self._cuts[0])
            self._flushed.append(self._cuts.popleft())

    def _place(self, boundaries: Sequence[Boundary]) -> None:
        for boundary in boundaries:
            match boundary:
                case SpeechStart(at):
                    self._open_utterance(self._within_piece(at))
                case SpeechEnd(at, cut_before):
                    self._close_utterance(self._within_piece(at), cut_before=cut_before)

    def _within_piece(self, position: int) -> int:
        return min(max(position, self._piece_start), self._piece_end)

    # Utterances.

    @property
    def _open(self) -> _Utterance | None:
        last = self._utterances[-1] if self._utterances else None
        return last if last and last.end is None else None

    def _find(self, index: int) -> _Utterance | None:
        return next((u for u in self._utterances if u.index == index), None)

    def _open_utterance(self, start: int) -> None:
        layout = self.options.segmenter
        segments = Segments(layout, earliest=self._piece_start) if layout else None
        self._utterances.append(_Utterance(self._next_utterance, start, decoded=start, segments=segments))
        self._next_utterance += 1
        if self.state is State.LISTENING:
            self.state = State.SPEAKING

    def _close_utterance(self, end: int, *, cut_before: int | None = None) -> None:
        utterance = self._open
        if utterance is None:
            return
        utterance.end = end
        utterance.cut_before = None if cut_before is None else self._within_piece(cut_before)
        if utterance.has_begun:
            self._work.append(EndDecoding(utterance.index))
        if self.state is State.SPEAKING:
            self.state = State.LISTENING
        self._recognize(utterance)

    def _recognize(self, utterance: _Utterance) -> None:
        """Begin the second pass, unless the start of the utterance is not certain yet."""
        if utterance.end is None or not self._has_certain_start(utterance):
            return
        end = utterance.cut_before or utterance.end
        utterance.audio = self._audio.read(utterance.start, end)
        self._work.append(Recognize(utterance.index, utterance.audio))
        if segments := utterance.segments:
            self._segment(utterance, segments.ask(utterance.start, end))
            utterance.before = self._audio.read(min(segments.start, utterance.start), utterance.start)

    def _has_certain_start(self, utterance: _Utterance) -> bool:
        before = self._find(utterance.index - 1)
        return not (before and before.is_cut and not before.is_recognized)

    def _begin_next(self, cut: _Utterance) -> None:
        """Let the utterance behind a cut begin there."""
        following = self._find(cut.index + 1)
        if following:
            assert cut.end is not None
            following.start = cut.end
            following.decoded = max(following.decoded, cut.end)  # what lies before it is soon forgotten
            self._recognize(following)

    # Partials.

    def _show_more(self) -> None:
        self._decode_next_chunk()
        self._preview()
        self._segment_early()

    def _emit_partial(self, utterance: _Utterance, tokens: Sequence[str], end: int) -> None:
        """Show what was understood so far, unless more was shown already; only a tail may get shorter."""
        if self.options.revises or len(tokens) >= max(1, utterance.shown):
            utterance.shown = len(tokens)
            firm, whole = text.join(tokens), text.join([*tokens, *utterance.tail])
            self._events.append(Partial(utterance.index, utterance.start, firm, end, whole[len(firm) :]))

    def _decode_next_chunk(self, *, has_waited: bool = False) -> None:
        utterance, chunk = self._open, self.options.chunk
        if self.options.revises and self._endpointer.is_pausing:
            return  # nothing new is said, and what is near its end is soon final
        if not chunk or utterance is None or utterance.is_decoding or not utterance.has_partials:
            return
        chunks = (self._piece_end - utterance.decoded) // chunk
        if not chunks:
            return
        # To hear the utterance again costs the same however much has come, so a stream never lags behind.
        end = utterance.decoded + (chunks if self.options.revises else 1) * chunk
        heard = max(0, utterance.decoded - utterance.start)
        audio = self._audio.read(utterance.decoded, end)
        utterance.decoded = end
        utterance.has_begun = utterance.is_decoding = True
        self._work.append(DecodeChunk(utterance.index, audio, has_waited, heard))

    def _receive_chunk(self, index: int, tokens: tuple[str, ...], tail: tuple[str, ...]) -> None:
        utterance = self._find(index)
        # A partial that lost the race with its own endpoint would undo the final.
        if utterance is None or utterance.end is not None:
            return
        utterance.is_decoding = False
        if tokens or tail != utterance.tail:
            utterance.partial_tokens.extend(tokens)
            utterance.tail = tail
            self._emit_partial(utterance, utterance.partial_tokens, utterance.decoded)
        self._decode_next_chunk(has_waited=True)

    def _preview(self) -> None:
        """Have the second pass look at an utterance of which the first has said nothing yet."""
        utterance, step = self._open, self.options.preview_step
        if not step or utterance is None or utterance.is_previewing:
            return
        if self.options.chunk and utterance.shown:
            return
        end = self._piece_end
        if end - utterance.start < FIRST_PREVIEW or end - utterance.previewed < step:
            return
        utterance.previewed = end
        utterance.is_previewing = True
        self._work.append(Preview(utterance.index, self._audio.read(utterance.start, end)))

    def _receive_preview(self, index: int, tokens: tuple[str, ...]) -> None:
        utterance = self._find(index)
        if utterance is None or utterance.end is not None:
            return
        utterance.is_previewing = False
        if not utterance.partial_tokens:
            self._emit_partial(utterance, tokens, utterance.previewed)
        self._preview()

    # Second pass.

    def _receive_tokens(self, index: int, tokens: tuple[Token, ...]) -> None:
        utterance = self._find(index)
        if utterance is None:
            return
        utterance.tokens = tokens
        if utterance.is_cut:
            self._cut(utterance, tokens)
            self._begin_next(utterance)
        if utterance.tokens:
            self._punctuate(utterance, utterance.tokens)
            self._embed(utterance)

    def _cut(self, utterance: _Utterance, tokens: tuple[Token, ...]) -> None:
        """Cut an utterance that has grown too long between two words of its last seconds."""
        assert utterance.audio is not None
        search = samples(self.options.endpointing.cut_search_ms / 1000)
        cut = best_cut(tokens, utterance.audio, search=search) or Cut(len(tokens), len(utterance.audio))
        utterance.end = utterance.start + cut.at
        utterance.audio = utterance.audio[: cut.at]
        utterance.tokens = tuple(_within(token, cut.at) for token in tokens[: cut.tokens])

    def _punctuate(self, utterance: _Utterance, tokens: tuple[Token, ...]) -> None:
        if self.options.has_punctuator:
            self._work.append(Punctuate(utterance.index, tuple(token.text for token in tokens)))
        else:
            utterance.marks = tuple(token.mark for token in tokens)

    # Who speaks.

    def _segment_early(self) -> None:
        """Listen to who speaks in an utterance that goes on: much of it is known when it ends."""
        utterance = self._open
        if utterance is None or utterance.segments is None or self._endpointer.is_pausing:
            return
        if self._has_certain_start(utterance):
            self._segment(utterance, utterance.segments.ask_early(utterance.start, self._piece_end))

    def _segment(self, utterance: _Utterance, windows: Sequence[Span]) -> None:
        for window in windows:
            self._work.append(Segment(utterance.index, window, self._audio.read(*window)))

    def _receive_activity(self, index: int, window: Span, activity: np.ndarray) -> None:
        utterance = self._find(index)
        if utterance and utterance.segments:
            utterance.segments.receive(window, activity)
            self._embed(utterance)

    def _embed(self, utterance: _Utterance) -> None:
        """Listen to the voices, once its words are known, and who speaks when."""
        tokens, audio, segments = utterance.tokens, utterance.audio, utterance.segments
        if not tokens or utterance.is_embedding or (segments and not segments.is_complete):
            return
        assert audio is not None
        utterance.is_embedding = True
        if segments and self._embed_runs(utterance, audio, segments):
            return
        windows = turns.windows(tokens, len(audio)) if self.options.has_embedder else ()
        if windows:
            self._work.append(Embed(utterance.index, audio, turns.spans(windows)))
        else:
            utterance.lines = _one_line(utterance)

    def _embed_runs(self, utterance: _Utterance, audio: np.ndarray, segments: Segments) -> bool:
        """Listen to the voices of the runs that a segmenter found; return whether it found any."""
        assert utterance.before is not None and utterance.end is not None
        tracks = segments.tracks().within(segments.start, utterance.end)
        utterance.runs = find_runs(tracks, utterance.start, utterance.end)
        listening = listen(utterance.runs, tracks)
        if not listening.looks:
            return False
        utterance.listening = listening
        heard = np.concatenate([utterance.before, audio])
        recording = listening.recording(heard, utterance.start - len(utterance.before))
        self._work.append(Embed(utterance.index, recording, listening.spans))
        return True

    def _receive_embeddings(self, utterance: _Utterance, embeddings: np.ndarray) -> None:
        penalty = self.options.turn_penalty
        tokens, audio, end = utterance.tokens, utterance.audio, utterance.end
        assert tokens is not None and audio is not None and end is not None
        if utterance.listening:
            passages, voices = find_passages(utterance.runs, utterance.listening, embeddings, penalty=penalty)
            said = [_moved(token, utterance.start) for token in tokens]
            utterance.lines = find_lines(said, passages, voices, start=utterance.start, end=end)
            return
        windows = turns.windows(tokens, len(audio))
        utterance.lines = [
            _line_of(utterance, turn, turns.voice_of(turn, tokens, windows, embeddings))
            for turn in turns.turns(tokens, windows, embeddings, penalty=penalty)
        ]

    def _receive_failure(self, work: Work) -> None:
        match work:
            case DetectSpeech():
                # Silence is the safer guess: it ends utterances instead of holding them open.
                self._receive_probabilities(
                    np.zeros(self.options.vad_window // self.options.vad_frame, np.float32)
                )
            case DecodeChunk(index):
                if utterance := self._find(index):
                    utterance.is_decoding = False
                    utterance.has_partials = False
            case Preview(index):
                if utterance := self._find(index):
                    utterance.is_previewing = False
            case Recognize(index):
                if utterance := self._find(index):
                    utterance.has_failed = True
                    if utterance.is_cut:
                        self._begin_next(utterance)
            case Punctuate(index, tokens):
                if utterance := self._find(index):
                    utterance.marks = ("",) * len(tokens)
            case Segment(index):
                if utterance := self._find(index):
                    utterance.segments = None
                    self._embed(utterance)
            case Embed(index):
                if utterance := self._find(index):
                    utterance.lines = _one_line(utterance)

    # Finals.

    def _settle(self) -> None:
        """Tell finished utterances in order, and how far everything is decided."""
        has_judged_all = self.state is State.DRAINING and self._has_judged_all
        if has_judged_all:
            self._place(self._endpointer.receive_end())
        while self._utterances and self._utterances[0].is_final:
            self._emit(self._utterances.popleft())
        is_drained = has_judged_all and not self._utterances
        self._settle_up_to(self.position if is_drained else self._horizon)
        while self._flushed and self._flushed[0] <= self.settled:
            self._events.append(Flushed(self._flushed.popleft()))
        if is_drained:
            self.state = State.ENDED
            self._events.append(Ended(self.position))

    @property
    def _horizon(self) -> int:
        """Everything before it is decided."""
        if self._utterances:
            return self._utterances[0].start  # which a cut may have moved, and the endpointer does not know
        return self._within_piece(self._endpointer.horizon)

    def _settle_up_to(self, position: int) -> None:
        if position > self.settled:
            self.settled = position
            self._audio.forget(min(position - self._context, self._judging))
            self._events.append(Settled(position))

    @property
    def _context(self) -> int:
        """Samples before speech that a segmenter hears too."""
        return self.options.segmenter.window if self.options.segmenter else 0

    @property
    def _has_judged_all(self) -> bool:
        return not self._is_judging and not self._cuts and self.processed >= self.position

    def _emit(self, utterance: _Utterance) -> None:
        assert utterance.end is not None
        if utterance.has_failed:
            self._events.append(UtteranceFailed(utterance.index, utterance.start, utterance.end))
            return
        tokens, marks = utterance.tokens, utterance.marks
        if not tokens:
            return
        assert marks is not None and utterance.lines is not None
        if utterance.is_cut:
            marks = continued(marks)
        tokens, marks = typeset(tokens, marks, begins=self._last_mark in ENDS)
        self._last_mark = marks[-1]
        for line in utterance.lines:
            chosen = slice(line.first_token, line.last_token + 1)
            tags = tokens[line.first_token].tags
            self._events.append(
                Final(
                    utterance.index,
                    start=line.start,
                    end=line.end,
                    text=text.join([token.text for token in tokens[chosen]], marks[chosen]),
                    tokens=tuple(_moved(token, utterance.start) for token in tokens[chosen]),
                    embedding=line.voice.embedding,
                    speech=line.voice.samples,
                    overlaps=tuple(
                        OverlappingSpeech(each.start, each.end, each.voice.embedding, each.voice.samples)
                        for each in line.beside
                    ),
                    language=tags.language,
                    emotion=tags.emotion,
                    events=tags.events,
                )
            )


def _layout(models: Models) -> WindowLayout | None:
    """Return the windows of the segmenter; without voices it is of no use."""
    segmenter = models.segmenter
    if segmenter is None or models.embedder is None:
        return None
    return WindowLayout(segmenter.window, segmenter.frame, segmenter.first)


def _within(token: Token, length: int) -> Token:
    """Return the token, ending where its utterance does at the latest."""
    return token if token.end <= length else replace(token, end=length)


def _moved(token: Token, by: int) -> Token:
    """Return the token on the stream's timeline, without its mark and tags."""
    return Token(token.text, token.start + by, token.end + by)


def _line_of(utterance: _Utterance, turn: Turn, voice: TurnVoice) -> Line:
    """Return a turn as a line: the first begins and the last ends with the utterance."""
    tokens, start, end = utterance.tokens, utterance.start, utterance.end
    assert tokens is not None and end is not None
    first, last = turn.first_token, turn.last_token
    return Line(
        first,
        last,
        start if first == 0 else start + tokens[first].start,
        end if last == len(tokens) - 1 else start + tokens[last].end,
        voice,
    )


def _one_line(utterance: _Utterance) -> Sequence[Line]:
    """Return all words as a line, by nobody knows whom."""
    assert utterance.tokens is not None
    return [_line_of(utterance, Turn(0, len(utterance.tokens) - 1), TurnVoice(None, 0))]
