"""The kind of language model that ARPA files hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from recognition.language_model import LanguageModel, find_file, read_language_model
from recognition.model_options import LoadContext, ModelOptions
from recognition.tables import Between


@dataclass(frozen=True, slots=True)
class ArpaOptions(ModelOptions):
    """Trigrams in one file, *.arpa or *.arpa.gz."""

    wanted_files: ClassVar[tuple[str, ...]] = ("*.arpa", "*.arpa.gz")

    weight: Annotated[float, Between(0, 10)] = 1.0
    """Of its log probabilities beside the recogniser's."""

    def load(self, context: LoadContext) -> LanguageModel:
        return read_language_model(find_file(context.directory), weight=self.weight)

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Return whether there is such a file."""
        return any(directory.glob("*.arpa*"))
