"""Output of commands as styled lines: colours are kept, everything else a terminal obeys is not.

SGR sequences become styles. Cursor movement, erasing, titles, bells and every other sequence are
removed. A carriage return starts the line over, as a terminal would, so a progress bar shows its
last state; backspace takes a character back. Bytes that are not text arrive here as U+FFFD.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui.text.sanitize import TAB_CELLS, clean_line
from tui.text.spans import Spans, cut, text_of

_SEQUENCE = re.compile(
    "\x1b\\[([0-9;:?<=>]*)[ -/]*([@-~])"  # CSI
    "|\x9b([0-9;:?<=>]*)[ -/]*([@-~])"  # CSI in one byte
    "|\x1b[\\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|$)"  # OSC, DCS, SOS, PM, APC
    "|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|$)"
    "|\x1b\\[[0-9;:?<=>]*[ -/]*$"  # CSI cut off in the middle
    "|\x1b[ -/]+[0-~]|\x1b[0-~]"  # two-byte and character-set sequences
)
_PLAIN = re.compile("[^\x00-\x1f\x7f-\x9f]*")

_BASIC = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def plain_output(text: str) -> str:
    """The output without any sequence, lines as a terminal would leave them."""
    return "\n".join(text_of(row) for row in ansi_lines(text))


def ansi_lines(text: str) -> list[Spans]:
    """The lines of some output; a last empty line is dropped."""
    rows: list[Spans] = []
    style: Style | None = None
    for raw in text.replace("\r\n", "\n").split("\n"):
        row, style = _line(raw, style)
        rows.append(row)
    if len(rows) > 1 and not text_of(rows[-1]):
        rows.pop()
    return rows


def _line(raw: str, style: Style | None) -> tuple[Spans, Style | None]:
    """One line; the style goes on into the next."""
    if _PLAIN.fullmatch(raw):
        return [Segment(clean_line(raw), style)], style
    row = _Row()
    for kind, value in _parts(raw):
        match kind:
            case "sgr":
                style = _after(style, value)
            case "return":
                row.column = 0
            case "back":
                row.column = max(0, row.column - 1)
            case "tab":
                row.put(" " * (TAB_CELLS - row.cells() % TAB_CELLS), style)
            case _:
                row.put(clean_line(value), style)
    return row.spans, style


class _Row:
    """A line that is written from the left and sometimes over itself."""

    def __init__(self) -> None:
        self.spans: Spans = []
        self.column = 0
        """In characters; a carriage return sets it back."""
        self._length = 0

    def put(self, text: str, style: Style | None) -> None:
        """Write over what is there, from the column on."""
        end = self.column + len(text)
        piece = Segment(text, style)
        if self.column >= self._length:
            self.spans.append(piece)
        else:
            before = cut(self.spans, 0, self.column)
            self.spans = [*before, piece, *cut(self.spans, end, self._length)]
        self.column = end
        self._length = max(self._length, end)

    def cells(self) -> int:
        return cell_len(text_of(cut(self.spans, 0, self.column)))


def _parts(raw: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(raw):
        plain = _PLAIN.match(raw, at)
        if plain and plain.end() > at:
            yield "text", plain.group()
            at = plain.end()
            continue
        sequence = _SEQUENCE.match(raw, at)
        if sequence:
            final = sequence.group(2) or sequence.group(4)
            arguments = sequence.group(1) or sequence.group(3) or ""
            if final == "m" and not arguments.startswith(("?", ">", "<", "=")):
                yield "sgr", arguments
            at = sequence.end()
            continue
        here = raw[at]
        if here == "\r":
            yield "return", ""
        elif here == "\b":
            yield "back", ""
        elif here == "\t":
            yield "tab", ""
        at += 1


@lru_cache(maxsize=1024)
def _after(style: Style | None, arguments: str) -> Style | None:
    """The style after an SGR sequence."""
    codes = [int(code) if code.isdigit() else 0 for code in re.split("[;:]", arguments)] or [0]
    current = style or Style.null()
    index = 0
    while index < len(codes):
        code = codes[index]
        if code == 0:
            current = Style.null()
        elif code in (38, 48):
            colour, used = _extended(codes[index + 1 :])
            index += used
            if colour is not None:
                current += Style(color=colour) if code == 38 else Style(bgcolor=colour)
        else:
            current += _simple(code)
        index += 1
    return current or None


def _extended(codes: list[int]) -> tuple[Color | None, int]:
    if len(codes) >= 2 and codes[0] == 5:
        return Color.from_ansi(min(codes[1], 255)), 2
    if len(codes) >= 4 and codes[0] == 2:
        red, green, blue = (min(value, 255) for value in codes[1:4])
        return Color.from_rgb(red, green, blue), 4
    return None, len(codes)


@lru_cache(maxsize=128)
def _simple(code: int) -> Style:
    if 30 <= code <= 37:
        return Style(color=_BASIC[code - 30])
    if 40 <= code <= 47:
        return Style(bgcolor=_BASIC[code - 40])
    if 90 <= code <= 97:
        return Style(color=f"bright_{_BASIC[code - 90]}")
    if 100 <= code <= 107:
        return Style(bgcolor=f"bright_{_BASIC[code - 100]}")
    match code:
        case 1:
            return Style(bold=True)
        case 2:
            return Style(dim=True)
        case 3:
            return Style(italic=True)
        case 4 | 21:
            return Style(underline=True)
        case 7:
            return Style(reverse=True)
        case 9:
            return Style(strike=True)
        case 22:
            return Style(bold=False, dim=False)
        case 23:
            return Style(italic=False)
        case 24:
            return Style(underline=False)
        case 27:
            return Style(reverse=False)
        case 29:
            return Style(strike=False)
        case 39:
            return Style(color="default")
        case 49:
            return Style(bgcolor="default")
        case _:
            return Style.null()
