"""Asks git about the folder of the session, by way of the server.

Nothing a repository's settings name is run: callers pass the words that switch off what their
subcommand would start.
"""

from typing import TYPE_CHECKING

from app_server.protocol.command_exec import COMMAND_EXEC, CommandExecParams

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "color.ui=never", "--no-optional-locks")
GIT_SECONDS = 20


async def git(chat: "ChatScreen", *words: str, differs: bool = False) -> str | None:
    """What git prints; None where it fails (1 means "differs" where that is expected)."""
    params = CommandExecParams(
        command=[*_GIT, *words],
        cwd=chat.state.settings.cwd or None,
        timeout_ms=GIT_SECONDS * 1000,
    )
    result = await chat.request(COMMAND_EXEC, params)
    return result.stdout if result.exit_code in ((0, 1) if differs else (0,)) else None
