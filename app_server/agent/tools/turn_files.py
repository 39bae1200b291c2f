"""The files of a turn, which tools open themselves: of this machine, or where its commands run.

Which of them may be read and written is judged by where paths lead there. Elsewhere every look can
take a while and fail, so it happens on a worker thread, and an interrupt ends it at the next look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app_server.agent.tools.spec import ToolError
from app_server.exec.errors import EnvironmentLost
from app_server.sandbox.errors import SandboxUnavailable

if TYPE_CHECKING:
    from app_server.agent.turn import Turn
    from app_server.exec.remote_files import RemoteFiles
    from app_server.patch.files import Files
    from app_server.sandbox.policy import Access

R = TypeVar("R")


async def turn_files(turn: Turn) -> TurnFiles:
    """Raises `ToolError` where they cannot be reached."""
    environment = await turn.session.services.environment(turn.settings.environment)
    try:
        remote = await environment.files()
    except EnvironmentLost as error:
        raise ToolError(f"the files cannot be reached: {error}") from error
    return TurnFiles(turn, remote)


class TurnFiles:
    """Of one tool call."""

    def __init__(self, turn: Turn, remote: RemoteFiles | None) -> None:
        self._turn = turn
        self.remote = remote
        """Files of another machine; None for those of this one."""
        self._access: Access | None = None

    @property
    def files(self) -> Files:
        if self.remote is not None:
            return self.remote
        from app_server.patch.local_files import LOCAL_FILES

        return LOCAL_FILES

    async def look(self, work: Callable[[], R]) -> R:
        """Do something with them on a worker thread. Raises `ToolError` when they are lost, or
        under permissions that cannot be kept."""
        try:
            return await asyncio.to_thread(work)
        except asyncio.CancelledError:
            if self.remote is not None:
                self.remote.give_up()
            raise
        except SandboxUnavailable as error:
            raise ToolError(str(error)) from error
        except OSError as error:
            if self.remote is None:
                raise
            reason = error.strerror or str(error)
            raise ToolError(f"the files cannot be reached: {reason}") from error

    def may_write(self, real: Path) -> bool:
        """Whether the policy lets this link-free path be written or removed."""
        if self.remote is None:
            return self._turn.session.may_write(self._turn.settings, real)
        return self._access_there().may_write(str(real))

    def may_read(self, path: Path) -> bool:
        """Whether the policy lets this file be read, links followed."""
        if self.remote is None:
            return self._turn.session.may_read(self._turn.settings, path)
        return self._access_there().may_read(str(self.remote.resolved(path)))

    def confine(self) -> None:
        """Let the other machine hold changes to the policy, whatever its links turn into."""
        from app_server.storage.shapes import permission_profile

        settings = self._turn.settings
        if self.remote is not None and self._access_there().is_confined:
            self.remote.confine(permission_profile(settings.confinement), settings.command_cwd)

    def _access_there(self) -> Access:
        if self._access is None:
            from app_server.sandbox.policy import access_elsewhere

            assert self.remote is not None
            settings = self._turn.settings
            self._access = access_elsewhere(
                settings.confinement, settings.command_cwd, self.remote.resolved
            )
        return self._access
