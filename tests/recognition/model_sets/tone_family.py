"""A model family of a stranger's own: kinds by their dotted paths, in one module.

The recogniser has no first pass and punctuates by itself. It knows the tones of `recognition.fakes.scripted`;
what they mean stands in a file, as weights would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from recognition.audio import SAMPLE_RATE
from recognition.exceptions import ModelError
from recognition.fakes.scripted import Script, ScriptedLine, ScriptedOffline, ScriptedVad
from recognition.interfaces import OfflineRecognizer, Samples, SessionContext, Token
from recognition.model_options import LoadContext, ModelOptions
from recognition.tables import Between

LINES = "lines.txt"
HERE = __name__
"""The dotted path of this module, for the files of sets."""

BREAKS = f"""
title = "Breaks"

[vad]
title = "Silero"
licence = "MIT"
package = "silero-vad"

[offline]
title = "Breaks"
licence = "MIT"
kind = "{HERE}.Breaks"
options = {{ how = "HOW" }}
"""

SET = f"""
title = "Tones"

[vad]
title = "Loudness"
licence = "MIT"
kind = "{HERE}.ToneVad"

[offline]
title = "Tones"
licence = "MIT"
kind = "{HERE}.ToneOffline"
path = "weights"
"""
"""A set without a first pass; its lines lie in a folder beside it."""


@dataclass(frozen=True, slots=True)
class ToneVad(ModelOptions):
    """A detector without any files."""

    has_files: ClassVar[bool] = False

    def load(self, context: LoadContext) -> ScriptedVad:
        return ScriptedVad()


@dataclass(frozen=True, slots=True)
class ToneOffline(ModelOptions):
    """A second pass that knows its marks."""

    wanted_files: ClassVar[tuple[str, ...]] = (LINES,)

    marks: Literal["spoken", "none"] = "spoken"

    def load(self, context: LoadContext) -> ToneRecognizer:
        return ToneRecognizer(_read_lines(context.directory / LINES), writes_marks=self.marks == "spoken")

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        return (directory / LINES).is_file()


@dataclass(frozen=True, slots=True)
class GrowingPartials(ModelOptions):
    """A first pass made of the second: it hears what there is of the utterance again and again."""

    has_files: ClassVar[bool] = False

    step_ms: Annotated[int, Between(100, 5000)] = 500

    def load(self, context: LoadContext) -> GrowingRecognizer:
        if context.offline is None:
            raise ModelError("there is no second pass to make partials with")
        return GrowingRecognizer(context.offline, self.step_ms * SAMPLE_RATE // 1000)


@dataclass(frozen=True, slots=True)
class Breaks(ModelOptions):
    """Fails in one way or another when it is loaded, or runs for the first time."""

    has_files: ClassVar[bool] = False

    how: Literal["load", "memory", "model", "run", "another"] = "load"

    def load(self, context: LoadContext) -> Any:
        match self.how:
            case "load":
                raise RuntimeError("the library has\n  a bad day " + "x" * 1000)
            case "memory":
                raise MemoryError
            case "model":
                raise ModelError("the weights are those of another network")
            case "another":
                return ScriptedVad()
        return _FailsWhenRun()


class ToneRecognizer:
    """An `OfflineRecognizer`."""

    min_samples = 0

    def __init__(self, lines: Sequence[str], *, writes_marks: bool) -> None:
        self._script = Script([ScriptedLine(line) for line in lines])
        self._offline = ScriptedOffline(self._script)
        self._writes_marks = writes_marks
        self.calls = 0

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        self.calls += 1
        found = self._offline.recognize(batch)
        return [self._marked(tokens) for tokens in found] if self._writes_marks else found

    def _marked(self, tokens: list[Token]) -> list[Token]:
        """Give each token the mark that follows it in the line of these tokens."""
        said = "".join(token.text for token in tokens)
        for line in self._script.lines:
            if "".join(line.characters) == said:
                rest = iter(f"{line.text} ")
                following = next(rest)
                marked = []
                for token in tokens:
                    assert following == token.text
                    following = next(rest)
                    mark = following if following in "，。？！" else ""
                    marked.append(Token(token.text, token.start, token.end, mark))
                    following = next(rest) if mark else following
                return marked
        return tokens


@dataclass(slots=True)
class _Heard:
    audio: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    shown: int = 0
    latest: Sequence[str] = ()


class GrowingRecognizer:
    """A `StreamingRecognizer` that shows what two runs in a row agree on."""

    def __init__(self, offline: OfflineRecognizer, chunk: int) -> None:
        self._offline = offline
        self.chunk = chunk
        self.open_states = 0

    def new_state(self, context: SessionContext | None = None) -> _Heard:
        self.open_states += 1
        return _Heard()

    def decode(self, batch: Sequence[tuple[_Heard, Samples]]) -> list[list[str]]:
        for state, audio in batch:
            state.audio = np.concatenate([state.audio, audio])
        found = self._offline.recognize([state.audio for state, _ in batch])
        return [
            _agreed(state, [token.text for token in tokens])
            for (state, _), tokens in zip(batch, found, strict=True)
        ]

    def release(self, state: _Heard) -> None:
        self.open_states -= 1


class _FailsWhenRun:
    """An `OfflineRecognizer` whose weights turn out to be damaged."""

    min_samples = 0

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def _agreed(state: _Heard, tokens: list[str]) -> list[str]:
    count = 0
    while count < min(len(tokens), len(state.latest)) and tokens[count] == state.latest[count]:
        count += 1
    state.latest = tokens
    new = tokens[state.shown : count]
    state.shown = max(state.shown, count)
    return new


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error
