"""Joins neighbouring deltas of one item, so that a flood costs one reduction per frame."""

from collections.abc import Iterable, Iterator

import msgspec

from app_server.protocol.item_deltas import (
    AgentMessageDeltaNotification,
    CommandExecutionOutputDeltaNotification,
    PlanDeltaNotification,
    ReasoningSummaryTextDeltaNotification,
    ReasoningTextDeltaNotification,
)
from tui.state.events import Event, Heard

_Delta = (
    AgentMessageDeltaNotification
    | CommandExecutionOutputDeltaNotification
    | PlanDeltaNotification
    | ReasoningSummaryTextDeltaNotification
    | ReasoningTextDeltaNotification
)


def merge_adjacent_deltas(events: Iterable[Event]) -> Iterator[Event]:
    """The same events in the same order, runs of deltas that belong together as one each."""
    first: _Delta | None = None
    pieces: list[str] = []
    for event in events:
        params = event.params if isinstance(event, Heard) else None
        if isinstance(params, _Delta):
            if first is not None and _belong_together(first, params):
                pieces.append(params.delta)
                continue
            if first is not None:
                yield _joined(first, pieces)
            first, pieces = params, [params.delta]
            continue
        if first is not None:
            yield _joined(first, pieces)
            first = None
        yield event
    if first is not None:
        yield _joined(first, pieces)


def _belong_together(one: _Delta, other: _Delta) -> bool:
    if type(one) is not type(other):
        return False
    return msgspec.structs.replace(other, delta=one.delta) == one


def _joined(first: _Delta, pieces: list[str]) -> Heard:
    return Heard(msgspec.structs.replace(first, delta="".join(pieces)))
