"""From what a plugin asks for to what the backend is asked: a path mapped, and kept inside.

A path is first read the way browsers and most servers read it, where `..`, `%2e%2e` and a backslash
all climb, and must then still lie under the backend's prefix. What is sent is that reading, not
what came in, so that nobody behind us can read it another way. Pure.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from app_server.bridges.errors import failed
from app_server.bridges.settings import Bridge

ESCAPED = "Plugin backend bridge request escaped its configured backend path prefix."

SENT_AS_IT_IS = "!$%&'()*+,-./:;=@[\\]^_|~"
"""What may stand in a path unquoted; `%` is left alone, since it may already quote."""


def backend_path(bridge: Bridge, raw_path: str) -> str | None:
    """The backend's path for a local one; None if it is not under the local prefix."""
    if not raw_path.startswith(bridge.local_path_prefix):
        return None
    rest = raw_path[len(bridge.local_path_prefix) :]
    return f"{bridge.backend_path_prefix}{rest}"


def backend_url(base_url: str, path: str, query: str | None, bridge: Bridge) -> str:
    """The address to ask, its path as it was checked. Raises `BridgeRefusal`.

    `base_url` is the ChatGPT address of the settings, with or without `/backend-api`.
    """
    root = base_url.rstrip("/").removesuffix("/backend-api")
    try:
        parts = urlsplit(root)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise failed("chatgpt_base_url in the configuration is no http or https address.")
    resolved = resolved_path(f"{parts.path}/{path.lstrip('/')}")
    if not resolved.startswith(bridge.backend_path_prefix):
        raise failed(ESCAPED)
    address = f"{parts.scheme}://{parts.netloc}{resolved}"
    return address if query is None else f"{address}?{query}"


def resolved_path(path: str) -> str:
    """A path as a browser resolves it: no climbing segment is left, odd characters are quoted.

    It begins with a slash. `%2F` is none: that stays inside its segment.
    """
    path = re.sub(r"[\t\n\r]", "", path).partition("#")[0]
    segments: list[str] = []
    parts = re.split(r"[/\\]", path)[1:]
    for position, segment in enumerate(parts):
        is_last = position == len(parts) - 1
        spelled = segment.lower().replace("%2e", ".")
        if spelled == "..":
            del segments[-1:]
        elif spelled != ".":
            segments.append(quote(segment, safe=SENT_AS_IT_IS))
            continue
        if is_last:
            segments.append("")
    return "/" + "/".join(segments)
