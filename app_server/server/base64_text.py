"""Base64 from clients, with complaints in the original's words."""

from __future__ import annotations

import base64
import binascii
import re

_OTHER = re.compile(rb"[^A-Za-z0-9+/=]")


def decode_base64(text: str) -> bytes:
    """Raises `ValueError` saying what is wrong and where."""
    encoded = text.encode("utf-8", "replace")
    other = _OTHER.search(encoded)
    if other is not None:
        raise ValueError(f"Invalid symbol {other[0][0]}, offset {other.start()}.")
    if len(encoded) % 4 == 1:
        raise ValueError(f"Invalid input length: {len(encoded)}")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("Invalid padding") from None


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
