"""Options of Whisper's two passes; what computes it comes in when one is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from recognition.audio import SAMPLE_RATE
from recognition.exceptions import ModelError
from recognition.interfaces import OfflineRecognizer, StreamingRecognizer
from recognition.model_options import LoadContext, ModelOptions
from recognition.tables import Between

if TYPE_CHECKING:
    from .network import Network

FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")


@dataclass(frozen=True, slots=True)
class WhisperOptions(ModelOptions):
    """Multilingual Whisper over whole utterances, from the files that CTranslate2 reads."""

    wanted_files: ClassVar[tuple[str, ...]] = FILES
    recognises_apart: ClassVar[bool] = True
    # Its worker threads stay behind in the parent, and a child that asks them waits for ever.
    opens_after_fork: ClassVar[bool] = True

    languages: tuple[str, ...] = ("zh", "en")
    """Codes of what is spoken; if there are several, it is found out for each session."""

    beam: Annotated[int, Between(1, 10)] = 5
    """Hypotheses that are followed side by side; in Mandarin, how usual their words are counts as well."""

    repetition_penalty: Annotated[float, Between(1.0, 2.0)] = 1.1
    """By so much less likely is what has been said before."""

    marks: bool = True
    """Whether it sets marks, which takes a second decoding in Mandarin; a set without wants [punctuation]."""

    def __post_init__(self) -> None:
        if not self.languages:
            raise ValueError("languages is empty; name at least one")

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        return all((directory / name).is_file() for name in FILES)

    def spoken(self) -> tuple[str, ...]:
        return self.languages

    def load(self, context: LoadContext) -> OfflineRecognizer:
        from .funasr_files import describe
        from .listening import Listener
        from .marks import Marker
        from .network import TOKENS, Search
        from .offline import OfflineWhisper
        from .vocabulary import Vocabulary

        network = self._network(context)
        vocabulary = Vocabulary(context.directory / TOKENS)
        search = Search(self.beam, self.repetition_penalty)
        describe(context.directory)
        listener = Listener(network, vocabulary, self.languages)
        return OfflineWhisper(listener, search, marker=Marker(listener) if self.marks else None)

    def _network(self, context: LoadContext) -> Network:
        if context.compute_type in ("auto", "int8") and self.device(context) == "cpu":
            from .int8 import network as own  # brings a compiler along

            if own.is_supported():
                return own.OwnNetwork(context.directory)
        from .ctranslate2_network import CTranslate2Network

        return CTranslate2Network(
            context.directory, compute_type=context.compute_type, device=self.device(context)
        )

    def device(self, context: LoadContext) -> str:
        # On a GPU CTranslate2 needs libraries of CUDA that may be missing: only who asks for it gets it.
        return "cuda" if context.device == "cuda" else "cpu"


@dataclass(frozen=True, slots=True)
class WhisperStreamingOptions(ModelOptions):
    """Partials by the network of the second pass, which hears the growing utterance again and again."""

    has_files: ClassVar[bool] = False
    recognises_apart: ClassVar[bool] = True
    opens_after_fork: ClassVar[bool] = True

    step_s: Annotated[float, Between(0.3, 5.0)] = 1.0
    """Between two hypotheses; half of it costs twice as much."""

    beam: Annotated[int, Between(1, 10)] = 1

    def load(self, context: LoadContext) -> StreamingRecognizer:
        from .network import Search
        from .offline import OfflineWhisper
        from .streaming import StreamingWhisper

        if not isinstance(context.offline, OfflineWhisper):
            raise ModelError('partials by Whisper need [offline] with kind = "whisper" in the same set')
        chunk = round(self.step_s * SAMPLE_RATE)
        return StreamingWhisper(context.offline.listener, Search(self.beam), chunk=chunk)
