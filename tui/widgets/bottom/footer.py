"""The last row: what will answer, where, with how much room; or the hint that matters now."""

from textual.geometry import Size
from textual.strip import Strip

from tui.state.model import AppState
from tui.state.select import (
    context_left_percent,
    footer_items,
    mode_label,
    running_terminals,
)
from tui.text.palette import Palette
from tui.widgets.drawn import BLANK, Drawn, cut, cut_text, elide_middle, neutral, styled

SHORTCUTS = (
    ("/", "commands"),
    ("!", "run a shell line"),
    ("@", "file names"),
    ("shift + enter, ctrl + j", "new line"),
    ("tab", "send after the turn"),
    ("ctrl + r", "earlier messages"),
    ("ctrl + g", "external editor"),
    ("ctrl + v", "paste a picture"),
    ("esc esc", "edit a previous message"),
    ("ctrl + t", "whole transcript"),
    ("alt + , / alt + .", "less, more reasoning"),
    ("ctrl + c", "interrupt, clear, quit"),
)


ROWS_ABOVE = 3
"""Kept for the composer."""


class Footer(Drawn):
    """Hints go before facts; both are cut, never wrapped."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="footer")
        self._palette = palette
        self.hint = ""
        """Something to say instead of the facts, such as how to quit."""
        self.has_draft = False
        self.is_shell_line = False
        self.shows_shortcuts = False

    def show_facts(self, state: AppState, size: Size, fallback: str = "") -> bool:
        """`fallback` stands where nothing is known yet. Returns whether the height changed."""
        width, height = size
        if self.shows_shortcuts:
            lines = self._shortcuts(width)
            room = max(2, height - ROWS_ABOVE)
            if len(lines) > room:
                more = styled(("  … /help shows all of them", self._palette.dim))
                lines = [*lines[: room - 1], cut(more, width)]
            return self.show_lines(lines)
        return self.show_lines([BLANK, self._line(state, width, fallback)])

    def _line(self, state: AppState, width: int, fallback: str) -> Strip:
        palette = self._palette
        room = max(0, width - 3)
        if self.hint:
            return styled(("  " + cut_text(self.hint, room), palette.dim))
        thread = state.thread
        right, right_style = mode_label(state), palette.mode
        if self.is_shell_line:
            right, right_style = "Shell mode", palette.mode
        if thread is not None and thread.running and self.has_draft:
            left_percent = context_left_percent(thread)
            left = "enter to steer · tab to queue"
            if not right and left_percent is not None:
                right, right_style = f"{left_percent}% context left", palette.dim
        else:
            behind = len(running_terminals(thread)) if thread is not None else 0
            if behind and not right:
                right, right_style = f"{behind} in background · /ps", palette.dim
            left_room = room - len(right) - 2 if right else room
            left = _fitted([neutral(item) for item in footer_items(state)], left_room)
            left = left or neutral(fallback)
        left = cut_text(left, room)
        gap = room - len(left) - len(right)
        if not right or gap < 2:
            return styled(("  " + left, palette.dim))
        return styled(("  " + left, palette.dim), (" " * gap, palette.text), (right, right_style))

    def _shortcuts(self, width: int) -> list[Strip]:
        palette = self._palette
        columns = 2 if width >= 76 else 1
        column = (width - 2) // columns
        lines = [BLANK]
        for start in range(0, len(SHORTCUTS), columns):
            parts = [("  ", palette.text)]
            for key, what in SHORTCUTS[start : start + columns]:
                parts += [
                    (key, palette.key),
                    (f" {what}".ljust(max(1, column - len(key))), palette.dim),
                ]
            lines.append(styled(*parts).crop(0, width))
        return lines


def _fitted(items: list[str], width: int) -> str:
    """The items in a row; a word nobody misses, then the longest, a path as a rule, gives way."""
    text = " · ".join(items)
    if len(text) <= width or not items:
        return text
    items = [item.replace("% context left", "% left") for item in items]
    text = " · ".join(items)
    if len(text) <= width:
        return text
    longest = max(range(len(items)), key=lambda position: len(items[position]))
    room = width - (len(text) - len(items[longest]))
    if room >= 8:
        items = [*items]
        items[longest] = elide_middle(items[longest], room)
    return " · ".join(items)
