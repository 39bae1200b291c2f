"""Markdown that is still arriving: which blocks are settled, and the lines of all of them.

The text is cut into top-level blocks; of a list each item is a block, of a code fence each line. A
block is settled once later text cannot change it: all but the last one, judged by whole lines only.
Only the open rest is parsed again when text arrives, so that a stream costs in proportion to its
length. A block that stays open for long (a table of hundreds of rows) is looked at again only when
it has grown by a part of itself, for the same reason; what came since then waits until it has.
Text that comes at once is cut in the same way, so the lines are the same however it came.
"""

import re
from copy import copy
from typing import TYPE_CHECKING, Literal

import msgspec
from rich.style import Style

from tui.text.highlight import LineHighlighter
from tui.text.markdown import Renderer, closing, is_too_deep, parse
from tui.text.palette import Palette
from tui.text.sanitize import clean_line, expand_tabs
from tui.text.spans import Spans

if TYPE_CHECKING:
    from markdown_it.token import Token

_KEPT_WIDTHS = 3
EAGER_CHARS = 2_000
"""An open block up to this size is drawn anew with whatever comes."""
GROWTH = 32
"""A larger one when it has grown by one part in so many."""


class Block(msgspec.Struct, frozen=True):
    """A piece of the text that is drawn on its own."""

    kind: Literal["markdown", "item", "code"]
    source: str
    gap: bool = True
    """A blank line stands before it (unless it is the first)."""
    number: int | None = None
    """Of an ordered list's item."""
    language: str = ""
    opens_code: bool = False
    """The first line of a code fence."""


class Fence(msgspec.Struct, frozen=True):
    """An open code fence."""

    marker: str
    length: int
    indent: int
    language: str
    empty: bool = True


class Scan(msgspec.Struct):
    """Blocks of some text from a known point on, and where one could go on later."""

    blocks: list[Block]
    settled: int = 0
    """How many of the blocks are settled."""
    consumed: int = 0
    """Characters that need not be looked at again."""
    fence: Fence | None = None
    """Open at `consumed`."""
    next_number: int | None = None
    """The number of the list item at `consumed`, if a list was cut there."""
    in_list: bool = False


def scan(
    text: str,
    *,
    fence: Fence | None = None,
    next_number: int | None = None,
    in_list: bool = False,
    blank_before: bool = True,
) -> Scan:
    """Cut `text`, which begins at a block (or inside `fence`), into blocks."""
    result = Scan([], fence=fence, next_number=next_number, in_list=in_list)
    if fence is not None:
        _scan_fence(text, result, fence)
        if result.fence is not None:
            return result
        text = text[result.consumed :]
        result.next_number, result.in_list = None, False
    _scan_blocks(text, result, blank_before=blank_before)
    return result


def _scan_fence(text: str, result: Scan, fence: Fence) -> None:
    """Every whole line of an open fence is a settled block."""
    end_mark = re.compile(rf" {{0,3}}{re.escape(fence.marker)}{{{fence.length},}}[ \t]*$")
    at = 0
    while at < len(text):
        stop = text.find("\n", at)
        row = text[at:] if stop < 0 else text[at:stop]
        whole = stop >= 0
        if end_mark.match(row):
            if whole:
                at = stop + 1
                result.consumed, result.fence = at, None
                result.settled = len(result.blocks)
            return
        if not whole and row and not row.strip(" " + fence.marker):
            return  # perhaps the closing mark
        blank = len(row) - len(row.lstrip(" "))
        shown = row[min(blank, fence.indent) :]
        result.blocks.append(
            Block("code", shown, gap=fence.empty, language=fence.language, opens_code=fence.empty)
        )
        if not whole:
            return
        if fence.empty:
            fence = msgspec.structs.replace(fence, empty=False)
        at = stop + 1
        result.consumed, result.fence = at, fence
        result.settled = len(result.blocks)


def _scan_blocks(text: str, result: Scan, *, blank_before: bool) -> None:
    base = result.consumed
    tokens = parse(text)
    rows = text.split("\n")
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row) + 1)
    at = 0
    number, in_list = result.next_number, result.in_list
    while at < len(tokens):
        end = closing(tokens, at)
        token = tokens[at]
        start_row, end_row = token.map or (0, 0)
        is_last = end + 1 >= len(tokens)
        if token.type in ("bullet_list_open", "ordered_list_open"):
            _scan_list(
                tokens[at : end + 1],
                rows,
                offsets,
                result,
                base,
                number=number,
                continues=in_list,
                is_last=is_last,
                blank_before=blank_before,
            )
        elif token.type == "fence":
            opened = _fence_of(token, rows[start_row])
            inside = Scan([], fence=opened)
            body = text[offsets[start_row + 1] : offsets[end_row]] if end_row > start_row else ""
            if is_last:
                body = text[offsets[start_row + 1] :]
            if offsets[start_row + 1] <= len(text):
                _scan_fence(body, inside, opened)
                result.blocks += inside.blocks
                result.settled = len(result.blocks) - len(inside.blocks) + inside.settled
                result.consumed = base + offsets[start_row + 1] + inside.consumed
                result.fence = inside.fence if is_last else None
        else:
            source = "\n".join(rows[start_row:end_row])
            result.blocks.append(Block("markdown", source))
            closed = end_row < len(rows) - 1 and (
                token.type in ("hr", "heading_open")
                or (
                    token.type in ("paragraph_open", "table_open", "blockquote_open")
                    and not rows[end_row].strip()
                )
            )
            if not is_last or closed:
                result.settled = len(result.blocks)
                result.consumed = base + min(offsets[end_row], len(text))
        if not is_last:
            result.next_number, result.in_list = None, False
        number, in_list = None, False
        at = end + 1


