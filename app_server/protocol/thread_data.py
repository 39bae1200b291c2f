"""Threads and turns as values."""

from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.item import ThreadItem
from app_server.protocol.shared import AbsolutePathBuf, AgentPath, ThreadId
from app_server.protocol.turn_error import TurnError
from app_server.protocol.wire import SingleKey, SnakeWire, Wire


class GitInfo(Wire):
    """The repository a thread was started in."""

    sha: str | None = None
    branch: str | None = None
    origin_url: str | None = None


ThreadActiveFlag: TypeAlias = Literal["waitingOnApproval", "waitingOnUserInput"]


class NotLoadedThreadStatus(Wire, tag="notLoaded"): ...


class IdleThreadStatus(Wire, tag="idle"): ...


class SystemErrorThreadStatus(Wire, tag="systemError"): ...


class ActiveThreadStatus(Wire, tag="active"):
    active_flags: list[ThreadActiveFlag]


ThreadStatus: TypeAlias = (
    NotLoadedThreadStatus | IdleThreadStatus | SystemErrorThreadStatus | ActiveThreadStatus
)
"""Whether a thread is in memory and what it is doing."""

TurnStatus: TypeAlias = Literal["completed", "interrupted", "failed", "inProgress"]


class Turn(Wire):
    """One exchange: what was asked and all that followed. Times are Unix seconds."""

    id: str
    items: list[ThreadItem]
    status: TurnStatus
    error: TurnError | None = None
    started_at: int | None = None
    completed_at: int | None = None
    duration_ms: int | None = None


class ThreadSpawn(SnakeWire):
    """Which thread started this one as its agent, and how deep below the root it is."""

    parent_thread_id: ThreadId
    depth: int
    agent_path: AgentPath | None = None
    agent_nickname: str | None = None
    agent_role: str | None = None


class DetailedSubAgentSource(SingleKey, rename=None):
    thread_spawn: ThreadSpawn | None = None
    other: str | None = None


SubAgentSource: TypeAlias = (
    Literal["review", "compact", "memory_consolidation"] | DetailedSubAgentSource
)


class DetailedSessionSource(SingleKey):
    custom: str | None = None
    sub_agent: SubAgentSource | None = None


SessionSource: TypeAlias = (
    Literal["cli", "vscode", "exec", "appServer", "unknown"] | DetailedSessionSource
)
"""What kind of client, or which agent, a thread comes from."""


class Thread(Wire):
    """A conversation, without its settings. Times are Unix seconds."""

    id: str
    forked_from_id: str | None = None
    preview: str
    ephemeral: bool
    model_provider: str
    created_at: int
    updated_at: int
    status: ThreadStatus
    path: str | None = None
    cwd: AbsolutePathBuf
    cli_version: str
    source: SessionSource
    agent_nickname: str | None = None
    agent_role: str | None = None
    git_info: GitInfo | None = None
    name: str | None = None
    turns: list[Turn]
    session_id: str = ""
    """The root thread of a family of agents; the thread itself unless given."""
    project_id: str | None = None

    def __post_init__(self) -> None:
        if not self.session_id:
            msgspec.structs.force_setattr(self, "session_id", self.id)


class TokenUsageBreakdown(Wire):
    """Token counts of one model answer, or of several added up."""

    total_tokens: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_output_tokens: int


class ThreadTokenUsage(Wire):
    """Tokens of the whole thread and of the latest model answer."""

    total: TokenUsageBreakdown
    last: TokenUsageBreakdown
    model_context_window: int | None = None
