"""The id of this installation, sent with each request: a random UUID kept in the home folder."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from app_server import ids

log = logging.getLogger(__name__)

FILE_NAME = "installation_id"


def installation_id(codex_home: Path) -> str:
    """The id, made on first use; in a home that cannot be written it lasts for this process."""
    path = codex_home / FILE_NAME
    try:
        known = path.read_text(encoding="ascii").strip()
        if ids.is_uuid(known):
            return known
    except (OSError, UnicodeDecodeError):
        pass
    fresh = ids.uuid4()
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(fresh)
    except OSError as failure:
        log.info("the installation id cannot be kept: %s", failure.strerror)
    return fresh