def _scan_list(
    tokens: list["Token"],
    rows: list[str],
    offsets: list[int],
    result: Scan,
    base: int,
    *,
    number: int | None,
    continues: bool,
    is_last: bool,
    blank_before: bool,
) -> None:
    """Each item is a block; the last one of an open list is not settled."""
    ordered = tokens[0].type == "ordered_list_open"
    start = tokens[0].attrGet("start")
    counter = number if continues and number is not None else int(1 if start is None else start)
    at = 1
    first = True
    while at < len(tokens) - 1:
        end = closing(tokens, at)
        start_row, end_row = tokens[at].map or (0, 0)
        source = "\n".join(rows[start_row:end_row]).rstrip()
        if first:
            gap = blank_before if continues else True
        else:
            gap = not rows[start_row - 1].strip()
            result.settled = len(result.blocks)
            result.consumed = base + offsets[start_row]
            result.next_number, result.in_list = counter if ordered else None, True
        result.blocks.append(Block("item", source, gap=gap, number=counter if ordered else None))
        first = False
        counter += 1
        at = end + 1
    if not is_last:
        end_row = (tokens[0].map or (0, 0))[1]
        result.settled = len(result.blocks)
        result.consumed = base + offsets[end_row]


def _fence_of(token: "Token", row: str) -> Fence:
    return Fence(
        marker=token.markup[0],
        length=len(token.markup),
        indent=len(row) - len(row.lstrip(" ")),
        language=token.info,
    )


class MarkdownStream:
    """Text that grows, cut and drawn. One per message."""

    def __init__(self) -> None:
        self._raw = ""
        self._text = ""
        self._held_return = False
        self._complete = False
        self._offset = 0
        self._fence: Fence | None = None
        self._next_number: int | None = None
        self._in_list = False
        self.settled: list[Block] = []
        self.parsed_chars = 0
        """How much text has been cut into blocks so far, repetitions included; for tests."""
        self._looked_at = 0
        """How much of the text was there when whole lines were last cut."""
        self._open = _Open()
        self._drawn: dict[tuple[int, int, bool], _Drawn] = {}
        self._colours: _Colours | None = None

    def update(self, raw: str, *, complete: bool = False) -> bool:
        """Take the text as it is now; False (and nothing done) if it does not begin as before."""
        if self._complete or not raw.startswith(self._raw):
            return raw == self._raw and complete == self._complete
        added = raw[len(self._raw) :]
        self._raw = raw
        if self._held_return:
            added = "\r" + added
        self._held_return = added.endswith("\r") and not complete
        if self._held_return:
            added = added[:-1]
        self._text += added.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        self._complete = complete
        if complete or "\n" in added:
            self._advance()
        return True

    def _advance(self) -> None:
        """Settle what whole lines allow."""
        end = len(self._text) if self._complete else self._text.rfind("\n") + 1
        if self._offset >= end:
            return
        if not self._complete and not self._has_grown(self._looked_at, end):
            return
        self._looked_at = end
        found = self._scan(self._text[self._offset : end])
        if self._complete:
            self.settled += found.blocks
            self._offset = end
        elif found.consumed:
            self.settled += found.blocks[: found.settled]
            self._offset += found.consumed
            self._fence = found.fence
            self._next_number, self._in_list = found.next_number, found.in_list

    def _has_grown(self, seen: int, end: int) -> bool:
        """Whether the open text up to `end` is worth another look, after one up to `seen`."""
        size = end - self._offset
        return size <= EAGER_CHARS or (end - seen) * GROWTH >= size

    def _scan(self, text: str) -> Scan:
        self.parsed_chars += len(text)
        return scan(
            text,
            fence=self._fence,
            next_number=self._next_number,
            in_list=self._in_list,
            blank_before=self._blank_line_before_offset(),
        )

    def _blank_line_before_offset(self) -> bool:
        start = self._text.rfind("\n", 0, max(0, self._offset - 1)) + 1
        return not self._text[start : self._offset].strip()

    def open_blocks(self) -> list[Block]:
        """What may still change."""
        if self._complete:
            return []
        seen, end = self._open, len(self._text)
        if seen.offset == self._offset and not self._has_grown(seen.end, end):
            return seen.blocks
        if (seen.offset, seen.end) != (self._offset, end):
            rest = self._text[self._offset :]
            blocks = self._scan(rest).blocks if rest.strip("\n") else []
            self._open = _Open(offset=self._offset, end=end, blocks=blocks)
        return self._open.blocks

    def lines(
        self, width: int, palette: Palette, *, fold_long: bool = True, base: Style | None = None
    ) -> list[list[Spans]]:
        """The lines of every settled block, then of every open one; a gap is an empty line."""
        settled = self.settled_lines(width, palette, fold_long=fold_long, base=base)
        return [*settled, *self.open_lines(width, palette, fold_long=fold_long, base=base)]

    def settled_lines(
        self, width: int, palette: Palette, *, fold_long: bool = True, base: Style | None = None
    ) -> list[list[Spans]]:
        """The lines of the settled blocks; the same lists come back every time: only read them."""
        key = (width, id(palette), fold_long)
        drawn = self._drawn.get(key)
        if drawn is None or drawn.palette is not palette:
            drawn = _Drawn(width, palette, base, fold_long=fold_long)
            self._drawn[key] = drawn
            while len(self._drawn) > _KEPT_WIDTHS:
                del self._drawn[next(iter(self._drawn))]
        colours = self._settled_colours(palette)
        for index in range(len(drawn.blocks), len(self.settled)):
            drawn.add(self.settled[index], colours.of(index))
        return drawn.blocks

    def open_lines(
        self, width: int, palette: Palette, *, fold_long: bool = True, base: Style | None = None
    ) -> list[list[Spans]]:
        """The lines of what may still change; only read them."""
        blocks = self.open_blocks()
        key = (width, palette, fold_long)
        if self._open.blocks is blocks and self._open.drawn_as == key:
            return self._open.lines
        colours = copy(self._settled_colours(palette))
        drawn = _Drawn(width, palette, base, fold_long=fold_long)
        for index, block in enumerate(blocks):
            spans = colours.next(block)
            drawn.add(block, spans, is_first=index == 0 and not self.settled)
        if self._open.blocks is blocks:
            self._open.drawn_as, self._open.lines = key, drawn.blocks
        return drawn.blocks

    def _settled_colours(self, palette: Palette) -> "_Colours":
        if self._colours is None or self._colours.palette is not palette:
            self._colours = _Colours(palette)
        for index in range(self._colours.count, len(self.settled)):
            self._colours.keep(self.settled[index])
        return self._colours


