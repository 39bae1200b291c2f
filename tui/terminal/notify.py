"""Telling the user outside the window, and the window's title."""

from typing import Literal

from tui.terminal.clipboard import in_tmux

Method = Literal["auto", "osc9", "bel"]

BELL = "\x07"
_MAX_TITLE_CHARS = 120


def notification(text: str, method: Method, terminal_program: str) -> str:
    """The escape code for a desktop note, or a bell where the terminal knows none."""
    knows_osc9 = terminal_program in ("iTerm.app", "WezTerm", "ghostty", "kitty")
    if method == "bel" or (method == "auto" and not knows_osc9):
        return BELL
    return in_tmux(f"\x1b]9;{_one_line(text)}\x07")


def title(text: str) -> str:
    return f"\x1b]0;{_one_line(text)[:_MAX_TITLE_CHARS]}\x07"


def _one_line(text: str) -> str:
    """No control characters: they would end the escape code."""
    return "".join(character if character.isprintable() else " " for character in text)
