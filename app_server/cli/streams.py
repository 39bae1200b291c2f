"""Standard output and error that take any text, whatever alphabet the locale names."""

import sys
from io import TextIOWrapper


def accept_any_text() -> None:
    """What the locale cannot write becomes a question mark instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
