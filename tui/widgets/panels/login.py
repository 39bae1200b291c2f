"""A sign-in on its way: what to do elsewhere, how long it waits, and what went wrong.

Shows what it is told and asks by messages on a queue of wishes; whoever opened it reads these. The
address a browser ended at can be pasted. A code has its picture beside it
where both fit.
"""

import asyncio
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.strip import Strip

from app_server.client.sign_in import time_left
from tui.clock import Clock
from tui.keymap import Keymap
from tui.text.palette import TERMINAL, Palette
from tui.text.wrap import fold, wrap
from tui.widgets.drawn import BLANK, Drawn, cut, cut_text, neutral, styled
from tui.widgets.line_field import LineField

STARTING = "Starting…"
ROWS_AROUND = 4
"""Kept for a row of the conversation, a blank one above the panel, and the footer."""
PICTURE = Style.parse("#ffffff on #000000")  # whatever the palette: a camera reads it
GAP = 3
LEAST_TEXT = 30
"""Cells the words need beside a picture."""


class Wish(NamedTuple):
    """What the user wants done with the sign-in."""

    what: Literal["cancel", "restart", "copy", "open", "deliver"]
    text: str = ""


class Step(NamedTuple):
    """One thing to do or to know, in its style."""

    text: str
    style: Style
    indent: str = "  "
    is_address: bool = False
    """Broken anywhere rather than at words."""
    gap: bool = False
    """A blank row follows where there is room."""


class _Shape(NamedTuple):
    """How roomy the words are."""

    spaced: bool
    titled: bool
    whole_address: bool


_SHAPES = (
    _Shape(spaced=True, titled=True, whole_address=True),
    _Shape(spaced=False, titled=True, whole_address=True),
    _Shape(spaced=False, titled=False, whole_address=True),
    _Shape(spaced=False, titled=False, whole_address=False),
)
"""The first that fits is taken; an address that is cut can still be copied whole."""


