"""Holds the state; takes many events per frame and announces once.

`apply` is the only way to change the state. It must be called on the interface's own loop. The
listener is told once per `apply`, with the effects of all its events in order; nobody is told when
nothing changed and nothing is wanted.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from tui.state.effects import Effect
from tui.state.events import Event
from tui.state.merge import merge_adjacent_deltas
from tui.state.model import AppState
from tui.state.reduce import reduce

Listener: TypeAlias = Callable[[AppState, AppState, tuple[Effect, ...]], None]
"""Called with (state before, state now, effects)."""


class Store:
    """The current state and the one who draws it."""

    def __init__(self, state: AppState, listener: Listener | None = None) -> None:
        self.state = state
        self.listener = listener

    def apply(self, events: Iterable[Event], at: float) -> tuple[Effect, ...]:
        """Reduce all events; `at` is now, in Unix seconds. Returns the effects, too."""
        before = self.state
        state = before
        effects: list[Effect] = []
        for event in merge_adjacent_deltas(events):
            state, wanted = reduce(state, event, at)
            effects += wanted
        self.state = state
        if self.listener is not None and (state is not before or effects):
            self.listener(before, state, tuple(effects))
        return tuple(effects)
