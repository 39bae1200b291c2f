"""Pictures on disk as data URLs for the model.

Only the bytes are looked at, never the file's name. Formats the service takes are passed on as
they are; others are refused with a sentence. Reading happens off the event loop.
"""

from __future__ import annotations

import base64
from pathlib import Path

from app_server.regular_files import os_reason, read_regular_file

MAX_IMAGE_BYTES = 20 * 1024 * 1024
"""The service refuses larger requests; a picture of this size is a mistake anyway."""

SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
)


class UnreadableImage(Exception):
    """The file cannot be read; the message is the system's reason."""


class UnsupportedImage(Exception):
    """The bytes are no picture we can pass on; the message says what they are."""


def data_url(path: Path) -> str:
    """The picture as a `data:` URL. Raises `UnreadableImage` or `UnsupportedImage`."""
    try:
        content = read_regular_file(path, MAX_IMAGE_BYTES + 1)
    except OSError as error:
        raise UnreadableImage(os_reason(error)) from error
    return data_url_of(content, path)


def data_url_of(content: bytes, path: Path) -> str:
    """The same for what was read already. Raises `UnsupportedImage`."""
    if len(content) > MAX_IMAGE_BYTES:
        raise UnsupportedImage(f"image larger than {MAX_IMAGE_BYTES // (1024 * 1024)} MiB")
    kind = mime_type(content)
    if kind is None:
        raise UnsupportedImage(f"unsupported image `{kind_by_name(path)}`")
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def mime_type(content: bytes) -> str | None:
    """The kind of picture by its first bytes; None when it is none we know."""
    for signature, offset, kind in SIGNATURES:
        if content[offset : offset + len(signature)] == signature:
            return kind
    return None


def kind_by_name(path: Path) -> str:
    """What the file's name claims to be, for messages."""
    import mimetypes  # reads the system's tables; 3 ms

    return mimetypes.guess_type(path.name)[0] or "unknown"
