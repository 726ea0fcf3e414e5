"""Texts of a batch, written token by token: several of each utterance side by side, or one along a draft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from recognition.whisper.network import Search

from .decoder import Audio, Decoder, Next, Nodes
from .search import MAX_TRUSTED, Beam, Branch, Ranked, agreed, rest_of, trusted
from .tokens import Tokens


@dataclass(slots=True)
class Text:
    """A text of one utterance, and what it may go on with.

    Attributes:
        path: Nodes of what was read.
        ranked: What may come next, and how likely it is.
        draft: What the rest may be like.
    """

    utterance: int
    path: list[int]
    ranked: Ranked
    draft: Sequence[int] = ()
    trusted: int = MAX_TRUSTED
    """Tokens of the draft that are checked in the next step."""

    ids: list[int] = field(default_factory=list)
    total: float = 0.0

    def take(self) -> int:
        """Take the likeliest token, and return it."""
        token, score = self.ranked[0]
        self.ids.append(token)
        self.total += score
        return token


@dataclass(frozen=True, slots=True)
class Writer:
    """Writing of all texts of a batch: the network, and the limits that they share.

    Attributes:
        audio: What they are about.
        nodes: What was read of them.
        tokens: What they may consist of.
    """

    decoder: Decoder
    audio: Audio
    nodes: Nodes
    tokens: Tokens
    search: Search
    max_tokens: int

    def follow(self, texts: Iterable[Text]) -> list[list[Branch]]:
        """Follow several texts of each utterance side by side; return them, the likeliest first."""
        ranked = [[(Branch(path=tuple(text.path)), text.ranked)] for text in texts]
        beams = [Beam(self.search.beam, self.tokens.end, self.max_tokens) for _ in ranked]
        while True:
            live = [
                (number, branch)
                for number, (beam, own) in enumerate(zip(beams, ranked, strict=True))
                for branch in (beam.follow(own) if own else ())
            ]
            if not live:
                return [beam.ranked() for beam in beams]
            batch = [Next(number, branch.path, branch.ids[-1:]) for number, branch in live]
            found, new = self._read(batch, [branch.ids for _, branch in live], 2 * self.search.beam)
            ranked = [[] for _ in beams]
            for (number, branch), own, [node] in zip(live, found, new, strict=True):
                ranked[number].append((Branch(branch.ids, branch.total, (*branch.path, node)), own))

    def write(self, texts: Sequence[Text]) -> list[Branch]:
        """Write the likeliest token after the other; what a draft has right is read in one step."""
        live = list(texts)
        while live:
            for text in live:
                text.draft = rest_of(text.draft, text.take())
            live = [
                text for text in live if text.ids[-1] != self.tokens.end and len(text.ids) < self.max_tokens
            ]
            if live:
                self._read_on(live)
        return [
            Branch(
                tuple(token for token in text.ids if token != self.tokens.end), text.total, tuple(text.path)
            )
            for text in texts
        ]

    def keep(self, texts: Sequence[Text]) -> list[Branch]:
        """Write the drafts, and between their tokens those of `search.between`, where they are the likeliest.

        How likely the texts are is not known then.
        """
        live = list(texts)
        while live:
            live = [text for text in live if self._put(text)]
            if live:
                self._keep_on(live)
        return [Branch(tuple(text.ids), 0.0, tuple(text.path)) for text in texts]

    def _put(self, text: Text) -> bool:
        """Put the next token to a text, and tell whether there are more."""
        [(likeliest, _), *_] = text.ranked
        if self._is_between(text.ids, likeliest):
            text.ids.append(likeliest)
        elif text.draft:
            text.ids.append(text.draft[0])
            text.draft = text.draft[1:]
        else:
            return False
        return bool(text.draft) or not self._is_between(text.ids[:-1], likeliest)

    def _is_between(self, ids: Sequence[int], likeliest: int) -> bool:
        """Tell whether this token stands between those of the draft; two in a row never do."""
        return likeliest in self.search.between and (not ids or ids[-1] not in self.search.between)

    def _keep_on(self, texts: Sequence[Text]) -> None:
        """Read the last token of each text and its draft, until something stands between."""
        drafts = [text.draft[:MAX_TRUSTED] for text in texts]
        for text, draft, found, own in self._read_along(texts, drafts):
            behind = [[*text.ids, *draft[:count]] for count in range(len(own))]
            places = (place for place, ids in enumerate(behind) if self._is_between(ids, found[place][0][0]))
            kept = next(places, len(draft))
            text.ids += draft[:kept]
            text.draft = text.draft[kept:]
            text.path += own[: kept + 1]
            text.ranked = found[kept]

    def _read_on(self, texts: Sequence[Text]) -> None:
        """Read the last token of each text and its draft, and take of this what is right."""
        for text, draft, found, own in self._read_along(texts, [self._to_check(text) for text in texts]):
            right = agreed(draft, [each[0][0] for each in found])
            for text.ranked in found[:right]:
                text.take()
            text.draft, text.trusted = text.draft[right:], trusted(right)
            text.path += own[: right + 1]
            text.ranked = found[right]

    def _read_along(
        self, texts: Sequence[Text], drafts: Sequence[Sequence[int]]
    ) -> Iterator[tuple[Text, Sequence[int], list[Ranked], list[int]]]:
        """Read the last token of each text and a draft; return what may come after each, and the nodes."""
        pairs = list(zip(texts, drafts, strict=True))
        batch = [Next(text.utterance, text.path, [text.ids[-1], *draft]) for text, draft in pairs]
        said = [[*text.ids, *draft[:count]] for text, draft in pairs for count in range(len(draft) + 1)]
        ranked, new = self._read(batch, said, 1)
        following = iter(ranked)
        for (text, draft), own in zip(pairs, new, strict=True):
            yield text, draft, [next(following) for _ in own], own

    def _to_check(self, text: Text) -> Sequence[int]:
        """Return as much of the draft as is checked now; the token after it has to fit as well."""
        return text.draft[: min(text.trusted, self.max_tokens - len(text.ids) - 1)]

    def _read(
        self, batch: Sequence[Next], said: Sequence[Sequence[int]], count: int
    ) -> tuple[list[Ranked], list[list[int]]]:
        """Return what may come after each token that is read, and the nodes of each entry."""
        rows, new = self.decoder.read(self.audio, self.nodes, batch)
        return self.tokens.rank(rows, said, self.search.repetition_penalty, count=count), new
