"""(state, event) → (state, effects): sends each event to the reducer that knows it."""

from tui.state.effects import Effect
from tui.state.events import Event
from tui.state.model import AppState


def reduce(state: AppState, event: Event, at: float) -> tuple[AppState, tuple[Effect, ...]]:
    """The next state and what it wants done. `at` is now, in Unix seconds of our own clock."""
    raise NotImplementedError
