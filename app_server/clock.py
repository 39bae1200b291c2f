"""Time, in one place so that tests can freeze it."""

import time


def now() -> float:
    """Unix time in seconds."""
    return time.time()


def now_ms() -> int:
    """Unix time in whole milliseconds."""
    return int(now() * 1000)


def monotonic() -> float:
    """Seconds on a clock that never goes back; only differences mean anything."""
    return time.monotonic()


def utc_timestamp(unix_seconds: float | None = None) -> str:
    """A moment, now by default, as RFC 3339 in UTC with milliseconds: the form of rollout lines."""
    millis = now_ms() if unix_seconds is None else int(unix_seconds * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000))
    return f"{whole}.{millis % 1000:03d}Z"