class _Open(msgspec.Struct):
    """The open text from `offset` to `end`, as it was last cut and drawn."""

    offset: int = -1
    end: int = 0
    blocks: list[Block] = []
    drawn_as: tuple[int, Palette, bool] | None = None
    lines: list[list[Spans]] = []


class _Colours:
    """The colours of code lines, which do not depend on the width."""

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self.count = 0
        self._kept: dict[int, Spans] = {}
        self._highlighter: LineHighlighter | None = None

    def __copy__(self) -> "_Colours":
        twin = _Colours(self.palette)
        twin._highlighter = copy(self._highlighter)
        return twin

    def keep(self, block: Block) -> None:
        spans = self.next(block)
        if spans is not None:
            self._kept[self.count] = spans
        self.count += 1

    def of(self, index: int) -> Spans | None:
        return self._kept.get(index)

    def next(self, block: Block) -> Spans | None:
        """The next block's line of code in colours; None if it is not code."""
        if block.kind != "code":
            return None
        if block.opens_code or self._highlighter is None:
            self._highlighter = LineHighlighter(block.language, self.palette)
        return self._highlighter.line(clean_line(expand_tabs(block.source)))


class _Drawn:
    """Blocks drawn at one width."""

    def __init__(
        self, width: int, palette: Palette, base: Style | None, *, fold_long: bool
    ) -> None:
        self.palette = palette
        self.blocks: list[list[Spans]] = []
        self._width = width
        self._base = base or Style.null()
        self._renderer = Renderer(palette, fold_long=fold_long)

    def add(self, block: Block, code: Spans | None, *, is_first: bool | None = None) -> None:
        if is_first is None:
            is_first = not self.blocks
        lines: list[Spans] = [[]] if block.gap and not is_first else []
        if code is not None:
            lines += self._renderer.code_line(code, self._width, self._base)
        else:
            tokens = parse(block.source)
            if is_too_deep(tokens):
                lines += self._renderer.as_written(block.source, self._width, self._base)
            else:
                lines += self._renderer.blocks(tokens, self._width, self._base, number=block.number)
        self.blocks.append(lines)


def draw_markdown(
    text: str, width: int, palette: Palette, *, fold_long: bool = True, base: Style | None = None
) -> list[Spans]:
    """Finished markdown as lines."""
    stream = MarkdownStream()
    stream.update(text, complete=True)
    drawn = stream.lines(width, palette, fold_long=fold_long, base=base)
    return [line for block in drawn for line in block]
