"""What runs, for how long, and how to stop it: rows while a turn runs, none otherwise."""

from textual.strip import Strip

from tui.state.model import AppState
from tui.state.select import running_terminals, status_line
from tui.text.palette import Palette
from tui.widgets.drawn import BLANK, Drawn, cut, neutral, styled

BULLETS = "•◦"
"""In turns, so that one sees that something runs."""
TURN_SECONDS = 0.5


class StatusLine(Drawn):
    """Fed by the chat screen; it ticks only while something runs."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="status-line")
        self._palette = palette
        self.display = False

    def show_status(self, state: AppState, at: float, width: int) -> bool:
        """Returns whether the height has changed."""
        return self.show_lines(self._draw(state, at, width))

    def _draw(self, state: AppState, at: float, width: int) -> list[Strip]:
        palette = self._palette
        thread = state.thread
        if state.connection.status == "lost":
            return []
        if state.connection.status == "again":
            text = f"◦ The connection was lost; trying again ({state.connection.attempt})"
            return [BLANK, styled((text, palette.dim))]
        place = state.account.looked_for_in
        if place and (thread is None or not thread.running):
            said = f"◦ Looking for your sign-in in {place}; you can type meanwhile"
            return [BLANK, cut(styled((said, palette.dim)), width)]
        if thread is None:
            if state.waiting:
                return [
                    BLANK,
                    styled(("◦ Starting; your message is sent in a moment", palette.dim)),
                ]
            return []
        if thread.status is None and not thread.starting:
            return []
        if thread.questions:
            return []
        bullet = BULLETS[int(at / TURN_SECONDS) % len(BULLETS)]
        if thread.status is None:
            return [BLANK, styled((bullet, palette.running), (" Sending", palette.running))]
        header, rest = status_line(thread.status, at)
        terminals = len(running_terminals(thread))
        if terminals:
            plural = "s" if terminals > 1 else ""
            rest += f" · {terminals} background terminal{plural} running · /ps"
        lines = [
            BLANK,
            cut(
                styled(
                    (bullet + " ", palette.running),
                    (neutral(header), palette.running),
                    (" " + rest, palette.dim),
                ),
                width,
            ),
        ]
        if thread.status.details:
            first = thread.status.details.strip().partition("\n")[0]
            lines.append(cut(styled(("  └ " + neutral(first), palette.dim)), width))
        return lines
