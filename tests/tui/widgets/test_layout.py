"""Wrapping a draft: rows, and the way from positions to cells and back."""

import pytest

from tui.widgets.composer.layout import column_of, lay_out, position_at, row_of

TEXTS = [
    "",
    "one",
    "hello big world of words",
    "a\n\nb",
    "abcdefghijklmnop x",
    "漢字漢字漢字 kana",
    "ends \n",
]


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 10, [""]),
        ("hello big world", 10, ["hello big ", "world"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("a\n\nb", 9, ["a", "", "b"]),
        ("full row!  x", 9, ["full row! ", " x"]),
    ],
)
def test_rows_break_at_blanks_and_by_cells(text: str, width: int, rows: list[str]) -> None:
    assert [text[line.start : line.end] for line in lay_out(text, width)] == rows


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("width", [3, 5, 8, 80])
def test_every_position_has_a_cell_and_the_cell_leads_back(text: str, width: int) -> None:
    lines = lay_out(text, width)
    for position in range(len(text) + 1):
        row = row_of(lines, position)
        column = column_of(text, lines[row], position)
        assert position_at(text, lines, row, column) == position
