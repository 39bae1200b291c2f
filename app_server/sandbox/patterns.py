"""Which files a pattern means now: `*` and `?` within a name, `**` across folders.

Links are not followed, and a folder that matches is not looked into. A search that grows out of
hand is refused rather than cut short, since what it has not seen would stay readable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from app_server.sandbox.errors import SandboxUnavailable

MOST_ENTRIES = 200_000
"""About a second of looking."""
_WILD = frozenset("*?[")


def matches(pattern: str, depth: int | None = None) -> Iterator[str]:
    """The existing paths an absolute pattern means, in so many levels below its fixed part."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    fixed = 0
    while fixed < len(parts) and _WILD.isdisjoint(parts[fixed]):
        fixed += 1
    start = "/" + "/".join(parts[:fixed])
    if fixed == len(parts):
        if os.path.lexists(start):
            yield start
        return
    wanted = re.compile(_expression(parts[fixed:]), re.DOTALL)
    waiting, seen = [(start, "", 1)], 0
    while waiting:
        folder, below, level = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue  # a command has our rights at most
        seen += len(entries)
        if seen > MOST_ENTRIES:
            raise SandboxUnavailable(
                f"looking for {pattern} passed {MOST_ENTRIES} files",
                "Set glob_scan_max_depth, or name a narrower pattern.",
            )
        for entry in entries:
            name = below + entry.name
            if wanted.fullmatch(name):
                yield entry.path
            elif entry.is_dir(follow_symlinks=False) and (depth is None or level < depth):
                waiting.append((entry.path, name + "/", level + 1))


def covers(pattern: str, path: str) -> bool:
    """Whether an absolute pattern means this path, or a folder it lies in."""
    wanted = re.compile(_expression([part for part in pattern.split("/") if part]), re.DOTALL)
    names = path.strip("/").split("/")
    return any(wanted.fullmatch("/".join(names[:end])) for end in range(1, len(names) + 1))


def _expression(parts: list[str]) -> str:
    """Of what may follow the fixed part."""
    pieces = []
    for position, part in enumerate(parts):
        is_last = position == len(parts) - 1
        if part == "**":
            pieces.append(".+" if is_last else "(?:[^/]+/)*")
        else:
            pieces.append(_name(part) + ("" if is_last else "/"))
    return "".join(pieces)


def _name(part: str) -> str:
    said, position = "", 0
    while position < len(part):
        letter = part[position]
        end = part.find("]", position + 2) if letter == "[" else -1
        if end > 0:
            chosen = part[position + 1 : end].replace("\\", r"\\")
            said += f"[{'^' + chosen[1:] if chosen[0] in '!^' else chosen}]"
            position = end
        else:
            said += {"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter))
        position += 1
    return said
