"""SeACo-Paraformer's own hearing of hotwords: a small decoder that attends to the words themselves.

Source: Shi et al., "SeACo-Paraformer: A Non-Autoregressive ASR System with Flexible and Effective Hotword
Customization Ability", ICASSP 2024; FunASR, `funasr/models/seaco_paraformer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from recognition.exceptions import ModelError
from recognition.hotwords import Hotwords
from recognition.language_model import Choices

from .loading import ModelDirectory
from .spelling import Spelling

WEIGHTS = ("bias_encoder.", "seaco_decoder.", "hotword_output_layer.")
"""Beginnings of the names of the weights that this needs."""

_MAX_WORDS = 50
"""Of more words than these, those are taken that the utterance attends to most."""

_LAYERS = 6
"""At least: the attention of the sixth selects them."""


class SeacoHotwords:
    """Hears which hotwords were said where; of a recogniser's thread. It computes in float32.

    Args:
        model: FunASR's `SeacoParaformer`, with its weights.
        directory: Of the model.
        spelling: Ways to write words in its tokens.
        device: Where to compute.

    Raises:
        ModelError: If the decoder for hotwords is not of the form that FunASR publishes.
    """

    def __init__(
        self, model: Any, directory: ModelDirectory, spelling: Spelling, device: torch.device
    ) -> None:
        if model.bias_encoder_type != "lstm" or len(model.seaco_decoder.decoders) < _LAYERS:
            raise ModelError(
                f'{directory.path} cannot hear hotwords by itself; leave out hotwords = "seaco": it needs an '
                f"LSTM (it has {model.bias_encoder_type}) and {_LAYERS} layers of attention "
                f"(it has {len(model.seaco_decoder.decoders)})"
            )
        self._embed = model.decoder.embed.to(device)
        self._encoder = model.bias_encoder.to(device)
        self._projection = model.lstm_proj.to(device) if model.lstm_proj else None
        self._decoder = model.seaco_decoder.to(device)
        self._output = model.hotword_output_layer.to(device)
        self._start, self._no_bias = int(model.sos), int(model.NO_BIAS)
        self._spelling, self._device = spelling, device
        self._compiled: WeakKeyDictionary[Hotwords, Tensor] = WeakKeyDictionary()

    def hear(self, choices: Choices, acoustic: Tensor, hidden: Tensor, hotwords: Hotwords) -> Choices:
        """Return the likeliest tokens of an utterance, with those of the hotwords that are heard in it.

        Args:
            choices: Of the recogniser's own decoder.
            acoustic: Acoustic embeddings of the tokens, float32, shape (n, width).
            hidden: What that decoder made of them before its output layer, float32, shape (n, width).
            hotwords: Of the session; their weights do not count here.
        """
        words = self._words(hotwords)
        if len(words) == 1:  # none that this model can write
            return choices
        words = self._attended(words, hidden)
        both = torch.stack((acoustic, hidden))
        count = torch.tensor([both.shape[1]] * 2, device=self._device)
        length = torch.tensor([len(words)] * 2, device=self._device)
        heard = self._decoder(words.expand(2, -1, -1), length, both, count)[0].sum(0)
        scores = torch.log_softmax(self._output(heard), dim=-1)
        best = scores.topk(choices.ids.shape[1])
        is_heard = (best.indices[:, 0] != self._no_bias).cpu().numpy()
        ids, likely = choices.ids.copy(), choices.scores.copy()
        ids[is_heard] = best.indices.cpu().numpy()[is_heard]
        likely[is_heard] = best.values.cpu().numpy()[is_heard]
        return Choices(ids, likely)

    def _attended(self, words: Tensor, hidden: Tensor) -> Tensor:
        """Return the words to which an utterance attends most, and that for none."""
        if len(words) <= _MAX_WORDS:
            return words
        counts = torch.tensor([len(words)]), torch.tensor([len(hidden)])
        attention = self._decoder.forward_asf6(words[None], counts[0], hidden[None], counts[1])[0]
        selected = attention.sum((0, 1)).topk(_MAX_WORDS).indices.tolist()
        return words[[*selected, -1]]

    def _words(self, hotwords: Hotwords) -> Tensor:
        """Return an embedding of each word and, as the last, of none: float32, shape (words + 1, width)."""
        if hotwords not in self._compiled:
            spelt = [way for word in hotwords.words for way in self._spelling.spell(word.text)[:1]]
            self._compiled[hotwords] = self._encoded([*spelt, (self._start,)])
        return self._compiled[hotwords]

    def _encoded(self, words: Sequence[Sequence[int]]) -> Tensor:
        lengths = torch.tensor([len(tokens) for tokens in words])
        tokens = pad_sequence([torch.tensor(tokens) for tokens in words], batch_first=True).to(self._device)
        packed = pack_padded_sequence(self._embed(tokens), lengths, batch_first=True, enforce_sorted=False)
        read = pad_packed_sequence(self._encoder(packed)[0], batch_first=True)[0]
        last: Tensor = read[torch.arange(len(words)), lengths - 1]
        return self._projection(last) if self._projection else last