class LoginPanel(Drawn, can_focus=True):
    """In the composer's place until the sign-in has ended."""

    KEY_CONTEXTS = ("login", "list")

    def __init__(
        self, title: str, clock: Clock, *, keymap: Keymap, palette: Palette = TERMINAL
    ) -> None:
        super().__init__()
        self._title_text = title
        self._clock = clock
        self._keymap = keymap
        self._palette = palette
        self._steps: tuple[Step, ...] = (Step(STARTING, palette.dim),)
        self._picture: tuple[str, ...] = ()
        self._field: LineField | None = None
        self._ends_at: float | None = None
        self._problem = ""
        self._has_failed = False
        self._cursor: tuple[int, int] | None = None
        self.wishes: asyncio.Queue[Wish] = asyncio.Queue()

    @property
    def cursor_screen_offset(self) -> Offset | None:
        if self._cursor is None:
            return None
        region = self.content_region
        return Offset(region.x + self._cursor[0], region.y + self._cursor[1])

    def on_mount(self) -> None:
        self.set_interval(1.0, self.redraw)
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    # What it is told

    def show_starting(self) -> None:
        self._show((Step(STARTING, self._palette.dim),))

    def show_browser(self, url: str, *, opened: bool, seconds: float) -> None:
        """A page to open; the address it ends at can be handed in."""
        palette = self._palette
        first = "Go on in your browser. If no page came up, open this address:"
        steps = (
            Step(first if opened else "Open this address in a browser:", palette.text),
            Step(url, palette.link, is_address=True, gap=True),
            Step("Is the browser on another machine? Paste the address it ends at:", palette.text),
        )
        self._show(steps, seconds=seconds, field=LineField())

    def show_code(self, url: str, code: str, picture: tuple[str, ...], *, seconds: float) -> None:
        """A code to type on a page, on any device."""
        palette, under = self._palette, "     "
        steps = (
            Step("1. Open this page, on any device:", palette.text),
            Step(url, palette.link, under, is_address=True, gap=True),
            Step("2. Sign in there, and type this code:", palette.text),
            Step(code, palette.strong, under, gap=True),
            Step("Give this code to nobody else.", palette.dim),
        )
        self._show(steps, seconds=seconds, picture=picture)

    def show_problem(self, problem: str) -> None:
        """Something that does not end the sign-in."""
        self._problem = problem
        self.redraw()

    def show_failed(self, problem: str) -> None:
        """It has ended without success."""
        self._show((Step(problem, self._palette.error),))
        self._has_failed = True
        self.redraw()

    def _show(
        self,
        steps: tuple[Step, ...],
        *,
        seconds: float | None = None,
        picture: tuple[str, ...] = (),
        field: LineField | None = None,
    ) -> None:
        self._steps, self._picture, self._field = steps, picture, field
        self._ends_at = None if seconds is None else self._clock.monotonic() + seconds
        self._problem, self._has_failed = "", False
        if self.is_mounted:
            self.redraw()

    # Drawing

    def redraw(self) -> None:
        width, height = self.app.size
        room = height - ROWS_AROUND
        self._cursor = None
        lines: list[Strip] = []
        for shape in _SHAPES:
            lines = self._words(width, shape)
            if len(lines) <= room:
                break
        lines = lines[-max(1, room) :]
        beside = self._beside(width)
        if beside and len(self._picture) + 2 <= room:
            lines = self._with_picture(self._words(beside, _SHAPES[0]), beside)
        self.show_lines(lines)

    def _beside(self, width: int) -> int:
        """How wide the words are with the picture beside them; 0 where both do not fit."""
        if not self._picture:
            return 0
        left = width - cell_len(self._picture[0]) - GAP - 2
        return left if left >= LEAST_TEXT else 0

    def _with_picture(self, words: list[Strip], column: int) -> list[Strip]:
        lines = []
        for number in range(max(len(words), len(self._picture))):
            line = words[number] if number < len(words) else BLANK
            if number < len(self._picture):
                line = line.adjust_cell_length(column + GAP)
                line = Strip([*line, Segment(self._picture[number], PICTURE)])
            lines.append(line)
        return lines

    def _words(self, width: int, shape: "_Shape") -> list[Strip]:
        palette = self._palette
        blank = [BLANK] if shape.spaced else []
        lines: list[Strip] = []
        is_address_cut = False
        if shape.titled:
            lines += [styled(("  " + self._title_text, palette.strong)), *blank]
        for step in self._steps:
            if not shape.titled and step.style is palette.dim:
                continue
            make = fold if step.is_address else wrap
            lead = [Segment(step.indent)]
            words = [Segment(neutral(step.text), step.style)]
            rows = make(words, width - 1, first=lead, rest=lead)
            drawn = [Strip(row) for row in rows]
            if step.is_address and not shape.whole_address and len(drawn) > 1:
                drawn = [cut(Strip([*lead, *words]), width - 1)]
                is_address_cut = True
            lines += drawn
            lines += blank if step.gap else []
        if self._field is not None:
            text, column = self._field.visible(max(4, width - 6))
            self._cursor = (4 + column, len(lines))
            lines += [styled(("  │ ", palette.accent), (text, palette.text)), *blank]
        if self._problem:
            said = [Segment(neutral(self._problem), palette.error)]
            lines += map(Strip, wrap(said, width - 1, first=[Segment("  ")]))
            lines += blank
        if lines[-1] is not BLANK:
            lines += blank
        return [*lines, self._hint(width, is_address_cut=is_address_cut)]

    def _hint(self, width: int, *, is_address_cut: bool) -> Strip:
        """As many of the keys as fit, the ones that matter most first."""
        if self._has_failed:
            parts = ["enter to try again", "esc for another way"]
        else:
            parts = ["esc to cancel"]
            if self._ends_at is not None:
                keys = self._keymap.shown
                left = time_left(self._ends_at - self._clock.monotonic())
                parts = [f"{left} left", *parts, f"{keys('login.copy')} copies the address"]
                parts.append(f"{keys('login.restart')} starts over")
                if is_address_cut:
                    parts = ["esc cancels", f"{keys('login.copy')} copies address"]
        while len(parts) > 1 and cell_len(" · ".join(parts)) + 3 > width:
            parts.pop()
        return styled(("  " + cut_text(" · ".join(parts), width - 2), self._palette.dim))

    # Keys

    def take_key(self, event: events.Key) -> bool:
        if self._keymap.action(self.KEY_CONTEXTS, event.key) is not None:
            return False
        if self._field is not None and self._field.take_key(event, self._keymap):
            self._problem = ""
            self.redraw()
            return True
        return False

    def take_paste(self, text: str) -> None:
        if self._field is not None:
            self._field.insert("".join(text.split()))
            self._problem = ""
            self.redraw()

    def action_accept(self) -> None:
        if self._has_failed:
            self.wishes.put_nowait(Wish("restart"))
        elif self._field is not None and self._field.text.strip():
            self.wishes.put_nowait(Wish("deliver", self._field.text))

    def action_cancel(self) -> None:
        self.wishes.put_nowait(Wish("cancel"))

    def action_restart(self) -> None:
        self.wishes.put_nowait(Wish("restart"))

    def action_copy(self) -> None:
        self.wishes.put_nowait(Wish("copy"))

    def action_open_page(self) -> None:
        self.wishes.put_nowait(Wish("open"))

    def action_move(self, step: int) -> None:
        """There is nothing to choose from."""
