"""Lines derived from the state: footer, status line, title, context gauge."""

from tui.state.model import AppState
from tui.state.thread import ThreadState, TurnStatus


def context_left_percent(thread: ThreadState | None) -> int | None:
    """How much of the context window is free; None while the window is unknown."""
    raise NotImplementedError


def footer_items(state: AppState) -> tuple[str, ...]:
    """The footer's items, left to right, each already a word or two."""
    raise NotImplementedError


def mode_label(state: AppState) -> str:
    """The right side of the footer: "Plan mode (shift+tab to cycle)" or empty."""
    raise NotImplementedError


def status_line(status: TurnStatus, at: float) -> tuple[str, str]:
    """Header and the dim rest, such as "(1m 05s • esc to interrupt)"."""
    raise NotImplementedError


def background_terminals(thread: ThreadState) -> int:
    """Commands that run on although no turn does, or that the turn has left behind."""
    raise NotImplementedError


def window_title(state: AppState) -> str:
    """Project name; the shell puts spinner or attention marks before it."""
    raise NotImplementedError


def exit_lines(state: AppState) -> tuple[str, ...]:
    """What is printed on leaving: token usage and how to continue. Empty without turns."""
    raise NotImplementedError
