"""What a patch did, in the words the model is given."""

from __future__ import annotations

from collections.abc import Sequence

from app_server.patch.changes import AddFile, DeleteFile, FileChange, UpdateFile


def summary_text(changes: Sequence[FileChange]) -> str:
    """The success text: added, modified and deleted files, a moved one under its new name."""
    added = [change.shown_path for change in changes if isinstance(change, AddFile)]
    modified = [
        change.shown_move_path or change.shown_path
        for change in changes
        if isinstance(change, UpdateFile)
    ]
    deleted = [change.shown_path for change in changes if isinstance(change, DeleteFile)]
    lines = ["Success. Updated the following files:"]
    for letter, paths in (("A", added), ("M", modified), ("D", deleted)):
        lines.extend(f"{letter} {path}" for path in paths)
    return "\n".join(lines) + "\n"
