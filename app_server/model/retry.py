"""Which failed requests are worth repeating, and how long to wait before.

The delay doubles from 200 ms, give or take a tenth, for both layers: requests that got no answer
(here, in the client) and streams that broke (in the sampling loop).
"""

from __future__ import annotations

import random

BASE_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 60.0
"""Nobody configures retries to sit for hours; 100 doublings would."""


def delay_seconds(attempt: int) -> float:
    """How long to wait before retry number `attempt`, counted from 1."""
    doubled = BASE_DELAY_SECONDS * 2.0 ** min(attempt - 1, 30)
    return min(doubled, MAX_DELAY_SECONDS) * random.uniform(0.9, 1.1)


def is_worth_repeating(status: int) -> bool:
    """Whether a request answered so may be sent again at once; 429 never is."""
    return status >= 500
