"""Markdown that is still arriving: which blocks are settled, and the lines of all of them.

Only the open rest is parsed again when text arrives, so that a stream costs in proportion to its
length. A block that stays open for long (a table of hundreds of rows) is looked at again only when
it has grown by a part of itself, for the same reason; what came since then waits until it has.
Text that comes at once is cut in the same way, so the lines are the same however it came. What a
block is: `markdown_blocks`.
"""

from copy import copy

import msgspec
from rich.style import Style

from tui.text.highlight import LineHighlighter
from tui.text.markdown import Renderer, is_too_deep, parse
from tui.text.markdown_blocks import Block, Fence, Scan, scan
from tui.text.palette import Palette
from tui.text.sanitize import clean_line, expand_tabs
from tui.text.spans import Spans

_KEPT_WIDTHS = 3
EAGER_CHARS = 2_000
"""An open block up to this size is drawn anew with whatever comes."""
GROWTH = 32
"""A larger one when it has grown by one part in so many."""


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
