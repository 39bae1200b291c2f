"""The demands of a workspace as last fetched, kept beside the settings and sealed.

The seal shows a file that was changed, cut or made for another account; such a file counts as none,
and the demands are fetched again. It is no secret: who owns the machine owns the file.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

import msgspec

from app_server import ids

FILE_NAME = "workspace-requirements.json"
LIFE_SECONDS = 30 * 60
FILE_MODE = 0o600
_MOST_BYTES = 1 << 20
_SEAL = b"codex-in-python workspace requirements 1"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Demands of one account, good until then (Unix seconds)."""

    account: str
    expires_at: float
    contents: str | None


def load(codex_home: Path, account: str, now: float) -> Kept | None:
    """What is kept for the account and still good. Reads a file."""
    from app_server.regular_files import read_regular_file

    try:
        stored = msgspec.json.decode(
            read_regular_file(codex_home / FILE_NAME, _MOST_BYTES), type=_Stored
        )
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    kept = stored.kept
    is_ours = hmac.compare_digest(stored.seal, _seal(kept))
    lives = now < kept.expires_at <= now + LIFE_SECONDS
    return kept if is_ours and lives and kept.account == account else None


def save(codex_home: Path, kept: Kept) -> None:
    """Keep it. Writes a file; raises OSError."""
    path = codex_home / FILE_NAME
    temporary = path.with_name(f".{FILE_NAME}.{ids.uuid4()}.tmp")
    content = msgspec.json.encode(_Stored(kept=kept, seal=_seal(kept)))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with open(os.open(temporary, flags, FILE_MODE), "wb") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    kept: Kept
    seal: str


def _seal(kept: Kept) -> str:
    sealed: dict[str, Any] = msgspec.to_builtins(kept)
    text = json.dumps(sealed, sort_keys=True).encode()
    return hmac.new(_SEAL, text, hashlib.sha256).hexdigest()
