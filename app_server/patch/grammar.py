"""The patch language → hunks. Pure; knows no files.

    *** Begin Patch
    *** Add File: PATH          then lines beginning with +
    *** Delete File: PATH
    *** Update File: PATH       optionally *** Move to: PATH, then chunks
    @@ or @@ CONTEXT            then lines beginning with space, + or -, then maybe *** End of File
    *** End Patch

Models are forgiven white space around the patch and its header lines, a heredoc wrapper around the
whole, a missing first `@@`, blank lines between chunks and an empty line for an empty context line.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from app_server.patch.errors import PatchSyntaxError

BEGIN = "*** Begin Patch"
END = "*** End Patch"
ADD = "*** Add File: "
DELETE = "*** Delete File: "
UPDATE = "*** Update File: "
MOVE = "*** Move to: "
END_OF_FILE = "*** End of File"

Mark: TypeAlias = Literal[" ", "+", "-"]
_MARKS: dict[str, Mark] = {" ": " ", "+": "+", "-": "-"}


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a file: what is there and what will be."""

    context: str | None = None
    """A line to find first, from the `@@ ` header."""
    lines: tuple[tuple[Mark, str], ...] = ()
    at_end_of_file: bool = False

    @property
    def old_lines(self) -> list[str]:
        return [text for mark, text in self.lines if mark != "+"]

    @property
    def new_lines(self) -> list[str]:
        return [text for mark, text in self.lines if mark != "-"]


class AddHunk(msgspec.Struct, frozen=True):
    path: str
    content: str


class DeleteHunk(msgspec.Struct, frozen=True):
    path: str


class UpdateHunk(msgspec.Struct, frozen=True):
    path: str
    move_path: str | None
    chunks: tuple[Chunk, ...]


Hunk: TypeAlias = AddHunk | DeleteHunk | UpdateHunk


class Patch(msgspec.Struct, frozen=True):
    """A whole patch as written."""

    hunks: tuple[Hunk, ...]


def parse_patch(text: str) -> Patch:
    """Read a patch; raises `PatchSyntaxError` with the line where it stops making sense."""
    lines = _without_heredoc(_lines(text.strip()))
    if lines[0].strip() != BEGIN:
        raise PatchSyntaxError(f"The first line of the patch must be '{BEGIN}'")
    if lines[-1].strip() != END:
        raise PatchSyntaxError(f"The last line of the patch must be '{END}'")
    reader = _Reader(lines[1:-1])
    hunks: list[Hunk] = []
    while reader.more:
        hunks.append(reader.hunk())
    return Patch(tuple(hunks))


def _lines(text: str) -> list[str]:
    """Split at newlines only; a carriage return before one belongs to it."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def _without_heredoc(lines: list[str]) -> list[str]:
    wrapped = lines[0] in ("<<EOF", "<<'EOF'", '<<"EOF"') and lines[-1].endswith("EOF")
    return lines[1:-1] if wrapped and len(lines) >= 4 else lines


class _Reader:
    """Walks the lines between the first and the last one of a patch."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0

    @property
    def more(self) -> bool:
        return self.at < len(self.lines)

    @property
    def line_number(self) -> int:
        """Of the current line, in the whole patch and counted from 1."""
        return self.at + 2

    def hunk(self) -> Hunk:
        header = self.lines[self.at].strip()
        start = self.line_number
        if header.startswith(ADD):
            self.at += 1
            return AddHunk(header.removeprefix(ADD), self._added_text())
        if header.startswith(DELETE):
            self.at += 1
            return DeleteHunk(header.removeprefix(DELETE))
        if header.startswith(UPDATE):
            self.at += 1
            return self._update(header.removeprefix(UPDATE), start)
        raise PatchSyntaxError(
            f"'{header}' is not a valid hunk header. Valid hunk headers: '{ADD}{{path}}', "
            f"'{DELETE}{{path}}', '{UPDATE}{{path}}'",
            start,
        )

    def _added_text(self) -> str:
        first = self.at
        while self.more and self.lines[self.at].startswith("+"):
            self.at += 1
        return "".join(line[1:] + "\n" for line in self.lines[first : self.at])

    def _update(self, path: str, start: int) -> UpdateHunk:
        move_path = None
        if self.more and self.lines[self.at].startswith(MOVE):
            move_path = self.lines[self.at].removeprefix(MOVE).strip()
            self.at += 1
        chunks: list[Chunk] = []
        while self.more:
            line = self.lines[self.at]
            if not line.strip():
                self.at += 1
            elif line.startswith("***"):
                break
            else:
                chunks.append(self._chunk(is_first=not chunks))
        if not chunks:
            raise PatchSyntaxError(f"Update file hunk for path '{path}' is empty", start)
        return UpdateHunk(path, move_path, tuple(chunks))

    def _chunk(self, *, is_first: bool) -> Chunk:
        header = self.lines[self.at]
        context = None
        if header.rstrip() == "@@" or header.startswith("@@ "):
            context = header[3:] or None
            self.at += 1
        elif not is_first:
            raise PatchSyntaxError(
                f"Expected update hunk to start with a @@ context marker, got: '{header}'",
                self.line_number,
            )
        lines: list[tuple[Mark, str]] = []
        while self.more:
            line = self.lines[self.at]
            if line == END_OF_FILE and lines:
                self.at += 1
                return Chunk(context=context, lines=tuple(lines), at_end_of_file=True)
            mark = _MARKS.get(line[:1] or " ")
            if mark is not None:
                lines.append((mark, line[1:]))
                self.at += 1
                continue
            if lines:
                break
            if line.startswith("***"):
                raise PatchSyntaxError("Update hunk does not contain any lines", self.line_number)
            raise PatchSyntaxError(
                f"Unexpected line found in update hunk: '{line}'. Every line should start with "
                "' ' (context line), '+' (added line), or '-' (removed line)",
                self.line_number,
            )
        if not lines:
            raise PatchSyntaxError("Update hunk does not contain any lines", self.line_number)
        return Chunk(context=context, lines=tuple(lines))
