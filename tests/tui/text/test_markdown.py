"""What each kind of markdown looks like."""

import pytest

from tui.text.markdown_stream import draw_markdown
from tui.text.palette import TERMINAL
from tui.text.spans import Spans, text_of, width_of


def lines(source: str, width: int = 40) -> list[Spans]:
    return draw_markdown(source, width, TERMINAL)


def shown(source: str, width: int = 40) -> str:
    return "\n".join(text_of(line).rstrip() for line in lines(source, width))


def style_of(source: str, word: str) -> str:
    for line in lines(source):
        for part in line:
            if word in part.text:
                return str(part.style or "none")
    raise AssertionError(f"{word} is not shown")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# One\n## Two", "# One\n\n## Two"),
        ("a\nb", "a\nb"),
        ("a  \nb", "a\nb"),
        ("- a\n- b\n\n- c", "- a\n- b\n\n- c"),
        ("* a\n  * b\n    * c", "- a\n    - b\n        - c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("1. a\n1. b", "1. a\n2. b"),
        ("0. a\n1. b", "0. a\n1. b"),
        ("1) a", "1) a"),
        ("- [ ] todo\n- [x] done", "- [ ] todo\n- [x] done"),
        ("- a\n\n  b", "- a\n\n  b"),
        ("- ```\n  code\n  ```", "- code"),
        ("-", "-"),
        ("> a\n> b", "> a\n> b"),
        ("> - a\n>   - b", "> - a\n>     - b"),
        ("***", "———"),
        ("`code` and **bold**", "code and bold"),
        ("[label](https://x.org/a)", "label (https://x.org/a)"),
        ("[https://x.org](https://x.org)", "https://x.org"),
        ("<https://x.org/ä>", "https://x.org/ä"),
        ("[app.py](/w/app.py)", "app.py (/w/app.py)"),
        ("![a cat](cat.png)", "a cat (cat.png)"),
        ("<b>html</b> &lt;x&gt;", "<b>html</b> <x>"),
        ("[a]: http://x\n\n[a]", "[a]: http://x\n\n[a]"),
        ("```\n  keep   spaces  \n```", "  keep   spaces"),
        ("```\n\nblank first\n```", "\nblank first"),
        ("    indented", "indented"),
        ("~~gone~~", "gone"),
        ("", ""),
    ],
)
def test_markdown_shows(source: str, expected: str) -> None:
    assert shown(source) == expected


def test_long_items_hang_under_their_text() -> None:
    source = "1. a word and another word and more\n- x x x x x x x x x x x x x"
    assert shown(source, 20) == (
        "1. a word and\n   another word and\n   more\n\n- x x x x x x x x x\n  x x x x"
    )


@pytest.mark.parametrize(
    ("source", "word", "style"),
    [
        ("# One", "One", "bold underline"),
        ("## Two", "Two", "bold"),
        ("### Three", "Three", "bold italic"),
        ("##### Five", "Five", "italic"),
        ("**b**", "b", "bold"),
        ("*i*", "i", "italic"),
        ("***x***", "x", "bold italic"),
        ("`c`", "c", "cyan"),
        ("~~s~~", "s", "strike"),
        ("> q", "q", "green"),
        ("1. n", "1.", "bright_blue"),
    ],
)
def test_markdown_is_styled(source: str, word: str, style: str) -> None:
    assert style_of(source, word) == style


def test_addresses_are_links_of_the_terminal_only_where_one_would_open_them() -> None:
    assert "link https://x.org/a" in style_of("[l](https://x.org/a)", "https://")
    assert "link https://x.org" in style_of("see https://x.org.", "https://")
    assert "link" not in style_of("[l](javascript:alert)", "javascript").replace("underline", "")


TABLE = "| Name | Amount | Note |\n|:--|--:|:-:|\n| apples | 5 | red |\n| figs | 120 | x |"


def test_a_table_is_aligned_under_a_ruled_head() -> None:
    assert shown(TABLE) == (
        "Name    Amount  Note\n──────  ──────  ────\napples       5  red\nfigs       120   x"
    )


def test_a_wide_table_wraps_in_its_columns() -> None:
    wide = "| A | Text |\n|---|---|\n| one | " + "word " * 12 + "|\n| two | short |"
    rows = shown(wide, 30).split("\n")
    assert rows[0] == "A    Text"
    assert rows[2] == "one  word word word word word"
    assert rows[3].startswith("     word")
    assert all(width_of(line) <= 30 for line in lines(wide, 30))


def test_a_table_too_wide_for_columns_becomes_records() -> None:
    assert shown(TABLE, 12) == (
        "Name: apples\nAmount: 5\nNote: red\n────────\nName: figs\nAmount: 120\nNote: x"
    )


def test_a_table_with_ragged_rows_keeps_its_columns() -> None:
    assert shown("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |") == "a  b\n─  ─\n1\n1  2"


def test_wide_characters_keep_columns_aligned() -> None:
    rows = lines("| a | b |\n|---|---|\n| 漢字 | x |\n| y | z |")
    starts = [text_of(row).index(mark) for row, mark in zip(rows[2:], "xz", strict=True)]
    assert starts == [4, 6]
    assert {width_of(row) for row in rows} == {7}


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 13, 20])
def test_nothing_is_wider_than_even_a_very_narrow_column(width: int) -> None:
    source = "# Title\n\n- item with `code`\n  - deeper\n    - deepest\n\n> quote\n\n" + TABLE
    for line in lines(source, width):
        assert width_of(line) <= max(width, 8), text_of(line)


def test_deep_nesting_does_not_break_the_parser() -> None:
    assert shown("> " * 200 + "deep", 40)
    assert shown("- " * 200 + "deep", 40)
    assert shown("**" * 500 + "x", 40)


def test_code_is_coloured_by_its_language_and_plain_without_one() -> None:
    assert style_of("```python\nreturn 1\n```", "return") == "magenta"
    assert style_of("```\nreturn 1\n```", "return") == "none"
    assert style_of("```nosuchlanguage\nreturn 1\n```", "return") == "none"
