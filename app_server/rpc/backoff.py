"""How long to wait before trying again: longer each time, never the same for everybody."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 10.0
JITTER = 0.2
"""Each wait is up to so much shorter or longer, so that many clients do not come back at once."""


def delays(rng: random.Random | None = None) -> Iterator[float]:
    """Waits in seconds, without end."""
    chance = rng or random.Random()
    seconds = FIRST_SECONDS
    while True:
        yield seconds * chance.uniform(1 - JITTER, 1 + JITTER)
        seconds = min(seconds * 2, LONGEST_SECONDS)
