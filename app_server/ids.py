"""Ids for threads, turns and items.

Threads and turns carry UUIDv7 strings, so that sorting ids sorts by age; ids drawn within one
millisecond stay in the order they were drawn.
"""

import os
import threading
import time

_lock = threading.Lock()
_last = 0


def uuid7() -> str:
    """A new time-ordered UUID (version 7, RFC 9562), strictly increasing within this process."""
    global _last
    with _lock:
        stamp = (time.time_ns() // 1_000_000 << 12) | (int.from_bytes(os.urandom(1), "big") << 2)
        _last = max(stamp, _last + 1)
        stamp = _last
    millis, sequence = stamp >> 12, stamp & 0xFFF
    tail = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return _dashed(millis << 80 | 0x7 << 76 | sequence << 64 | 0x2 << 62 | tail)


def uuid4() -> str:
    """A new random UUID (version 4)."""
    number = int.from_bytes(os.urandom(16), "big")
    return _dashed(number & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62)


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its usual dashed, hexadecimal form."""
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        character in "0123456789abcdefABCDEF" for part in parts for character in part
    )


def _dashed(number: int) -> str:
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
