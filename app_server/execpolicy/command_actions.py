"""What a command does, in the reader's terms: reads a file, lists files, searches, or something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app_server.protocol.item import CommandAction


def command_actions(argv: Sequence[str], cwd: Path) -> list[CommandAction]:
    """The actions of a call; a script that is not wholly understood is one `unknown`."""
    raise NotImplementedError


def display_command(argv: Sequence[str]) -> str:
    """The call as one line for a reader, without `bash -lc` around a script."""
    raise NotImplementedError
