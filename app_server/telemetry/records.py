"""One thing worth counting, whoever counts it."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import msgspec

from app_server import clock

Attributes: TypeAlias = dict[str, str | int | bool]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    attributes: Attributes
    duration_ms: int | None = None
    """How long it took; None for what has no length."""
    at: float = msgspec.field(default_factory=clock.now)
    """Unix seconds at its end."""


class Recorder(Protocol):
    """Whoever takes records. Never blocks and never raises."""

    with_prompts: bool

    def take(self, record: Record) -> None: ...
