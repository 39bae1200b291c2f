"""Markdown that arrives in pieces: the same lines in the end, and what is settled stays."""

import random

import pytest

from tui.text.markdown_stream import MarkdownStream, draw_markdown
from tui.text.palette import TERMINAL
from tui.text.spans import text_of

PIECES = (
    "# head\n",
    "para text",
    "\n",
    "\n\n",
    "- item",
    "  - nested\n",
    "1. one\n",
    "2) two\n",
    "> quote\n",
    "```py\n",
    "```\n",
    "~~~~\n",
    "    code\n",
    "| a | b |\n|---|---|\n",
    "| 1 | 2 |\n",
    "---\n",
    "***\n",
    "**b**",
    "`c`",
    "\t",
    "  ",
    "===\n",
    "x\n",
    "* y\n",
    "+ z\n",
    "10. ten\n",
    "[a]: http://x\n",
    "[a]",
    '"""\n',
    "/* c\n",
    "*/",
    "<div>\n",
    "   - deep\n",
    "-\n",
    "1.\n",
    "\r\n",
    "\r",
    "``",
    "`",
    "- - a\n",
    ">",
    ">> b\n",
    "é😀漢字",
    "\\",
    "\x00",
    "  \n",
    "     \n",
    "- [ ] t\n",
    "````\n",
    "1",
    ".",
    " ",
    "-",
    "```a`b\n",
    "a | b\n",
    "-|-\n",
)


def drawn(stream: MarkdownStream, width: int = 30) -> list[list[str]]:
    return [[text_of(line) for line in block] for block in stream.lines(width, TERMINAL)]


def at_once(text: str, width: int = 30) -> list[str]:
    return [text_of(line) for line in draw_markdown(text, width, TERMINAL)]


@pytest.mark.parametrize("seed", range(150))
def test_any_chunking_gives_the_lines_of_the_whole_and_settled_blocks_never_change(
    seed: int,
) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 25)))
    stream = MarkdownStream()
    settled: list[list[str]] = []
    at = 0
    while at < len(text):
        at += chance.randint(1, 4 if seed % 3 else 20)
        assert stream.update(text[:at])
        now = drawn(stream)[: len(stream.settled)]
        assert now[: len(settled)] == settled, text
        settled = now
    stream.update(text, complete=True)
    final = drawn(stream)
    assert final[: len(settled)] == settled, text
    assert [line for block in final for line in block] == at_once(text), text


def test_the_number_of_settled_blocks_does_not_depend_on_the_width() -> None:
    stream = MarkdownStream()
    stream.update("para that is long enough to wrap\n\n- one\n- two\n\n```\na\nb\n")
    counts = {len(stream.settled) for width in (10, 40, 100) if drawn(stream, width)}
    assert counts == {5}  # a paragraph, two items, two lines of code


def test_only_the_open_block_is_looked_at_again() -> None:
    text = "".join(f"Paragraph {n} with a few words in it.\n\n" for n in range(500))
    stream = MarkdownStream()
    for at in range(0, len(text), 7):
        stream.update(text[:at])
        stream.open_blocks()
    stream.update(text, complete=True)
    assert stream.parsed_chars < 12 * len(text)


LONG_BLOCKS = {
    "table": ["| a | b |", "| --- | --- |", *(f"| row {n} | {n * 7} |" for n in range(600))],
    "nested list": ["- top", *(f"  - item {n} of many" for n in range(600))],
    "quote": [f"> line {n} of many" for n in range(600)],
    "paragraph": [f"line {n} of many" for n in range(600)],
}


@pytest.mark.parametrize("rows", LONG_BLOCKS.values(), ids=LONG_BLOCKS.keys())
def test_a_block_that_stays_open_is_looked_at_again_ever_more_seldom(rows: list[str]) -> None:
    stream = MarkdownStream()
    text = ""
    for row in rows:
        text += row + "\n"
        stream.update(text)
        shown = len("".join(block.source for block in stream.open_blocks()))
        assert len(text) - shown <= len(text) // 25 + text.count("\n") + 1
    assert stream.parsed_chars < 100 * len(text)


def test_a_long_code_fence_settles_line_by_line() -> None:
    stream = MarkdownStream()
    stream.update("```python\n" + "x = 1\n" * 5_000)
    assert len(stream.settled) == 5_000
    before = stream.parsed_chars
    stream.update("```python\n" + "x = 1\n" * 5_001)
    assert stream.parsed_chars - before < 100


def test_settled_lines_are_kept_not_drawn_again() -> None:
    stream = MarkdownStream()
    stream.update("one\n\ntwo\n\nthree")
    first = stream.lines(40, TERMINAL)
    stream.update("one\n\ntwo\n\nthree and more")
    second = stream.lines(40, TERMINAL)
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, True, False]


def test_text_that_does_not_go_on_from_before_is_refused() -> None:
    stream = MarkdownStream()
    assert stream.update("one\n")
    assert not stream.update("two\n")


def test_a_possible_closing_mark_of_a_fence_is_not_shown_while_it_arrives() -> None:
    stream = MarkdownStream()
    stream.update("```\ncode\n``")
    assert drawn(stream) == [["code"]]


def test_code_keeps_the_state_of_its_colours_from_line_to_line() -> None:
    text = '```python\ndef f():\n    """doc\n    more doc"""\n    return 1\n```\n'
    whole = draw_markdown(text, 80, TERMINAL)
    stream = MarkdownStream()
    for at in range(len(text)):
        stream.update(text[:at])
        stream.lines(80, TERMINAL)
    stream.update(text, complete=True)
    assert [line for block in stream.lines(80, TERMINAL) for line in block] == whole
    string_style = whole[1][-1].style
    assert whole[2][0].style == string_style
