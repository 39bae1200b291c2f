"""What a server is told when it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app_server.server.identity import DEFAULT_ORIGINATOR

if TYPE_CHECKING:
    from app_server.protocol.thread_data import SessionSource


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that do not change while the server runs."""

    codex_home: Path
    cwd: Path
    """Where threads work that name no folder. Absolute."""
    cli_overrides: tuple[tuple[str, Any], ...] = ()
    """Settings from the command line: dotted key and TOML value, later ones win."""
    profile: str | None = None
    """The configuration profile chosen on the command line."""
    forgives_config: bool = False
    """Threads start although settings in files are wrong: each is left out with a warning."""
    strict_config: bool = False
    """A key in the settings that nobody knows lets no thread start."""
    session_source: SessionSource = "vscode"
    """What new threads say they come from; `cli` for the terminal interface."""
    originator: str = DEFAULT_ORIGINATOR
    """The name in headers and stored threads until the first client has given its own."""
