"""Whether any settings but a project's mention a key at all: a quick look before the real reading.

It may say yes where there is nothing to find, as in a comment, and never says no where there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app_server.regular_files import read_regular_file

SYSTEM_FOLDER = Path("/etc/codex")
"""As in `load`, which takes too long to import for a quick look."""


def is_mentioned(key: str, codex_home: Path, overrides: Iterable[tuple[str, Any]]) -> bool:
    """Reads files of the user's and the system's settings."""
    if any(name.split(".")[0].strip() == key for name, _ in overrides):
        return True
    files = (
        codex_home / "config.toml",
        SYSTEM_FOLDER / "config.toml",
        SYSTEM_FOLDER / "managed_config.toml",
    )
    return any(_has(path, key.encode()) for path in files)


def _has(path: Path, word: bytes) -> bool:
    try:
        content = read_regular_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # the real reading says what is wrong
    # a quoted key may spell the word with escapes
    return word in content or b"\\u" in content
