"""The one form in which a thread's id is compared and kept."""

from __future__ import annotations

from app_server import ids
from app_server.threads.errors import InvalidThreadId


def check_id(thread_id: str) -> str:
    """The id in lower case; it must be a UUID. Raises `InvalidThreadId`."""
    if not ids.is_uuid(thread_id):
        raise InvalidThreadId(thread_id)
    return thread_id.lower()
