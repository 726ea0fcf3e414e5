from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.funasr.options import StreamingOptions
from recognition.funasr.streaming import StreamingParaformer, StreamState

from .random_models import auto_model, model_directory, model_path, speech_like

CHUNK = 9600
STREAMS = 6
CHUNKS = 8


def chunks(seed: int) -> list[np.ndarray]:
    return list(speech_like(seed, CHUNKS * CHUNK).reshape(CHUNKS, CHUNK))


@functools.cache
def funasr_texts(seed: int) -> tuple[str, ...]:
    """What FunASR adds with each chunk of one stream."""
    model = auto_model(model_path("paraformer-zh-streaming"))
    cache: dict[str, object] = {}
    return tuple(
        model.generate(
            input=chunk,
            cache=cache,
            is_final=False,
            chunk_size=[0, 10, 5],
            encoder_chunk_look_back=4,
            decoder_chunk_look_back=1,
        )[0]["text"]
        for chunk in chunks(seed)
    )


@functools.cache
def recognizer() -> StreamingParaformer:
    return StreamingParaformer(model_directory("paraformer-zh-streaming"), StreamingOptions())


class TestEquivalence:
    def test_one_stream_gets_the_tokens_that_funasr_finds(self) -> None:
        state = recognizer().new_state()

        spoken = ["".join(recognizer().decode([(state, chunk)])[0]) for chunk in chunks(0)]

        assert spoken == list(funasr_texts(0))
        assert len("".join(spoken)) > 15
        recognizer().release(state)

    @settings(max_examples=40)
    @given(st.data())
    def test_streams_that_join_leave_and_alternate_do_not_change_each_others_tokens(
        self, data: st.DataObject
    ) -> None:
        states: dict[int, StreamState] = {}
        heard: dict[int, int] = {}
        for _ in range(data.draw(st.integers(4, 14), label="steps")):
            seeds = data.draw(
                st.lists(st.integers(0, STREAMS - 1), min_size=1, max_size=STREAMS, unique=True),
                label="batch",
            )
            seeds = [seed for seed in seeds if heard.get(seed, 0) < CHUNKS]
            for seed in seeds:
                if seed not in states:
                    states[seed] = recognizer().new_state()
                    heard[seed] = 0
            batch = [(states[seed], chunks(seed)[heard[seed]]) for seed in seeds]
            for seed, words in zip(seeds, recognizer().decode(batch), strict=True):
                assert "".join(words) == funasr_texts(seed)[heard[seed]]
                heard[seed] += 1
            leaving = data.draw(st.sampled_from([None, *states]), label="leaves")
            if leaving is not None:
                heard.pop(leaving)
                recognizer().release(states.pop(leaving))
        for state in states.values():
            recognizer().release(state)


class TestPool:
    def setup_method(self) -> None:
        self.recognizer = StreamingParaformer(model_directory("paraformer-zh-streaming"), StreamingOptions())

    def test_a_slot_is_as_new_for_the_next_utterance(self) -> None:
        first = self.recognizer.new_state()
        for chunk in chunks(1):
            self.recognizer.decode([(first, chunk)])
        self.recognizer.release(first)
        second = self.recognizer.new_state()

        assert second.slot == 0  # the one that was given back
        spoken = [self.recognizer.decode([(second, chunk)])[0] for chunk in chunks(2)]
        other = recognizer().new_state()
        expected = [recognizer().decode([(other, chunk)])[0] for chunk in chunks(2)]
        recognizer().release(other)
        assert spoken == expected

    def test_a_thousand_utterances_leave_the_pool_as_large_as_the_most_at_once(self) -> None:
        for _ in range(500):
            states = [self.recognizer.new_state() for _ in range(2)]
            for state in states:
                self.recognizer.release(state)

        assert self.recognizer._slots == 4

    def test_releasing_twice_gives_the_slot_to_one_only(self) -> None:
        state = self.recognizer.new_state()
        self.recognizer.release(state)
        self.recognizer.release(state)

        slots = {self.recognizer.new_state().slot for _ in range(4)}

        assert len(slots) == 4

    def test_the_pool_grows_while_streams_run(self) -> None:
        states = [self.recognizer.new_state() for _ in range(3)]
        spoken: list[list[str]] = [[] for _ in states]
        for number in range(CHUNKS):
            if number == 4:
                more = [self.recognizer.new_state() for _ in range(10)]
                self.recognizer.decode([(state, chunks(5)[0]) for state in more])
            batch = [(state, chunks(seed)[number]) for seed, state in enumerate(states)]
            for words, found in zip(spoken, self.recognizer.decode(batch), strict=True):
                words.append("".join(found))

        assert spoken == [list(funasr_texts(seed)) for seed in range(3)]

    def test_what_an_hour_of_speech_without_a_pause_needs_is_what_a_minute_needs(self) -> None:
        state = self.recognizer.new_state()
        state.chunks = 6000  # an hour
        size = self.recognizer._encoder.past.numel()

        self.recognizer.decode([(state, chunks(0)[0])])

        assert self.recognizer._encoder.past.numel() == size


class TestInput:
    def test_an_empty_batch_is_no_work(self) -> None:
        assert recognizer().decode([]) == []

    def test_a_chunk_of_another_length_is_refused(self) -> None:
        state = recognizer().new_state()

        with pytest.raises(ValueError, match=r"a chunk has 9600 samples, not \(100,\)"):
            recognizer().decode([(state, np.zeros(100, np.float32))])
        recognizer().release(state)

    def test_a_stream_cannot_be_in_a_batch_twice(self) -> None:
        state = recognizer().new_state()

        with pytest.raises(ValueError, match="a stream is in the batch twice"):
            recognizer().decode([(state, chunks(0)[0]), (state, chunks(0)[1])])
        recognizer().release(state)

    def test_a_released_stream_is_refused(self) -> None:
        state = recognizer().new_state()
        recognizer().release(state)

        with pytest.raises(ValueError, match="the state was released"):
            recognizer().decode([(state, chunks(0)[0])])


class TestOptions:
    def test_larger_chunks_are_funasrs_larger_chunks(self) -> None:
        options = StreamingOptions(chunk=20, look_ahead=5, encoder_look_back=2, decoder_look_back=0)
        large = StreamingParaformer(model_directory("paraformer-zh-streaming"), options)
        state = large.new_state()
        audio = speech_like(0, CHUNKS * CHUNK).reshape(-1, 2 * CHUNK)
        cache: dict[str, object] = {}
        model = auto_model(model_path("paraformer-zh-streaming"))

        got = ["".join(large.decode([(state, chunk)])[0]) for chunk in audio]

        expected = [
            model.generate(
                input=chunk,
                cache=cache,
                is_final=False,
                chunk_size=[0, 20, 5],
                encoder_chunk_look_back=2,
                decoder_chunk_look_back=0,
            )[0]["text"]
            for chunk in audio
        ]
        assert got == expected

    def test_without_look_back_nothing_is_kept_of_the_past(self) -> None:
        options = StreamingOptions(encoder_look_back=0)
        short = StreamingParaformer(model_directory("paraformer-zh-streaming"), options)
        state = short.new_state()

        spoken = [short.decode([(state, chunk)])[0] for chunk in chunks(0)]

        assert short._encoder.past.numel() == 0
        assert any(spoken)
        assert torch.isfinite(short._front.begun).all()
