"""Strips as rows for the terminal."""

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.terminal.ansi_rows import Row, row_of


def row(*parts: tuple[str, str]) -> Row:
    strip = Strip([Segment(text, Style.parse(style)) for text, style in parts])
    return row_of(strip, ColorSystem.STANDARD)


def test_blanks_at_the_end_are_left_out() -> None:
    assert row(("ab", ""), ("  ", ""), ("   ", "dim")) == Row("ab", 2)
    assert row(("   ", "bold")) == Row("", 0)


def test_blanks_one_can_see_stay() -> None:
    assert row(("ab", ""), ("  ", "on red")) == Row("ab\x1b[41m  \x1b[0m", 4)
    assert row(("a ", "underline")).cells == 2


def test_wide_characters_count_as_two() -> None:
    assert row(("漢字 ", "")) == Row("漢字", 4)


def test_without_colours_text_stays_plain() -> None:
    strip = Strip([Segment("x", Style.parse("red bold"))])
    assert row_of(strip, None) == Row("x", 1)
