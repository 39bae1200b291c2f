"""The last row, on terminals of several widths."""

import pytest
from textual.geometry import Size

from tests.tui.state.conversation import open_screen
from tests.tui.state.test_app import with_usage
from tui.text.palette import TERMINAL
from tui.widgets.bottom.footer import Footer


@pytest.mark.parametrize(
    ("width", "read"),
    [(80, "gpt-5.5 medium · ~/work · 50% context left"), (40, "gpt-5.5 medium · ~/work · 50% left"),
     (34, "gpt-5…edium · ~/work · 50% left")],
)  # fmt: skip
def test_a_narrow_footer_loses_a_word_before_it_cuts_one(width: int, read: str) -> None:
    screen = open_screen()
    with_usage(screen, 135_200, 258_400)
    footer = Footer(TERMINAL)
    footer.show_facts(screen.state, Size(width, 24))
    assert footer.lines[-1].text.strip() == read
