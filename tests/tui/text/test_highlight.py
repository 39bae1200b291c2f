"""The colours of code."""

from rich.style import Style

from tui.text.highlight import highlight, is_theme
from tui.text.palette import TERMINAL, coloured


def styles(theme: str | None) -> dict[str, Style | None]:
    (line,) = highlight("def f(): return 1  # why", "python", coloured(theme))
    return {segment.text.strip(): segment.style for segment in line}


def test_code_has_the_terminals_colours_unless_a_theme_is_chosen() -> None:
    assert coloured(None) is TERMINAL
    assert styles(None)["def"] == Style.parse("magenta")
    themed = styles("nord")
    assert themed["def"] == Style.parse("bold #81a1c1")
    assert all(style is None or style.bgcolor is None for style in themed.values())


def test_a_theme_that_does_not_exist_changes_nothing() -> None:
    assert (is_theme("nord"), is_theme("no-such-theme")) == (True, False)
    assert styles("no-such-theme") == styles(None)
