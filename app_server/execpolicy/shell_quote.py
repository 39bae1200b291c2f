"""Words → text a shell reads back as the same words, quoted only where they must be."""

from __future__ import annotations

from collections.abc import Sequence

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-./:@]_")


def shell_join(argv: Sequence[str]) -> str:
    """The argument list as one line a shell would read back, quoted only where needed."""
    return " ".join(shell_quote(word) for word in argv)


def shell_quote(word: str) -> str:
    """One argument, quoted if it must be, the way the original quotes.

    Single quotes where possible, double quotes around text with single quotes or backslashes; text
    that neither can hold is put together from both.
    """
    if not word:
        return "''"
    pieces: list[str] = []
    start = 0
    while start < len(word):
        end, quote = _quotable(word, start)
        text = word[start:end]
        if _BARE.issuperset(text):
            pieces.append(text)
        elif quote == "'":
            pieces.append(f"'{text}'")
        else:
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            pieces.append(f'"{escaped}"')
        start = end
    return "".join(pieces)


def _quotable(word: str, start: int) -> tuple[int, str]:
    """How far from `start` one kind of quotes reaches, and which."""
    single = double = True
    for position in range(start, len(word)):
        character = word[position]
        if character == "^":  # some interactive shells expand it unless it follows a quote
            single_here, double_here = position == start, False
        else:
            single_here = single and character not in "'\\"
            double_here = double and character not in "$`!"
        if not single_here and not double_here:
            return position, "'" if single else '"'
        single, double = single_here, double_here
    return len(word), "'" if single else '"'
