"""Something long, full screen: the whole transcript, a diff, a command. Searchable.

Lines come from a function of the width, so that a resize draws them again; a transcript that grows
keeps the reader's place, or the end if they are there.
"""

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text.palette import Palette
from tui.widgets.drawn import Drawn, cut, cut_text, neutral, styled

Lines = Callable[[int], Sequence[Strip]]

HINTS = (
    "↑↓ pgup pgdn home end to scroll · / to search · n N · q to close",
    "↑↓ pgup pgdn · / n N search · q closes",
    "↑↓ · / search · q closes",
)
"""Widest first: the way out is to be seen on every terminal."""


class PagerBody(ScrollView, can_focus=True):
    """The lines, with matches of the search pointed out."""

    def __init__(self) -> None:
        super().__init__(id="pager-body")
        self.strips: Sequence[Strip] = ()
        self.query_text = ""

    def show_strips(self, strips: Sequence[Strip]) -> None:
        at_end = round(self.scroll_offset.y) >= self.max_scroll_y
        self.strips = strips
        self.virtual_size = Size(self.size.width, len(strips))
        if at_end:
            self.scroll_to(y=max(0, len(strips) - self.size.height), animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        row = y + round(self.scroll_offset.y)
        width = self.size.width
        if row >= len(self.strips):
            return Strip.blank(width)
        strip = self.strips[row]
        if self.query_text and self.query_text in strip.text.casefold():
            strip = _pointed_out(strip, self.query_text)
        return strip.adjust_cell_length(width)


class Pager(Screen[None]):
    """Closes with q, Esc, or the key that opened it."""

    KEY_CONTEXTS = ("pager",)
    AUTO_FOCUS = "#pager-body"

    def __init__(self, title: str, lines: Lines, palette: Palette, *, at_end: bool) -> None:
        super().__init__()
        self._title_text = title
        self._lines = lines
        self._palette = palette
        self._at_end = at_end
        self._typing_query: str | None = None
        self._found = -1

    def compose(self) -> ComposeResult:
        yield Drawn(id="pager-head")
        yield PagerBody()
        yield Drawn(id="pager-foot")

    @property
    def body(self) -> PagerBody:
        return self.query_one(PagerBody)

    def on_mount(self) -> None:
        self.call_after_refresh(self._open)

    def on_resize(self) -> None:
        self.update_lines()

    def update_lines(self) -> None:
        """Draw again: the width or what is shown has changed."""
        if not self.is_mounted:
            return
        self.body.show_strips(self._lines(self.app.size.width))
        self._show_frame()

    def _open(self) -> None:
        self.update_lines()
        if self._at_end:
            self.action_bottom()

    def _show_frame(self) -> None:
        palette, width = self._palette, self.app.size.width
        spaced = " ".join(self._title_text.upper())
        head = f"/ {spaced} " + "/ " * width
        self.query_one("#pager-head", Drawn).show_lines([styled((head[:width], palette.dim))])
        body = self.body
        rows = max(1, body.max_scroll_y)
        percent = 100 if not body.max_scroll_y else round(100 * body.scroll_offset.y / rows)
        mark = f" {percent}% "
        rule = "─" * max(0, width - len(mark) - 1) + mark + "─"
        if self._typing_query is not None:
            hint = f"  /{neutral(self._typing_query)}█  enter to find · esc to leave"
        else:
            fitting = (f"  {hint}" for hint in HINTS if cell_len(hint) + 2 <= width)
            hint = next(fitting, "  q closes")
        lines = [
            styled((cut_text(rule, width), palette.dim)),
            styled((cut_text(hint, width), palette.dim)),
        ]
        self.query_one("#pager-foot", Drawn).show_lines([cut(line, width) for line in lines])

    def take_key(self, event: events.Key) -> bool:
        """While a search is typed, keys are letters."""
        if self._typing_query is None:
            return False
        if event.key == "enter":
            query, self._typing_query = self._typing_query, None
            self.body.query_text = query.casefold()
            self._found = round(self.body.scroll_offset.y) - 1
            self.action_find(1)
        elif event.key in ("escape", "ctrl+c"):
            self._typing_query = None
            self.body.query_text = ""
        elif event.key == "backspace":
            self._typing_query = self._typing_query[:-1]
        elif event.is_printable and event.character is not None:
            self._typing_query += event.character
        self.body.refresh()
        self._show_frame()
        return True

    def action_scroll(self, step: int) -> None:
        self._scroll(step)

    def action_page(self, step: int) -> None:
        self._scroll(step * max(1, self.body.size.height - 1))

    def action_half(self, step: int) -> None:
        self._scroll(step * max(1, self.body.size.height // 2))

    def action_top(self) -> None:
        self._scroll(-self.body.max_scroll_y)

    def action_bottom(self) -> None:
        self._scroll(self.body.max_scroll_y)

    def action_search(self) -> None:
        self._typing_query = ""
        self._show_frame()

    def action_find(self, step: int) -> None:
        query, strips = self.body.query_text, self.body.strips
        if not query or not strips:
            return
        for offset in range(1, len(strips) + 1):
            row = (self._found + step * offset) % len(strips)
            if query in strips[row].text.casefold():
                self._found = row
                self.body.scroll_to(y=max(0, row - self.body.size.height // 3), animate=False)
                break
        self._show_frame()

    def action_close(self) -> None:
        self.dismiss()

    def _scroll(self, rows: int) -> None:
        self.body.scroll_to(y=self.body.scroll_offset.y + rows, animate=False)
        self.call_after_refresh(self._show_frame)


def _pointed_out(strip: Strip, query: str) -> Strip:
    """`strip` with the matches of `query` reversed; segments are cut where a match begins."""
    text = strip.text
    folded = text.casefold()
    marked = [False] * len(text)
    start = folded.find(query)
    while start >= 0 and len(folded) == len(text):
        marked[start : start + len(query)] = [True] * len(query)
        start = folded.find(query, start + len(query))
    segments: list[Segment] = []
    position = 0
    for segment in strip:
        run = 0
        while run < len(segment.text):
            is_marked = marked[position + run]
            end = run
            while end < len(segment.text) and marked[position + end] == is_marked:
                end += 1
            style = segment.style or Style.null()
            style = style + Style(reverse=True) if is_marked else style
            segments.append(Segment(segment.text[run:end], style))
            run = end
        position += len(segment.text)
    return Strip(segments)
