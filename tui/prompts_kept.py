"""What the user has sent, kept on their own machine for Up and Ctrl+R in later sessions.

Reads and writes off the loop. A file that cannot be used is told of once and costs nothing else.
"""

import asyncio
import itertools
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app_server.client.message_history import MessageHistory

log = logging.getLogger(__name__)

RECALLED_PROMPTS = 1000


class KeptPrompts:
    """The history file of one home; `configure` before the first use."""

    def __init__(self, codex_home: str) -> None:
        self._home = Path(codex_home)
        self._settings: dict[str, Any] = {}
        self._file: MessageHistory | None = None
        self._turn = asyncio.Lock()

    def configure(self, table: object) -> None:
        """The `[history]` table: `persistence` and `max_bytes`."""
        if isinstance(table, dict):
            self._settings = {
                key: table[key] for key in ("persistence", "max_bytes") if table.get(key)
            }

    async def load(self) -> list[str]:
        """The latest prompts, oldest first."""
        return await asyncio.to_thread(self._load)

    async def keep(self, session_id: str, text: str) -> str:
        """Add a prompt; what went wrong in one sentence, or nothing."""
        async with self._turn:
            try:
                await asyncio.to_thread(self._history().append, session_id, text)
            except OSError as error:
                log.warning("prompt not kept: %s", error)
                return f"What you send is not kept for later sessions: {error}."
        return ""

    def _load(self) -> list[str]:
        try:
            entries = itertools.islice(self._history().newest_first(), RECALLED_PROMPTS)
            return [entry.text for entry in entries][::-1]
        except OSError as error:
            log.warning("prompts not read: %s", error)
            return []

    def _history(self) -> "MessageHistory":
        from app_server.client.message_history import MessageHistory

        if self._file is None:
            self._file = MessageHistory(self._home, **self._settings)
        return self._file
