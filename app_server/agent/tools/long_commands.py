"""Understanding a command takes time with its length: long ones are looked at beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

SHORT_COMMAND_CHARS = 2_000
"""Up to here it takes a few milliseconds at worst, and less than changing threads does at best."""

R = TypeVar("R")


async def look_at(words: Sequence[str], look: Callable[[], R]) -> R:
    """Do something that takes a command apart, while others are served if it is a long one."""
    if sum(map(len, words)) <= SHORT_COMMAND_CHARS:
        return look()
    return await asyncio.to_thread(look)
