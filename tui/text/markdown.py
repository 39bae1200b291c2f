"""Markdown as lines: what each kind of block looks like at a width.

Works on the tokens of markdown-it. Headings keep their marks, lists hang, quotes are barred with
`> `, code keeps its lines. Between the blocks of a list item or a quote there is a blank line where
the source has one. Raw HTML is shown as text, and reference definitions are not resolved, so that
a later line never changes an earlier one. Which blocks are settled while text arrives is decided in
`tui.text.markdown_stream`.
"""

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from tui.text.highlight import LineHighlighter
from tui.text.markdown_inline import DEEPEST, draw_inline, parser
from tui.text.markdown_table import Align, Table, draw_table
from tui.text.palette import Palette
from tui.text.sanitize import clean
from tui.text.spans import Spans, cut, joined, styled, text_of, width_of
from tui.text.wrap import fold, wrap

if TYPE_CHECKING:
    from markdown_it.token import Token

NESTED_LIST_INDENT = 4


def parse(source: str) -> list["Token"]:
    """The block tokens of some markdown; what is inside paragraphs is parsed when it is drawn."""
    return parser().parse(source)


def is_too_deep(tokens: list["Token"]) -> bool:
    return any(token.level >= DEEPEST - 1 for token in tokens)


class Renderer:
    """Draws tokens. `width` counts cells; `fold_long` as in `tui.text.wrap`."""

    def __init__(self, palette: Palette, *, fold_long: bool = True) -> None:
        self._palette = palette
        self._fold_long = fold_long

    def blocks(
        self, tokens: list["Token"], width: int, base: Style, *, number: int | None = None
    ) -> list[Spans]:
        """All blocks; `number` overrules the first list's first number."""
        lines: list[Spans] = []
        at = 0
        last_end: int | None = None
        while at < len(tokens):
            end = closing(tokens, at)
            start_row, end_row = tokens[at].map or (0, 0)
            drawn = self._block(tokens[at : end + 1], width, base, number)
            if lines and (last_end is None or start_row > last_end):
                lines.append([])
            lines += drawn
            number = None
            last_end = end_row - _trailing_blanks(tokens, at, end, end_row)
            at = end + 1
        return lines

    def _block(
        self, tokens: list["Token"], width: int, base: Style, number: int | None
    ) -> list[Spans]:
        token = tokens[0]
        palette = self._palette
        match token.type:
            case "paragraph_open":
                return self._wrapped(tokens[1], width, base)
            case "heading_open":
                level = int(token.tag[1])
                style = (
                    base
                    + (
                        palette.heading_1,
                        palette.heading_2,
                        palette.heading_3,
                        palette.heading_4,
                    )[min(level, 4) - 1]
                )
                marks = Segment("#" * level + " ", style)
                return self._wrapped(tokens[1], width, style, first=[marks])
            case "bullet_list_open" | "ordered_list_open":
                return self._list(tokens, width, base, number)
            case "blockquote_open":
                style = base + palette.quote
                inner = self.blocks(tokens[1:-1], max(1, width - 2), style)
                return [joined([Segment("> ", style), *row]) for row in inner]
            case "fence":
                return self.code(token.content, token.info, width, base)
            case "code_block":
                return self.code(token.content, "", width, base)
            case "hr":
                return [[Segment("———", palette.rule)]]
            case "table_open":
                table = self._table(tokens, base)
                return draw_table(table, width, palette, fold_long=self._fold_long)
            case "inline":
                return self._wrapped(token, width, base)
            case _:
                return self.as_written(token.content, width, base)

    def as_written(self, source: str, width: int, base: Style) -> list[Spans]:
        """The source itself, wrapped."""
        return [
            line
            for row in clean(source).split("\n")
            for line in wrap([Segment(row, base or None)], width, fold_long=self._fold_long)
        ]

    def _wrapped(
        self, token: "Token", width: int, base: Style, *, first: Spans | None = None
    ) -> list[Spans]:
        lines: list[Spans] = []
        for row in draw_inline(token, self._palette, base):
            lead = first or []
            hang = [Segment(" " * width_of(lead))] if lead else []
            lines += wrap(
                row,
                width,
                first=hang if lines else lead,
                rest=hang,
                fold_long=self._fold_long,
            )
        return lines

    def _list(
        self, tokens: list["Token"], width: int, base: Style, number: int | None
    ) -> list[Spans]:
        ordered = tokens[0].type == "ordered_list_open"
        counter = number if number is not None else int(tokens[0].attrGet("start") or 0)
        if ordered and number is None and tokens[0].attrGet("start") is None:
            counter = 1
        lines: list[Spans] = []
        at = 1
        last_end: int | None = None
        while at < len(tokens) - 1:
            end = closing(tokens, at)
            start_row, end_row = tokens[at].map or (0, 0)
            if last_end is not None and start_row > last_end:
                lines.append([])
            marker = f"{counter}{tokens[at].markup} " if ordered else "- "
            lines += self._item(tokens[at + 1 : end], marker, width, base, ordered=ordered)
            last_end = end_row - _trailing_blanks(tokens, at, end, end_row)
            counter += 1
            at = end + 1
        return lines

    def _item(
        self, tokens: list["Token"], marker: str, width: int, base: Style, *, ordered: bool
    ) -> list[Spans]:
        hang = len(marker)
        lead = Segment(marker, base + self._palette.number if ordered else base or None)
        lines: list[Spans] = []
        first_indent = hang
        at = 0
        last_end: int | None = None
        while at < len(tokens):
            end = closing(tokens, at)
            start_row, end_row = tokens[at].map or (0, 0)
            nested = tokens[at].type in ("bullet_list_open", "ordered_list_open")
            indent = max(hang, NESTED_LIST_INDENT) if nested and lines else hang
            if width - indent < NESTED_LIST_INDENT * 2:
                indent = min(indent, hang, max(0, width // 2))
            drawn = self._block(tokens[at : end + 1], max(1, width - indent), base, None)
            if not lines:
                first_indent = indent
            if lines and last_end is not None and start_row > last_end:
                lines.append([])
            blank = Segment(" " * indent)
            lines += [joined([blank, *row]) if row else [] for row in drawn]
            last_end = end_row - _trailing_blanks(tokens, at, end, end_row)
            at = end + 1
        if not lines:
            return [[lead]]
        lines[0] = [lead, *cut(lines[0], first_indent, len(text_of(lines[0])))]
        return lines

    def code(self, content: str, language: str, width: int, base: Style) -> list[Spans]:
        highlighter = LineHighlighter(language, self._palette)
        rows = clean(content).split("\n")
        if len(rows) > 1 and not rows[-1]:
            rows.pop()
        return [line for row in rows for line in self.code_line(highlighter.line(row), width, base)]

    def code_line(self, spans: Spans, width: int, base: Style) -> list[Spans]:
        shown = styled(spans, base) if base else spans
        return fold(shown, width, fold_long=self._fold_long)

    def _table(self, tokens: list["Token"], base: Style) -> Table:
        head: list[Spans] = []
        rows: list[list[Spans]] = []
        aligns: list[Align] = []
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                cell = _one_line(draw_inline(tokens[index + 1], self._palette, base))
                if token.type == "th_open":
                    head.append(cell)
                    aligns.append(_alignment(str(token.attrGet("style") or "")))
                else:
                    rows[-1].append(cell)
        body = [[*row, *([[]] * (len(head) - len(row)))][: len(head)] for row in rows[1:]]
        return Table(head, body, aligns)


def closing(tokens: list["Token"], at: int) -> int:
    """Where the block that opens at `at` closes."""
    if tokens[at].nesting != 1:
        return at
    level = tokens[at].level
    for index in range(at + 1, len(tokens)):
        if tokens[index].level == level and tokens[index].nesting == -1:
            return index
    return len(tokens) - 1


def _trailing_blanks(tokens: list["Token"], at: int, end: int, end_row: int) -> int:
    """Blank lines that a list or quote counts as its own although nothing of it follows them."""
    last = max(
        (token.map[1] for token in tokens[at : end + 1] if token.map and not token.nesting),
        default=end_row,
    )
    return max(0, end_row - last)


def _one_line(lines: list[Spans]) -> Spans:
    spans: Spans = []
    for row in lines:
        if spans:
            spans.append(Segment(" "))
        spans += row
    return spans


def _alignment(style: str) -> Align:
    if style.endswith("right"):
        return "right"
    return "center" if style.endswith("center") else "left"
