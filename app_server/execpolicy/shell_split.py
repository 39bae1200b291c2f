"""Shell scripts → the simple commands in them, where the script is plain enough to be sure.

Plain means words, quoted strings and `&& || ; |` or line breaks between commands, nothing else.
Whatever needs a shell to understand makes the answer None: variables, substitutions, redirections,
escapes, braces, groups, background jobs, comments, assignments, reserved words. The reader is
small on purpose: it refuses what it does not know, so it can never see less than a shell runs.

File-name patterns (`*`, `?`, `[`) stay in words as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

SHELLS = frozenset({"bash", "zsh", "sh"})

Operator: TypeAlias = Literal["", "&&", "||", ";", "|"]
"""What stands in front of a command; "" for the first one."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set, for tables of names."""
    return frozenset(text.split())


_BLANK = " \t"
_REFUSED = frozenset("$`\\(){}<>&#!\r\0")
_REFUSED_IN_DOUBLE_QUOTES = frozenset("$`\\\0")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[[^\]]*\])?\+?=")
_RESERVED = word_set(
    "if then elif else fi for while until do done case esac select function time coproc in [[ ]]"
)
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-./:@]_")


class Part(msgspec.Struct, frozen=True):
    """One simple command of a script."""

    operator: Operator
    words: list[str]


def shell_script(argv: Sequence[str]) -> str | None:
    """The script of `bash|zsh|sh -lc|-c SCRIPT`; None for any other command."""
    if len(argv) != 3 or argv[1] not in ("-lc", "-c"):
        return None
    return argv[2] if argv[0].rsplit("/", 1)[-1] in SHELLS else None


def commands_of(argv: Sequence[str]) -> list[list[str]] | None:
    """The commands a call runs: itself, or the parts of its plain script; None if not plain."""
    script = shell_script(argv)
    if script is None:
        return [list(argv)] if argv else None
    return plain_commands(script)


def plain_commands(script: str) -> list[list[str]] | None:
    """The commands of a plain script in order; None when it is not plain."""
    parts = plain_parts(script)
    return None if parts is None else [part.words for part in parts]


def plain_parts(script: str) -> list[Part] | None:
    """The same with the operator in front of each command."""
    try:
        return _Reader(script).parts()
    except _NotPlain:
        return None


class _NotPlain(Exception):
    """The script needs a shell to be understood."""


class _Reader:
    def __init__(self, script: str) -> None:
        self.script = script.strip(_BLANK + "\n")
        self.at = 0

    def parts(self) -> list[Part]:
        parts: list[Part] = []
        operator: Operator = ""
        while True:
            words = self._words()
            if not words:
                raise _NotPlain
            parts.append(Part(operator, words))
            if self.at >= len(self.script):
                return parts
            operator = self._operator()
            if self.at >= len(self.script):
                if operator == ";":
                    return parts
                raise _NotPlain

    def _words(self) -> list[str]:
        words: list[str] = []
        while True:
            self._skip_blank()
            if self.at >= len(self.script) or self.script[self.at] in "&|;\n":
                return words
            words.append(self._word(is_first=not words))

    def _word(self, *, is_first: bool) -> str:
        start = self.at
        pieces: list[str] = []
        while self.at < len(self.script):
            character = self.script[self.at]
            if character in " \t\n;|&":
                break
            if character == "'":
                pieces.append(self._single_quoted())
            elif character == '"':
                pieces.append(self._double_quoted())
            elif character in _REFUSED:
                raise _NotPlain
            else:
                pieces.append(character)
                self.at += 1
        written = self.script[start : self.at]
        if is_first and (written in _RESERVED or _ASSIGNMENT.match(written)):
            raise _NotPlain
        return "".join(pieces)

    def _single_quoted(self) -> str:
        end = self.script.find("'", self.at + 1)
        if end < 0:
            raise _NotPlain
        text = self.script[self.at + 1 : end]
        self.at = end + 1
        return text

    def _double_quoted(self) -> str:
        end = self.script.find('"', self.at + 1)
        if end < 0:
            raise _NotPlain
        text = self.script[self.at + 1 : end]
        if not _REFUSED_IN_DOUBLE_QUOTES.isdisjoint(text):
            raise _NotPlain
        self.at = end + 1
        return text

    def _operator(self) -> Operator:
        for operator in _OPERATORS:
            if self.script.startswith(operator, self.at):
                self.at += len(operator)
                after = self.at
                self._skip_blank(line_breaks=True)
                if operator == "|" and self.script.startswith("&", after):
                    raise _NotPlain
                return operator
        if self.script[self.at] == "\n":
            self._skip_blank(line_breaks=True)
            return ";"
        raise _NotPlain

    def _skip_blank(self, *, line_breaks: bool = False) -> None:
        blank = _BLANK + "\n" if line_breaks else _BLANK
        while self.at < len(self.script) and self.script[self.at] in blank:
            self.at += 1


_OPERATORS: tuple[Operator, ...] = ("&&", "||", ";", "|")


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
