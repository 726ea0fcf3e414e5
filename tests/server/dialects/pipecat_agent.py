"""An agent of pipecat hears a recording: `pipecat_agent.py ADDRESS LINES TIMES < 16-bit samples at 16 kHz`.

It runs in a process of its own, with packages of its own: pipecat asks for earlier versions of some than
ours. It hears TIMES faster than real time, and writes all that it is told as lines of JSON, until it has
LINES final ones.
"""

from __future__ import annotations

import asyncio
import json
import sys

from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.deepgram.stt import DeepgramSTTService

RATE = 16_000
PIECE_S = 0.1
PIECE = round(RATE * PIECE_S) * 2
"""In bytes."""


class Teller(FrameProcessor):  # type: ignore[misc]  # comes without types
    """Write what is heard; `is_done` once there were so many final lines."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._left = lines
        self.is_done = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, (TranscriptionFrame, InterimTranscriptionFrame)):
            self._tell(frame, is_final=isinstance(frame, TranscriptionFrame))
        await self.push_frame(frame, direction)

    def _tell(self, frame: TranscriptionFrame | InterimTranscriptionFrame, *, is_final: bool) -> None:
        speakers = {word.speaker for word in frame.result.channel.alternatives[0].words}
        told = {"is_final": is_final, "text": frame.text, "speakers": list(speakers)}
        sys.stdout.write(f"{json.dumps(told)}\n")
        self._left -= is_final
        if not self._left:
            self.is_done.set()


async def main(address: str, lines: int, times: float) -> None:
    settings = DeepgramSTTService.Settings(model="nova-3", language="zh", diarize=True, interim_results=True)
    service = DeepgramSTTService(api_key="none", base_url=address, settings=settings)
    teller = Teller(lines)
    task = PipelineTask(Pipeline([service, teller]), params=PipelineParams(audio_in_sample_rate=RATE))

    async def speak() -> None:
        audio = sys.stdin.buffer.read()
        for begin in range(0, len(audio), PIECE):
            await task.queue_frame(InputAudioRawFrame(audio[begin : begin + PIECE], RATE, 1))
            await asyncio.sleep(PIECE_S / times)
        await teller.is_done.wait()
        await task.queue_frame(EndFrame())

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), speak())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
