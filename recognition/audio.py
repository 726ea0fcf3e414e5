"""What audio is in this product: mono float32 in [-1, 1] at 16 kHz; a time is a number of samples."""

SAMPLE_RATE = 16_000


def samples(seconds: float) -> int:
    """How many samples last that long."""
    return round(seconds * SAMPLE_RATE)


def seconds(samples: int) -> float:
    return samples / SAMPLE_RATE


def milliseconds(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE
