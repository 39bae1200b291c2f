"""What the settings say of this interface, read from `config/read`'s answer. Pure.

A value of a kind nobody expects says nothing: the server has warned of it.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tui.terminal.notify import Method

NotifyKind = Literal["turn-ended", "approval"]
KINDS: dict[str, NotifyKind] = {
    "agent-turn-complete": "turn-ended",
    "approval-requested": "approval",
}
"""What the settings call a note → what we do."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    notes: frozenset[NotifyKind] = frozenset(KINDS.values())
    """What is worth a note outside the window."""
    notes_when_focused: bool = False
    note_method: Method = "auto"
    hide_reasoning: bool = False
    show_raw_reasoning: bool = False
    status_items: tuple[str, ...] | None = None
    """The footer's items; None: ours."""
    title_items: tuple[str, ...] | None = None
    """What the window's title is made of; None: the project's name."""
    keymap: Any = None


def read_preferences(config: Mapping[str, Any]) -> Preferences:
    """The preferences in a whole configuration."""
    table = config.get("tui")
    tui: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
    method = tui.get("notification_method")
    return Preferences(
        notes=_notes(tui.get("notifications")),
        notes_when_focused=tui.get("notification_condition") == "always",
        note_method=method if method in ("auto", "osc9", "bel") else "auto",
        hide_reasoning=config.get("hide_agent_reasoning") is True,
        show_raw_reasoning=config.get("show_raw_agent_reasoning") is True,
        status_items=_names(tui.get("status_line")),
        title_items=_names(tui.get("terminal_title")),
        keymap=tui.get("keymap"),
    )


def _notes(written: Any) -> frozenset[NotifyKind]:
    if written is False:
        return frozenset()
    if isinstance(written, list):
        return frozenset(KINDS[name] for name in written if name in KINDS)
    return frozenset(KINDS.values())


def _names(written: Any) -> tuple[str, ...] | None:
    if not isinstance(written, list):
        return None
    return tuple(name for name in written if isinstance(name, str))
