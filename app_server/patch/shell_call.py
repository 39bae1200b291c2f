"""Recognises shell calls that only apply a patch, so that they need no process."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class ShellPatch(msgspec.Struct, frozen=True):
    """A patch found in a shell call."""

    text: str
    workdir: str | None
    """The folder of a leading `cd`, as written."""


def patch_in_command(argv: Sequence[str]) -> ShellPatch | None:
    """The patch, if the command is exactly a call of `apply_patch`.

    Either `apply_patch PATCH`, or a shell running a script that is nothing but a heredoc call of
    it, optionally after `cd FOLDER &&`.
    """
    raise NotImplementedError
