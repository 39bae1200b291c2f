"""One thread a program speaks with. Costs nothing to keep: the thread itself is at the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app_server.client.live_turn import LiveTurn, Said, as_input
from app_server.protocol.permissions import AskForApproval, SandboxPolicy
from app_server.protocol.shared import ReasoningEffort
from app_server.protocol.thread import (
    THREAD_ARCHIVE,
    THREAD_FORK,
    THREAD_NAME_SET,
    OpenedThread,
    ThreadArchiveParams,
    ThreadForkParams,
    ThreadSetNameParams,
)
from app_server.protocol.thread_data import Thread
from app_server.protocol.thread_history import THREAD_READ, ThreadReadParams
from app_server.protocol.turn import TurnStartParams

if TYPE_CHECKING:
    from app_server.client.codex import Codex


class LiveThread:
    """Made by `Codex.start_thread` and `Codex.resume_thread`."""

    def __init__(self, codex: Codex, opened: OpenedThread) -> None:
        self._codex = codex
        self.opened = opened
        """The thread as it was when it was opened, and the settings in force."""

    def __repr__(self) -> str:
        return f"LiveThread({self.id!r})"

    @property
    def id(self) -> str:
        return self.opened.thread.id

    def run(
        self,
        said: Said,
        *,
        model: str | None = None,
        effort: ReasoningEffort | None = None,
        approval_policy: AskForApproval | None = None,
        sandbox_policy: SandboxPolicy | None = None,
        output_schema: Any = None,
    ) -> LiveTurn:
        """A turn that begins with this, once it is waited for; see `LiveTurn`.

        Settings hold for later turns too, except `output_schema`, a JSON Schema for the answer.
        """
        params = TurnStartParams(
            thread_id=self.id,
            input=as_input(said),
            model=model,
            effort=effort,
            approval_policy=approval_policy,
            sandbox_policy=sandbox_policy,
            output_schema=output_schema,
        )
        return LiveTurn(self._codex, params)

    async def read(self) -> Thread:
        """The thread as it is now, with its turns."""
        params = ThreadReadParams(thread_id=self.id, include_turns=True)
        return (await self._codex.request(THREAD_READ, params)).thread

    async def rename(self, name: str) -> None:
        params = ThreadSetNameParams(thread_id=self.id, name=name)
        await self._codex.request(THREAD_NAME_SET, params)

    async def archive(self) -> None:
        """Put the thread away; it is no longer listed."""
        await self._codex.request(THREAD_ARCHIVE, ThreadArchiveParams(thread_id=self.id))

    async def fork(self, params: ThreadForkParams | None = None) -> LiveThread:
        """A new thread that begins with a copy of this one's history."""
        asked = params or ThreadForkParams(thread_id=self.id)
        asked = msgspec.structs.replace(asked, thread_id=self.id)
        opened = await self._codex.request(THREAD_FORK, asked)
        return LiveThread(self._codex, opened)
