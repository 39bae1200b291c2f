"""The text area: keys in, text out, drawn by us so that a key costs a millisecond.

Holds a `Buffer`, wraps it with `layout`, and paints itself in the same step as the key. Tall texts
scroll inside. A text that begins with `!` is a shell line: the mark takes the place of the prompt.
Up and Down at the edge of the text ask for history; what that means is the composer's business.
"""

from collections.abc import Callable
from typing import Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.terminal.display import DisplayApp
from tui.text.palette import TERMINAL, Palette
from tui.widgets.composer.buffer import Buffer
from tui.widgets.composer.layout import Line, column_of, lay_out, position_at, row_of
from tui.widgets.drawn import cut_text

PROMPT = "› "
SHELL_PROMPT = "! "
PREFIX_CELLS = 2


class EditorOwner(Protocol):
    """Who is told of changes in the same step as the key, so that fast keys keep their order."""

    def text_changed(self) -> None: ...

    def takes_key(self, event: events.Key) -> bool:
        """A key that means something else at the moment."""
        ...

    def edge_reached(self, step: int) -> None:
        """Up on the first row (-1), or Down on the last one (1)."""

    def pasted(self, text: str) -> None: ...

    def end_of_input(self) -> None:
        """Ctrl+D on an empty draft."""


class Editor(Widget, can_focus=True):
    """The draft being written."""

    KEY_CONTEXTS = ("editor",)

    def __init__(self, owner: EditorOwner, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._owner = owner
        self.buffer = Buffer()
        self.palette: Palette = TERMINAL
        self.placeholder = placeholder
        self.highlight: tuple[int, int] | None = None
        """A stretch of the text to point out, such as a match of the history search."""
        self.max_rows = 8
        self._top = 0
        self._wanted_column: int | None = None
        self._cache: tuple[str, int, list[Line]] | None = None

    @property
    def text(self) -> str:
        return self.buffer.text

    @property
    def is_shell_line(self) -> bool:
        return self.buffer.text.startswith("!")

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the terminal's cursor belongs."""
        x, y, _, _ = self.content_region
        row, column = self._cursor_cell()
        return Offset(x + PREFIX_CELLS + column, y + row - self._top)

    def set_text(self, text: str, cursor: int | None = None) -> None:
        self.buffer.set(text, cursor)
        self.changed()

    def changed(self) -> None:
        """The buffer was changed by somebody else: show it and tell."""
        self._show()
        self._owner.text_changed()

    # Drawing

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(self.max_rows, len(self._lines(width)))

    def rows_at(self, width: int) -> int:
        """How high the editor is at `width`."""
        return min(self.max_rows, len(self._lines(width)))

    def render_line(self, y: int) -> Strip:
        palette = self.palette
        width = self.size.width
        lines = self._lines(width)
        row = y + self._top
        if row >= len(lines):
            return Strip.blank(width)
        if self.is_shell_line:
            prefix = Segment(SHELL_PROMPT, palette.mode) if row == 0 else Segment("  ")
        else:
            prefix = Segment(PROMPT, palette.prompt) if row == 0 else Segment("  ")
        if not self.buffer.text:
            shown = cut_text(self.placeholder, max(0, width - PREFIX_CELLS - 1))
            return Strip([prefix, Segment(shown, palette.dim)]).adjust_cell_length(width)
        return Strip([prefix, *self._segments(lines[row])]).adjust_cell_length(width)

    def _segments(self, line: Line) -> list[Segment]:
        """The row's text, elements and highlights in their styles."""
        base = self._base
        start, end = line.start + base, line.end + base
        text = self.buffer.text
        marks = [(e.start, e.end, self.palette.accent) for e in self.buffer.elements]
        if self.highlight is not None:
            marks.append((*self.highlight, Style(reverse=True)))
        segments: list[Segment] = []
        position = start
        for mark_start, mark_end, style in sorted(marks, key=lambda mark: mark[0]):
            left, right = max(position, mark_start), min(end, mark_end)
            if left >= right:
                continue
            segments.append(Segment(_visible(text[position:left])))
            segments.append(Segment(_visible(text[left:right]), style))
            position = right
        segments.append(Segment(_visible(text[position:end])))
        return segments

    @property
    def _base(self) -> int:
        """How many characters at the start are not drawn as text."""
        return 1 if self.is_shell_line else 0

    def _lines(self, width: int) -> list[Line]:
        text = self.buffer.text[self._base :]
        if self._cache is None or self._cache[:2] != (text, width):
            self._cache = (text, width, lay_out(_visible(text), width - PREFIX_CELLS - 1))
        return self._cache[2]

    def _cursor_cell(self) -> tuple[int, int]:
        lines = self._lines(self.size.width)
        position = max(0, self.buffer.cursor - self._base)
        row = row_of(lines, position)
        return row, column_of(_visible(self.buffer.text[self._base :]), lines[row], position)

    def _show(self) -> None:
        """Paint the change at once; a change of height lays out the screen first."""
        if not self.is_mounted or not self.size.width:
            self.refresh(layout=True)
            return
        rows = min(self.max_rows, len(self._lines(self.size.width)))
        cursor_row, _ = self._cursor_cell()
        last_top = max(0, len(self._lines(self.size.width)) - rows)
        self._top = min(max(min(self._top, cursor_row), cursor_row - rows + 1), last_top)
        app = self.app
        if rows != self.size.height:
            self.refresh(layout=True)
            if isinstance(app, DisplayApp):
                app.lay_out_now()
        elif isinstance(app, DisplayApp):
            app.paint_now(self)
        else:
            self.refresh()

    def on_resize(self) -> None:
        self._show()

    # Keys

    def take_key(self, event: events.Key) -> bool:
        if self._owner.takes_key(event):
            return True
        character = event.character
        if not event.is_printable or character is None or event.key.startswith("alt+"):
            return False
        self._edit(lambda: self.buffer.insert(character))
        return True

    def take_paste(self, text: str) -> None:
        self._owner.pasted(text)

    def _edit(self, change: Callable[[], None]) -> None:
        before = self.buffer.text
        change()
        self._wanted_column = None
        self._show()
        if self.buffer.text != before:
            self._owner.text_changed()

    def action_newline(self) -> None:
        self._edit(lambda: self.buffer.insert("\n"))

    def action_left(self) -> None:
        self._edit(self.buffer.left)

    def action_right(self) -> None:
        self._edit(self.buffer.right)

    def action_word_left(self) -> None:
        self._edit(self.buffer.word_left)

    def action_word_right(self) -> None:
        self._edit(self.buffer.word_right)

    def action_line_start(self) -> None:
        self._edit(self.buffer.line_start)

    def action_line_end(self) -> None:
        self._edit(self.buffer.line_end)

    def action_backspace(self) -> None:
        self._edit(self.buffer.backspace)

    def action_delete(self) -> None:
        if not self.buffer.text:
            self._owner.end_of_input()
            return
        self._edit(self.buffer.delete)

    def action_delete_word_left(self) -> None:
        self._edit(self.buffer.delete_word_left)

    def action_delete_word_right(self) -> None:
        self._edit(self.buffer.delete_word_right)

    def action_kill_to_start(self) -> None:
        self._edit(self.buffer.kill_to_start)

    def action_kill_to_end(self) -> None:
        self._edit(self.buffer.kill_to_end)

    def action_yank(self) -> None:
        self._edit(self.buffer.yank)

    def action_undo(self) -> None:
        self._edit(self.buffer.undo)

    def action_up(self) -> None:
        self._move_rows(-1)

    def action_down(self) -> None:
        self._move_rows(1)

    def _move_rows(self, step: int) -> None:
        lines = self._lines(self.size.width)
        row, column = self._cursor_cell()
        if not 0 <= row + step < len(lines):
            self._owner.edge_reached(step)
            return
        wanted = column if self._wanted_column is None else self._wanted_column
        text = _visible(self.buffer.text[self._base :])
        position = position_at(text, lines, row + step, wanted) + self._base
        self.buffer.move_to_edge(position, towards="start" if step < 0 else "end")
        self._show()
        self._wanted_column = wanted


def _visible(text: str) -> str:
    """Control characters as one blank each, so that positions stay; line ends are kept."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else " " for c in text)
