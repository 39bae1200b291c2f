"""What the first paint draws, as text and as text with escape codes: card, placeholder, footer.

The same lines as the header cell, the composer and the footer draw later; a test compares them.
Standard library only: this is on the screen before anything heavy is imported.
"""

import os
from unicodedata import combining, east_asian_width

PLACEHOLDERS = (
    "Ask anything about this code, or say what to change",
    "Explain how this project hangs together",
    "Find a bug in @filename and mend it",
    "Write tests for @filename",
    "What changed in the last few commits?",
    "Make @filename easier to read",
)
UNKNOWN = "…"
"""Stands for the model until it is known."""
PROMPT = "› "
NARROWEST_BOX = 24
"""Below this there is no header."""


def header_lines(
    version: str, model: str, effort: str, cwd: str, columns: int, *, demo: bool = False
) -> list[tuple[str, str]]:
    """The opening card as (text, text with escape codes), one pair a row."""
    inner = columns - 4
    if columns < NARROWEST_BOX:
        return []
    model = visible(f"{model} {effort}" if effort else model)
    name = f">_ Codex in Python (v{version})"
    shown_name = f"\x1b[2m>_ \x1b[0m\x1b[1mCodex in Python\x1b[0m\x1b[2m (v{version})\x1b[0m"
    rows = [(name, shown_name), ("", "")]
    model_row = (f"model:     {model}", f"\x1b[2mmodel:     \x1b[0m{model}")
    hint = ("   /model to change", "\x1b[36m   /model\x1b[0m\x1b[2m to change\x1b[0m")
    if text_cells(model_row[0] + hint[0]) <= inner:
        model_row = (model_row[0] + hint[0], model_row[1] + hint[1])
    rows.append(model_row)
    folder = middle_cut(visible(home_relative(cwd)), max(4, inner - 11))
    rows.append((f"directory: {folder}", f"\x1b[2mdirectory: \x1b[0m{folder}"))
    if demo:
        label, text = "demo:      ", "scripted, no model"
        rows.append((label + text, f"\x1b[2m{label}\x1b[0m\x1b[33m{text}\x1b[0m"))
    if any(text_cells(text) > inner for text, _ in rows):
        return []
    widest = max(text_cells(text) for text, _ in rows)
    edge = "─" * (widest + 2)
    lines = [(f"╭{edge}╮", f"\x1b[2m╭{edge}╮\x1b[0m")]
    for text, shown in rows:
        blank = " " * (widest - text_cells(text))
        lines.append((f"│ {text}{blank} │", f"\x1b[2m│ \x1b[0m{shown}{blank}\x1b[2m │\x1b[0m"))
    return [*lines, (f"╰{edge}╯", f"\x1b[2m╰{edge}╯\x1b[0m")]


def footer_text(model: str, effort: str, cwd: str) -> str:
    """The footer as it is before anything is known of the session."""
    named = "" if model == UNKNOWN else f"{model} {effort}" if effort else model
    return " · ".join(visible(part) for part in (named, home_relative(cwd)) if part)


def visible(text: str) -> str:
    """`text` with a mark for everything that is no character to be seen.

    Names of folders and models are somebody else's: an escape code in them must not act.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else chr(0x2400 + ord(character))
        if character < " "
        else "�"
        for character in text
    )


def home_relative(path: str) -> str:
    """`path` with the home directory as `~`."""
    home = os.path.expanduser("~").rstrip("/")
    if home and path == home:
        return "~"
    return "~" + path[len(home) :] if home and path.startswith(home + "/") else path


def middle_cut(path: str, columns: int) -> str:
    """A path within `columns`, its middle left out rather than its ends."""
    if text_cells(path) <= columns:
        return path
    parts = path.split("/")
    for kept in range(len(parts) - 1, 0, -1):
        short = "/".join([parts[0], "…", *parts[-kept:]])
        if kept < len(parts) - 1 and text_cells(short) <= columns:
            return short
    cut = path
    while cut and text_cells(cut) > columns - 1:
        cut = cut[:-1]
    return cut + "…"


def text_cells(text: str) -> int:
    """How many columns `text` takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )
