"""One line asked of the user, in a frame; secrets are shown as dots."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Offset
from textual.message import Message

from tui.text.palette import TERMINAL, Palette
from tui.widgets.drawn import BLANK, Drawn, cut_text, neutral, styled

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


class TextInput(Drawn, can_focus=True):
    """Enter gives it, Esc goes back; an empty answer is asked again."""

    KEY_CONTEXTS = ("list",)

    @dataclass
    class Given(Message):
        text: str | None

    def __init__(
        self, title: str, placeholder: str, *, secret: bool = False, palette: Palette = TERMINAL
    ) -> None:
        super().__init__()
        self._title_text = title
        self._placeholder = placeholder
        self._secret = secret
        self._palette = palette
        self._text = ""
        self._problem = ""
        self._answer: asyncio.Future[str | None] | None = None

    async def ask(self, chat: "ChatScreen") -> str | None:
        """Show this in the composer's place; the text, or None."""
        self._answer = asyncio.get_running_loop().create_future()
        chat.show_panel(self)
        try:
            return await self._answer
        finally:
            chat.close_panel()

    @property
    def cursor_screen_offset(self) -> Offset:
        region = self.content_region
        return Offset(region.x + 4 + min(len(self._text), self._room), region.y + 1)

    @property
    def _room(self) -> int:
        return max(1, self.app.size.width - 8)

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        palette, room = self._palette, self._room
        shown = "•" * len(self._text) if self._secret else neutral(self._text)
        value = (shown[-room:], palette.text) if shown else (self._placeholder, palette.dim)
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
            lines.append(styled(("  " + self._problem, palette.error)))
        lines += [BLANK, styled(("  enter to go on · esc to go back", palette.dim))]
        self.show_lines(lines)

    def take_key(self, event: events.Key) -> bool:
        if event.key == "backspace":
            self._text = self._text[:-1]
        elif event.key == "ctrl+u":
            self._text = ""
        elif event.is_printable and event.character is not None:
            self._text += event.character
        else:
            return False
        self._problem = ""
        self.redraw()
        return True

    def take_paste(self, text: str) -> None:
        self._text += "".join(text.split())
        self._problem = ""
        self.redraw()

    def action_accept(self) -> None:
        if not self._text.strip():
            self._problem = f"{self._title_text} cannot be empty"
            self.redraw()
            return
        self._settle(self._text.strip())

    def action_cancel(self) -> None:
        self._settle(None)

    def action_move(self, step: int) -> None:
        """There is one line only."""

    def _settle(self, text: str | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(text)
