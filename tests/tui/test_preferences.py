"""What the settings say of the interface."""

from typing import Any

import pytest

from tui.preferences import Preferences, read_preferences

BOTH = frozenset({"turn-ended", "approval"})


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, Preferences()),
        ({"tui": 5, "hide_agent_reasoning": "yes"}, Preferences()),
        ({"tui": {"notifications": True}}, Preferences(notes=BOTH)),
        ({"tui": {"notifications": False}}, Preferences(notes=frozenset())),
        (
            {"tui": {"notifications": ["approval-requested", "unknown"]}},
            Preferences(notes=frozenset({"approval"})),
        ),
        ({"tui": {"notification_condition": "always"}}, Preferences(notes_when_focused=True)),
        ({"tui": {"notification_method": "bel"}}, Preferences(note_method="bel")),
        ({"tui": {"notification_method": "smoke"}}, Preferences()),
        ({"hide_agent_reasoning": True}, Preferences(hide_reasoning=True)),
        ({"show_raw_agent_reasoning": True}, Preferences(show_raw_reasoning=True)),
        (
            {"tui": {"status_line": ["model", 5], "terminal_title": []}},
            Preferences(status_items=("model",), title_items=()),
        ),
    ],
)
def test_settings_become_preferences(config: dict[str, Any], expected: Preferences) -> None:
    assert read_preferences(config) == expected
