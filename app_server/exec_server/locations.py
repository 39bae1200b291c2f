"""Places on this machine as clients name them: absolute paths, or `file://` URIs since 0.169."""

from __future__ import annotations

import os

URI_PREFIX = "file://"


def local_path(text: str) -> str | None:
    """The absolute path meant; None if it is none."""
    if text.startswith(URI_PREFIX):
        from urllib.parse import unquote

        text = unquote(text.removeprefix(URI_PREFIX))
    return text if os.path.isabs(text) else None


def uri(path: str) -> str:
    """The URI of an absolute path."""
    from urllib.parse import quote

    return URI_PREFIX + quote(os.fsencode(path))
