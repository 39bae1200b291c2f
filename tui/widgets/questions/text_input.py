"""One line asked of the user, in a frame; secrets are shown as dots."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip

from tui.text.palette import TERMINAL, Palette
from tui.text.wrap import wrap
from tui.widgets.drawn import BLANK, Drawn, cut_text, styled
from tui.widgets.line_field import LineField

if TYPE_CHECKING:
    from tui.app import CodexApp
    from tui.screens.chat import ChatScreen


class TextInput(Drawn, can_focus=True):
    """Enter gives it, Esc goes back; an empty answer is asked again."""

    KEY_CONTEXTS = ("list",)

    app: "CodexApp"

    @dataclass
    class Given(Message):
        text: str | None

    def __init__(
        self,
        title: str,
        placeholder: str,
        *,
        secret: bool = False,
        check: Callable[[str], str] | None = None,
        clean: Callable[[str], str] = str.strip,
        palette: Palette = TERMINAL,
    ) -> None:
        """`clean` makes the answer of what was written, `check` says what is wrong with it."""
        super().__init__()
        self._title_text = title
        self._placeholder = placeholder
        self._check = check or self._empty
        self._clean = clean
        self._palette = palette
        self._field = LineField(secret=secret)
        self._problem = ""
        self._answer: asyncio.Future[str | None] | None = None

    def _empty(self, text: str) -> str:
        return "" if text else f"{self._title_text} cannot be empty"

    async def ask(self, chat: "ChatScreen") -> str | None:
        """Show this in the composer's place; the text, or None."""
        await chat.until_free()
        self._answer = asyncio.get_running_loop().create_future()
        chat.show_panel(self, keeps=True)
        try:
            return await self._answer
        finally:
            chat.close_panel()

    @property
    def cursor_screen_offset(self) -> Offset:
        region = self.content_region
        return Offset(region.x + 4 + self._field.visible(self._room)[1], region.y + 1)

    @property
    def _room(self) -> int:
        return max(1, self.app.size.width - 8)

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        palette, room = self._palette, self._room
        shown, _ = self._field.visible(room)
        value = (shown, palette.text) if shown else (self._placeholder, palette.dim)
        label = f" {self._title_text} "
        top = f"╭─{label}" + "─" * max(0, room + 1 - len(label)) + "╮"
        inside = cut_text(value[0], room)
        blank = (" " * (room - len(inside)), palette.text)
        lines = [
            styled(("  " + top, palette.dim)),
            styled(("  │ ", palette.dim), (inside, value[1]), blank, (" │", palette.dim)),
            styled(("  ╰" + "─" * (room + 2) + "╯", palette.dim)),
        ]
        if self._problem:
            words = [Segment(self._problem, palette.error)]
            lines += map(Strip, wrap(words, self.app.size.width - 1, first=[Segment("  ")]))
        lines += [BLANK, styled(("  enter to go on · esc to go back", palette.dim))]
        self.show_lines(lines)

    def take_key(self, event: events.Key) -> bool:
        if not self._field.take_key(event, self.app.keymap):
            return False
        self._problem = ""
        self.redraw()
        return True

    def take_paste(self, text: str) -> None:
        self._field.insert(text)
        self._problem = ""
        self.redraw()

    def action_accept(self) -> None:
        answer = self._clean(self._field.text)
        self._problem = self._check(answer)
        if self._problem:
            self.redraw()
        else:
            self._settle(answer)

    def action_cancel(self) -> None:
        self._settle(None)

    def action_move(self, step: int) -> None:
        """There is one line only."""

    def _settle(self, text: str | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(text)
