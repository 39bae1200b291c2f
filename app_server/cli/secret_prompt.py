"""Asks for a key on the terminal: each character typed or pasted shows as a dot.

The terminal is given back as it was, however the question ends.
"""

from __future__ import annotations

import os
import re
import sys

MOST_DOTS = 32
"""Keys are long, and a line that wraps cannot be drawn again in its place."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?")
"""What arrow keys and bracketed pastes send; it is part of no key."""


def read_secret(question: str) -> str:
    """What was typed up to Enter; empty for Ctrl+D. Raises KeyboardInterrupt for Ctrl+C."""
    import codecs
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    text, is_done = "", False
    try:
        tty.setcbreak(terminal)
        while not is_done:
            _show(question, text)
            arrived = os.read(terminal, 4096)
            text, is_done = after_keys(text, decoder.decode(arrived)) if arrived else (text, True)
        _show(question, text)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        print(file=sys.stderr)
    return text


def after_keys(text: str, keys: str) -> tuple[str, bool]:
    """The text after these keys, and whether the last of them ended it."""
    for key in _SEQUENCE.sub("", keys):
        match key:
            case "\r" | "\n":
                return text, True
            case "\x04":
                return "", True
            case "\x7f" | "\b":
                text = text[:-1]
            case "\x15" | "\x17":
                text = ""
            case _ if key.isprintable():
                text += key
    return text, False


def _show(question: str, text: str) -> None:
    more = f" ({len(text)} characters)" if len(text) > MOST_DOTS else ""
    dots = "•" * min(len(text), MOST_DOTS)
    print(f"\r\x1b[K{question}{dots}{more}", end="", file=sys.stderr, flush=True)
