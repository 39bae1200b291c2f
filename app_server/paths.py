"""Where things live on disk: the home folder of Codex and paths made absolute."""

import os
from pathlib import Path


class CodexHomeMissing(Exception):
    """`CODEX_HOME` names a folder that is not there."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"CODEX_HOME is set to {path!r}, which is not an existing folder; "
            "create it or unset the variable"
        )


class InvalidPath(ValueError):
    """Text that can name no file."""

    def __init__(self, text: str) -> None:
        super().__init__(f"a path must not contain NUL characters: {text!r}")


def codex_home() -> Path:
    """The folder that holds settings, sign-in and threads.

    `$CODEX_HOME` when set, which must exist; otherwise `~/.codex`, made (0700) on first use.
    """
    named = os.environ.get("CODEX_HOME", "")
    if named:
        if not os.path.isdir(named):
            raise CodexHomeMissing(named)
        return Path(os.path.realpath(named))
    home = Path.home() / ".codex"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        pass  # a read-only home still serves in-memory threads; writers report it where it matters
    return home


def make_private_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, all 0700 whatever the umask. Raises `OSError`."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def absolute(path: str | Path, base: str | Path | None = None) -> Path:
    """`path` made absolute against `base` (or the working directory), `..` folded, links kept.

    Raises `InvalidPath`.
    """
    if "\0" in str(path):
        raise InvalidPath(str(path))
    return Path(os.path.normpath(os.path.join(base or os.getcwd(), os.path.expanduser(path))))
