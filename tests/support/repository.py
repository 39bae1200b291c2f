"""The least that makes a folder a repository."""

from pathlib import Path


def mark_repository(folder: Path) -> Path:
    """Lay a `.git` into the folder as git does; returns the folder."""
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return folder
