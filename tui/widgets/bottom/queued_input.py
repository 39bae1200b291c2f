"""Messages that wait: those for the running turn, and those for later ones."""

from collections.abc import Sequence

from textual.strip import Strip

from tui.state.thread import PendingMessage, ThreadState
from tui.text.palette import Palette
from tui.widgets.drawn import BLANK, Drawn, cut, neutral, styled

SHOWN_EACH = 3


class QueuedInput(Drawn):
    """Nothing at all while nothing waits."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="queued-input")
        self._palette = palette
        self.display = False

    def show_waiting(self, thread: ThreadState | None, width: int) -> bool:
        """Returns whether the height has changed."""
        lines: list[Strip] = []
        if thread is not None and thread.steers:
            lines += self._block(
                "Goes to the agent after its next step (esc to interrupt and send now)",
                thread.steers,
                width,
            )
        if thread is not None and thread.queue:
            lines += self._block("Waits for the next turn (alt + ↑ to edit)", thread.queue, width)
        return self.show_lines(lines)

    def _block(self, title: str, messages: Sequence[PendingMessage], width: int) -> list[Strip]:
        palette = self._palette
        lines = [BLANK, cut(styled(("• ", palette.dim), (title, palette.dim)), width)]
        for message in messages[:SHOWN_EACH]:
            text = neutral(" ".join(message.text.split()))
            images = f" + {len(message.images)} image(s)" if message.images else ""
            lines.append(
                cut(styled(("  ↳ ", palette.dim), (text + images, palette.emphasis)), width)
            )
        if len(messages) > SHOWN_EACH:
            lines.append(styled((f"  … {len(messages) - SHOWN_EACH} more", palette.dim)))
        return lines
