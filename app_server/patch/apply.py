"""Checks a patch against the files, then makes its changes.

`verify` reads and computes and changes nothing. `apply_changes` writes; each file is replaced
atomically and keeps its mode, and no link planted after the check can lead a write elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app_server.patch.changes import FileChange
from app_server.patch.grammar import Patch


def verify(patch: Patch, cwd: Path) -> list[FileChange]:
    """What the patch will do, one change per file, in the order of the patch.

    Raises `PatchError` with the text the model is told (`verification_text`) when a file does not
    look as the patch expects.
    """
    raise NotImplementedError


def apply_changes(
    changes: list[FileChange], may_write: Callable[[Path], bool] | None = None
) -> None:
    """Make the changes, in order.

    `may_write` is asked with the real, link-free path of every file that is written or removed;
    None allows all. Raises `PatchWriteError`; changes made before it stay.
    """
    raise NotImplementedError
