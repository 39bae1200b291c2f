"""Breaks lines to a width in terminal cells, never inside a grapheme.

`wrap` breaks at words and hangs the rest under the first line; `fold` breaks anywhere, for code
and output. With `fold_long=False` a word (or line) that does not fit is left whole, so that the
terminal wraps it and it can be copied as one: URLs and code in committed lines.
"""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.segment import Segment

from tui.text.spans import NOTHING, Spans, cut, cuts, fitting, joined, text_of, width_of

_PIECES = re.compile(r"\s+|\S+")
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]"
)
_CLINGS_TO_BEFORE = frozenset("、。，．・：；？！」』）】〉》〕］｝…—ーっッゃゅょャュョ々")
MINIMUM_CELLS = 4
"""Text is given at least this many cells, however deep it is indented."""


def wrap(
    spans: Sequence[Segment],
    width: int,
    *,
    first: Spans = NOTHING,
    rest: Spans | None = None,
    fold_long: bool = True,
) -> list[Spans]:
    """One logical line as lines of at most `width` cells, `first` and `rest` put before them.

    `rest` is `first` blanked out unless given. Spaces at a break are dropped.
    """
    if rest is None:
        rest = [Segment(" " * width_of(first))] if first else []
    text = text_of(spans)
    lead, hang = width_of(first), width_of(rest)
    if width - lead < MINIMUM_CELLS or width - hang < MINIMUM_CELLS:
        first, rest = _narrowed(first, width), _narrowed(rest, width)
        lead, hang = width_of(first), width_of(rest)
    rows = _ranges(text, max(1, width - lead), max(1, width - hang), fold_long=fold_long)
    return [
        joined([*(rest if index else first), *row]) for index, row in enumerate(cuts(spans, rows))
    ]


def fold(
    spans: Sequence[Segment],
    width: int,
    *,
    first: Spans = NOTHING,
    rest: Spans | None = None,
    fold_long: bool = True,
) -> list[Spans]:
    """One logical line broken anywhere; every blank is kept."""
    if rest is None:
        rest = [Segment(" " * width_of(first))] if first else []
    room = width - width_of(first)
    text = text_of(spans)
    if not fold_long or cell_len(text) <= room:
        return [joined([*first, *spans])]
    if room < MINIMUM_CELLS or width - width_of(rest) < MINIMUM_CELLS:
        first, rest = _narrowed(first, width), _narrowed(rest, width)
        room = width - width_of(first)
    rows = _even_ranges(text, max(1, room), max(1, width - width_of(rest)))
    return [
        joined([*(rest if index else first), *row]) for index, row in enumerate(cuts(spans, rows))
    ]


def _even_ranges(text: str, first: int, rest: int) -> Iterator[tuple[int, int]]:
    """Ranges of as many characters as fit, wherever that breaks."""
    at = 0
    room = first
    while at < len(text):
        taken = fitting(text[at : at + 4 * room], room) or 1
        yield at, at + taken
        at += taken
        room = rest


def _narrowed(prefix: Spans, width: int) -> Spans:
    """As much of a prefix as leaves room for text in a very narrow terminal."""
    return cut(prefix, 0, max(0, width - MINIMUM_CELLS))


def _ranges(text: str, first: int, rest: int, *, fold_long: bool) -> Iterator[tuple[int, int]]:
    """Start and end of each line in `text`."""
    room = first
    start = end = 0
    used = 0
    has_text = yielded = False
    for piece_start, piece_end in _pieces(text):
        piece = text[piece_start:piece_end]
        cells = cell_len(piece)
        blank = piece.isspace()
        if used + cells <= room:
            used += cells
            if not blank:
                end, has_text = piece_end, True
            continue
        if blank:
            used += cells
            continue
        if has_text:
            yield start, end
            yielded = True
            room, start, used, has_text = rest, piece_start, 0, False
        elif used and not has_text:
            start, used = piece_start, 0
        if cells <= room or not fold_long:
            used, end, has_text = cells, piece_end, True
            continue
        at, used = piece_start, cells
        while used > room:
            taken = fitting(text[at : min(piece_end, at + 4 * room)], room) or 1
            yield at, at + taken
            yielded = True
            used -= cell_len(text[at : at + taken])
            at += taken
            room = rest
        start, end, has_text = at, piece_end, at < piece_end
    if has_text:
        yield start, end
    elif not yielded:
        yield 0, 0


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Words and blanks; a line may break around each wide character, too."""
    for match in _PIECES.finditer(text):
        start, stop = match.span()
        word = match.group()
        if word.isascii() or _WIDE.search(word) is None:
            yield start, stop
            continue
        begin = start
        for index in range(start, stop):
            here = text[index]
            if index > begin and here not in _CLINGS_TO_BEFORE:
                wide_here = _WIDE.match(here) is not None
                wide_before = _WIDE.match(text[index - 1]) is not None
                if wide_here or wide_before:
                    yield begin, index
                    begin = index
        yield begin, stop
