"""The file in which a plugin finds its bridge: address and token, for the user's eyes alone.

It is 0600 from its first byte and moved into place whole. The newest server owns the name: it
overwrites what lies there, and a server that ends removes only what is still its own. Blocks.
"""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from app_server.regular_files import read_regular_file

log = logging.getLogger(__name__)

LARGEST_BYTES = 4096
"""Ours are a tenth of it."""


class BridgeState(msgspec.Struct, frozen=True):
    """What the file says."""

    base_url: str
    token: str

    def __repr__(self) -> str:
        return f"BridgeState(base_url={self.base_url!r}, …)"


def state_path(codex_home: Path, bridge_id: str) -> Path:
    return codex_home / f"plugin-backend-bridge.{bridge_id}.json"


def write_state(path: Path, state: BridgeState) -> None:
    """Raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp opens with 0600 from the start
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(state))
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def remove_state(path: Path, own: BridgeState) -> None:
    """Remove the file if it is still ours; what cannot be read is told and stays."""
    try:
        found = msgspec.json.decode(read_regular_file(path, LARGEST_BYTES), type=BridgeState)
        if found == own:
            path.unlink()
    except FileNotFoundError:
        return
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as problem:
        # the decoder's message may quote the content
        reason = problem.strerror if isinstance(problem, OSError) else "it is no state file"
        log.error("the state file %s stays: %s", path, reason)
