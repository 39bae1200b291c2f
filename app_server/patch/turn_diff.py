"""What a turn has changed so far, as one git-style diff against the state before the turn.

Only files touched by patches count. The first touch of a file remembers how it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app_server.patch.changes import FileChange


class TurnDiff:
    """Collects the changes of one turn."""

    def __init__(self, cwd: Path) -> None:
        raise NotImplementedError

    def before(self, changes: Sequence[FileChange]) -> None:
        """Remember how the files are that are about to change. Reads files."""
        raise NotImplementedError

    def text(self) -> str:
        """The diff as of now, "" when nothing differs. Reads the files as they are now."""
        raise NotImplementedError
