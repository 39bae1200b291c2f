"""An argument list as one line a person can read and a shell can run."""

from __future__ import annotations

import re
from collections.abc import Sequence

PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+\Z")


def shell_join(argv: Sequence[str]) -> str:
    """The words quoted where they need it: single quotes, or double ones around single quotes."""
    return " ".join(_quoted(word) for word in argv)


def _quoted(word: str) -> str:
    if PLAIN.match(word):
        return word
    if "'" not in word:
        return f"'{word}'"
    if "!" not in word:
        return '"' + re.sub(r'([$`"\\])', r"\\\1", word) + '"'
    return "'" + word.replace("'", "'\"'\"'") + "'"
