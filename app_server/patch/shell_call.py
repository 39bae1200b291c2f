"""Recognises shell calls that only apply a patch, so that they need no process."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_SHELLS = ("bash", "zsh", "sh")
_COMMANDS = ("apply_patch", "applypatch")

_HEREDOC_CALL = re.compile(
    r"""\s*
    (?:cd[ \t]+(?P<folder>'[^']+'|"[^"$`\\]+"|[^\s'"$`\\;&|<>(){}*?\[\]~\#!]+)[ \t]*&&[ \t]*)?
    (?:apply_patch|applypatch)[ \t]*
    <<[ \t]*(?P<quote>['"]?)(?P<mark>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)[ \t]*\n
    (?P<text>.*?)
    \n(?P=mark)[ \t]*\s*""",
    re.DOTALL | re.VERBOSE,
)


class ShellPatch(msgspec.Struct, frozen=True):
    """A patch found in a shell call."""

    text: str
    workdir: str | None
    """The folder of a leading `cd`, as written."""


def patch_in_command(argv: Sequence[str]) -> ShellPatch | None:
    """The patch, if the command is exactly a call of `apply_patch`.

    Either `apply_patch PATCH`, or a shell running a script that is nothing but a heredoc call of
    it, optionally after `cd FOLDER &&`. A heredoc whose mark is not quoted counts only if a shell
    would leave its text alone.
    """
    if len(argv) == 2 and argv[0] in _COMMANDS:
        return ShellPatch(argv[1], None)
    if len(argv) != 3 or argv[0].rsplit("/", 1)[-1] not in _SHELLS or argv[1] not in ("-lc", "-c"):
        return None
    match = _HEREDOC_CALL.fullmatch(argv[2])
    if match is None:
        return None
    text = match["text"]
    if f"\n{match['mark']}\n" in f"\n{text}\n":
        return None  # the heredoc ends before the script does
    if not match["quote"] and any(character in text for character in "$`\\"):
        return None
    folder = match["folder"]
    if folder is not None and folder[0] in "'\"":
        folder = folder[1:-1]
    return ShellPatch(text, folder)
