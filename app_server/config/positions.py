"""Where in a TOML text a key or value stands; asked only after something was found wrong.

`tomllib` keeps no positions, so this walks a text it has accepted. It follows keys, tables, arrays
and inline tables, and skips over everything else.
"""

from __future__ import annotations

import re

from app_server.config.errors import Span
from app_server.config.kinds import Path_

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]*")
_ERROR_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def locate(text: str, path: Path_) -> Span | None:
    """The span of the value at `path`; for a table its header, for a missing key None.

    Where only a part of the path is found, the innermost part that is there.
    """
    found = _Walker(text).walk()
    for length in range(len(path), 0, -1):
        place = found.get(path[:length])
        if place is not None:
            return _span(text, *place)
    return None


def syntax_error(text: str, message: str) -> tuple[str, Span]:
    """`tomllib`'s message without its position, and the position."""
    match = _ERROR_PLACE.search(message)
    reason = message[: match.start()] if match else message
    reason = reason[:1].lower() + reason[1:]
    if match and match[1]:
        line, column = int(match[1]), int(match[2])
    else:
        line, column = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
    return reason, Span(line, column, line, column)


def _span(text: str, start: int, end: int) -> Span:
    def place(offset: int) -> tuple[int, int]:
        return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)

    return Span(*place(start), *place(max(start, end - 1)))


class _Walker:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path_, tuple[int, int]] = {}
        self.array_lengths: dict[Path_, int] = {}

    def walk(self) -> dict[Path_, tuple[int, int]]:
        table: Path_ = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return self.found
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path_:
        start = self.at
        is_array = self._peek("[[")
        self.at += 2 if is_array else 1
        names = self._key()
        self.at += 2 if is_array else 1
        path = self._through_arrays(names)
        if is_array:
            index = self.array_lengths.get(path, 0)
            self.array_lengths[path] = index + 1
            self.found.setdefault(path, (start, self.at))
            path = (*path, index)
        self.found[path] = (start, self.at)
        for length in range(1, len(path)):
            self.found.setdefault(path[:length], (start, self.at))
        return path

    def _through_arrays(self, names: Path_) -> Path_:
        """A header's path, where an array of tables means its last entry."""
        path: Path_ = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if position < len(names) - 1 and path in self.array_lengths:
                path = (*path, self.array_lengths[path] - 1)
        return path

    def _pair(self, table: Path_) -> None:
        start = self.at
        path = (*table, *self._key())
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)
        for length in range(len(table) + 1, len(path)):
            self.found.setdefault(path[:length], (start, self.at))

    def _key(self) -> Path_:
        names: list[str] = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                start = self.at
                self._string()
                names.append(self._unquoted(self.text[start : self.at]))
            else:
                bare = _BARE.match(self.text, self.at)
                if bare is None:
                    raise ValueError(f"no key at offset {self.at}")
                names.append(bare[0])
                self.at = bare.end()
            self._skip(_SPACE)
            if not self._peek("."):
                return tuple(names)
            self.at += 1

    def _unquoted(self, quoted: str) -> str:
        import tomllib

        return str(tomllib.loads(f"key = {quoted}")["key"])

    def _value(self, path: Path_) -> None:
        start = self.at
        if self._peek('"') or self._peek("'"):
            self._string()
        elif self._peek("["):
            self._array(path)
        elif self._peek("{"):
            self._inline_table(path)
        else:
            plain = _PLAIN_VALUE.match(self.text, self.at)
            assert plain is not None  # the pattern matches nothing at least
            self.at += len(plain[0].rstrip())
        self.found[path] = (start, self.at)

    def _array(self, path: Path_) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self._peek("]"):
                break
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            if self._peek(","):
                self.at += 1
        self.at += 1

    def _inline_table(self, path: Path_) -> None:
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self._peek("}"):
                break
            self._pair(path)
            self._skip(_BLANK)
            if self._peek(","):
                self.at += 1
        self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        triple = quote * 3
        delimiter = triple if self._peek(triple) else quote
        self.at += len(delimiter)
        while not self._peek(delimiter):
            self.at += 2 if quote == '"' and self._peek("\\") else 1
        self.at += len(delimiter)
        while len(delimiter) == 3 and self._peek(quote):
            self.at += 1

    def _peek(self, expected: str) -> bool:
        return self.text.startswith(expected, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
