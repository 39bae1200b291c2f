"""Finds the place of a chunk in a file although the two have drifted apart. Pure.

A pass compares exactly; then trailing white space is ignored, then white space on both sides, then
typographic dashes, quotes and spaces count as their plain forms. The first pass that finds
anything decides, and in it the first place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app_server.patch.errors import PatchMismatch
from app_server.patch.grammar import Chunk, Mark

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        **dict.fromkeys(
            "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
    }
)


def _as_written(line: str) -> str:
    return line


def _plain(line: str) -> str:
    return line.strip().translate(_PLAIN)


_PASSES: tuple[Callable[[str], str], ...] = (_as_written, str.rstrip, str.strip, _plain)


def find(lines: Sequence[str], wanted: Sequence[str], start: int, *, at_end: bool) -> int | None:
    """Where `wanted` stands in `lines` at or after `start`; with `at_end` only at the very end."""
    last = len(lines) - len(wanted)
    if last < start and not at_end:
        return None
    if last < 0:
        return None
    first = last if at_end else start
    for simplify in _PASSES:
        pattern = [simplify(line) for line in wanted]
        head = pattern[0] if pattern else None
        for place in range(first, last + 1):
            if head is not None and simplify(lines[place]) != head:
                continue
            if all(simplify(lines[place + offset]) == line for offset, line in enumerate(pattern)):
                return place
    return None


def patched(content: str, chunks: Sequence[Chunk], path: str) -> str:
    """The content after all chunks; raises `PatchMismatch` for one that has no place.

    The result ends in a newline. Context lines stay as they are in the file, and lines added to a
    file with Windows line ends get those too.
    """
    lines = content.split("\n")
    if lines[-1] == "":
        lines.pop()
    ending = "\r" if lines and all(line.endswith("\r") for line in lines) else ""
    replacements: list[tuple[int, int, list[str]]] = []
    cursor = 0
    for chunk in chunks:
        if chunk.context is not None:
            place = find(lines, [chunk.context], cursor, at_end=False)
            if place is None:
                raise PatchMismatch(f"Failed to find context '{chunk.context}' in {path}")
            cursor = place + 1
        old_lines = chunk.old_lines
        if not old_lines:
            at = len(lines) - 1 if lines and lines[-1] == "" else len(lines)
            replacements.append((at, 0, [line + ending for line in chunk.new_lines]))
            continue
        marked = list(chunk.lines)
        place = find(lines, old_lines, cursor, at_end=chunk.at_end_of_file)
        if place is None and old_lines[-1] == "":
            marked = _without_last_empty(marked)
            place = find(lines, old_lines[:-1], cursor, at_end=chunk.at_end_of_file)
        if place is None:
            shown = "\n".join(old_lines)
            raise PatchMismatch(f"Failed to find expected lines in {path}:\n{shown}")
        length = sum(mark != "+" for mark, _ in marked)
        found = lines[place : place + length]
        replacements.append((place, length, _rewritten(marked, found, ending)))
        cursor = place + length
    for at, length, new in sorted(replacements, key=lambda entry: entry[0], reverse=True):
        lines[at : at + length] = new
    return "\n".join(lines) + "\n" if lines else ""


def _rewritten(marked: list[tuple[Mark, str]], found: list[str], ending: str) -> list[str]:
    """The lines that replace `found`."""
    remaining = iter(found)
    result: list[str] = []
    for mark, text in marked:
        if mark == "+":
            result.append(text + ending)
        else:
            kept = next(remaining)
            if mark == " ":
                result.append(kept)
    return result


def _without_last_empty(marked: list[tuple[Mark, str]]) -> list[tuple[Mark, str]]:
    """The chunk without its last old line, which is empty, and without an empty last new one."""
    for position in range(len(marked) - 1, -1, -1):
        mark, _ = marked[position]
        if mark == "+":
            continue
        rest = marked[:position] + marked[position + 1 :]
        if mark == "-" and rest and rest[-1] == ("+", ""):
            rest.pop()
        return rest
    return marked
