"""What the benchmark of the transport counts as a fault."""

from __future__ import annotations

import asyncio

from benchmarks.transport.flood import FRAME, SAMPLES_PER_MS, Transcript, audio_between
from benchmarks.transport.swarm import Receiver, Swarm
from recognition.fakes.checksum import checksum


def line(seq: int, start: int, end: int, text: str | None = None) -> dict[str, object]:
    return {
        "asr": checksum(audio_between(start, end)) if text is None else text,
        "seq": seq,
        "start_ms": start // SAMPLES_PER_MS,
        "end_ms": end // SAMPLES_PER_MS,
    }


class TestFlood:
    def test_audio_is_the_same_however_it_is_cut(self) -> None:
        whole = audio_between(0, 3 * FRAME)
        assert (audio_between(FRAME - 10, 2 * FRAME + 10) == whole[FRAME - 10 : 2 * FRAME + 10]).all()

    def test_lines_that_follow_each_other_are_fine(self) -> None:
        transcript = Transcript()
        transcript.hear(line(1, 0, 96_000))
        transcript.hear(line(2, 96_000, 112_000))
        assert not transcript.faults
        assert transcript.end == 112_000

    def test_a_hole_is_a_fault(self) -> None:
        transcript = Transcript()
        transcript.hear(line(1, 160, 96_000))
        assert len(transcript.faults) == 1

    def test_a_missing_number_is_a_fault(self) -> None:
        transcript = Transcript()
        transcript.hear(line(2, 0, 96_000))
        assert len(transcript.faults) == 1

    def test_other_audio_is_a_fault(self) -> None:
        transcript = Transcript()
        transcript.hear(line(1, 0, 96_000, text="00000000"))
        assert len(transcript.faults) == 1


class TestSwarm:
    async def test_a_line_is_noted_also_when_it_comes_in_pieces(self) -> None:
        swarm = Swarm(0, "/", 1)
        receiver = Receiver(swarm)
        receiver.is_open.set_result(True)
        text = b'\x81\x7e{"asr": "x", "spk": {}, "seq": 12, "start_ms": 0}'
        for at in range(len(text)):
            receiver.data_received(text[at : at + 1])
        receiver.data_received(text.replace(b"12", b"13"))
        assert receiver.seqs == [12, 13]
        assert set(swarm.heard) == {12, 13}

    async def test_one_that_is_lost_comes_again(self) -> None:
        swarm = Swarm(0, "/", 1)
        receiver = Receiver(swarm)
        swarm.connected.add(receiver)
        receiver.connection_lost(None)
        assert not swarm.connected
        (coming,) = swarm._tasks
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)

    async def test_the_last_receiver_counts(self) -> None:
        swarm = Swarm(0, "/", 2)
        for _ in range(2):
            receiver = Receiver(swarm)
            receiver.is_open.set_result(True)
            receiver.data_received(b'"seq": 1, "start_ms"')
            first = swarm.heard.setdefault(1, 0.0)
        assert swarm.heard[1] >= first
