"""Whether the files of this machine, which some tools open themselves, are those of the turn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app_server.agent.tools.spec import ToolError
from app_server.exec.errors import EnvironmentLost

if TYPE_CHECKING:
    from app_server.agent.turn import Turn


async def require_files(turn: Turn, folder: Path) -> None:
    """Raises `ToolError` where the turn's files are not those of this machine."""
    settings = turn.settings
    environment = await turn.session.services.environment(settings.environment)
    try:
        if await environment.shares_folder(folder):
            return
    except EnvironmentLost as error:
        raise ToolError(f"the files cannot be reached: {error}") from error
    raise ToolError(
        f"`{folder}` is on another machine, where this tool does not reach: "
        "look at its files and change them with commands"
    )
