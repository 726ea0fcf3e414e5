"""What the training loops share: the schedule, averaged weights, checkpoints, a line of progress."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Machine:
    """What a training runs on."""

    device: str = "cpu"
    """As torch names it: "cpu" or "cuda"."""

    loaders: int = 0
    """Processes that prepare batches ahead; without any they are prepared between the steps."""

    minutes: float | None = None
    """Fit what is left of the recipe into so much time, however many steps that makes."""


def autocast(device: str, *, enabled: bool = True) -> torch.autocast:
    """Products in bfloat16, but on processors that would have to emulate it."""
    has_it = device != "cpu" or torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(device, dtype=torch.bfloat16, enabled=enabled and has_it)


class Pace:
    """How far a training has come, in steps of its recipe: those that were made, or as the time says."""

    def __init__(self, steps: int, first: int, minutes: float | None) -> None:
        self._steps, self._first, self._minutes = steps, first, minutes
        self._started = time.monotonic()

    def at(self, step: int) -> int:
        if self._minutes is None:
            return step
        share = (time.monotonic() - self._started) / (60 * self._minutes)
        return self._first + int(min(1.0, share) * (self._steps - self._first))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning rate that warms up, stays, and cools down to a fiftieth over the last `cooling` share.

    It counts steps, so an interrupted run keeps it, and a run on the plateau may be given more or fewer.

    Source:
        Hu et al., "MiniCPM", 2024 (warmup-stable-decay).
    """

    steps: int
    peak: float
    warmup: int
    cooling: float = 0.3

    def rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / self.warmup)
        left = (self.steps - step) / max(1.0, self.cooling * self.steps)
        return self.peak * warm * max(0.02, min(1.0, left))

    def apply(self, optimizer: torch.optim.Optimizer, step: int) -> float:
        rate = self.rate(step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate


class AveragedWeights:
    """A slowly following copy of a network's weights: better than the last step's, and steadier.

    Source:
        Polyak and Juditsky, 1992; here exponential, and quick to follow at first.
    """

    def __init__(self, network: nn.Module, keep: float = 0.9995) -> None:
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._keep = keep

    def copy(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.state.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        for name, value in state.items():
            self.state[name].copy_(value)

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        keep = min(self._keep, step / (step + 30))
        averaged, current = [], []
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                averaged.append(self.state[name])
                current.append(value)
            else:
                self.state[name].copy_(value)
        torch._foreach_lerp_(averaged, current, 1 - keep)


def mean_of_weights(networks: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """One network in the middle of several that a training went through; what is counted is the last one's.

    It generalises better than any of them, as they lie in one valley of the loss and each at another side.

    Source:
        Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018;
        Wortsman et al., "Model soups", ICML 2022.
    """
    return {
        name: torch.stack([weights[name].float() for weights in networks]).mean(0)
        if last.is_floating_point()
        else last
        for name, last in networks[-1].items()
    }


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write it whole or not at all."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.rename(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """What was saved, in main memory wherever it was trained."""
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


class Progress:
    """Averages what each step reports, and prints a line every so many steps."""

    def __init__(self, every: int = 100) -> None:
        self._every = every
        self._sums: dict[str, float] = {}
        self._count = 0
        self._recent: deque[dict[str, float]] = deque(maxlen=20)
        self._since = time.process_time()

    def recent(self, name: str) -> float:
        """The mean of a value over the last twenty steps."""
        return sum(values[name] for values in self._recent) / max(1, len(self._recent))

    def add(self, step: int, values: dict[str, float]) -> None:
        self._recent.append(values)
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        if step % self._every == 0:
            means = " ".join(f"{name} {value / self._count:.4g}" for name, value in self._sums.items())
            spent = time.process_time() - self._since
            print(f"step {step}: {means}, {spent / self._count:.2f} s of processor a step", flush=True)
            self._sums, self._count, self._since = {}, 0, time.process_time()


def padded(rows: Iterable[list[int]], value: int) -> Tensor:
    """Rows of numbers as one int64 tensor, shape (batch, longest)."""
    tensors = [torch.tensor(row, dtype=torch.int64) for row in rows]
    return nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)
