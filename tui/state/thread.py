"""One conversation as the interface knows it."""

from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.approvals import (
    CommandExecutionRequestApprovalParams,
    FileChangeRequestApprovalParams,
    PermissionsRequestApprovalParams,
    ToolRequestUserInputParams,
)
from app_server.protocol.elicitation import McpServerElicitationRequestParams
from app_server.protocol.shared import RequestId
from app_server.protocol.thread_data import ThreadTokenUsage
from tui.state.cells import AnyCell, CommandCell, PlanStep

QuestionParams: TypeAlias = (
    CommandExecutionRequestApprovalParams
    | FileChangeRequestApprovalParams
    | PermissionsRequestApprovalParams
    | ToolRequestUserInputParams
    | McpServerElicitationRequestParams
)


class PendingQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Something the server waits for the user to decide; the first of the queue is on screen."""

    id: RequestId
    params: QuestionParams
    asked_at: float


class PendingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits: to steer the running turn, or for its turn to come."""

    id: str
    text: str
    images: tuple[str, ...] = ()
    sent: bool = False
    """On its way to the server (a steer); it can no longer be pulled back."""


class TurnStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status line while a turn runs."""

    header: str = "Working"
    details: str = ""
    """A second line, such as the cause of a reconnection."""
    running_since: float
    retrying: bool = False


class ThreadState(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str | None = None
    cwd: str = ""
    forked_from: str | None = None
    created_at: int = 0
    ephemeral: bool = False
    path: str | None = None
    agent_name: str | None = None

    settled: tuple[AnyCell, ...] = ()
    """Finished entries, oldest first; they never change and are never reordered."""
    live: tuple[AnyCell, ...] = ()
    """Entries still changing, below the settled ones, in the order to draw them."""
    epoch: int = 0
    """Grows when the transcript was replaced (rollback, resume) rather than added to."""

    turn_id: str | None = None
    """The running turn."""
    starting: bool = False
    """A turn was asked for and has not begun."""
    starting_turn_id: str | None = None
    """What the server has called it."""
    interrupting: bool = False
    turn_used_tools: bool = False
    status: TurnStatus | None = None
    """None when nothing runs."""
    last_turn: Literal["completed", "interrupted", "failed"] | None = None

    steers: tuple[PendingMessage, ...] = ()
    queue: tuple[PendingMessage, ...] = ()
    resend_steers: bool = False
    """The turn is being interrupted so that the steers go out as one message."""
    questions: tuple[PendingQuestion, ...] = ()
    terminals: tuple[CommandCell, ...] = ()
    """Commands that outlived their turn and still run."""

    usage: ThreadTokenUsage | None = None
    plan: tuple[PlanStep, ...] = ()
    reported_error: str = ""
    """The error of the running turn that is already in the transcript."""
    reviewing: bool = False
    last_answer: str = ""
    """The latest complete message of the agent, as markdown."""
    turn_diff: str = ""
    turns: int = 0
    """How many turns this conversation has had."""
    own_cells: int = 0
    """For ids of cells the interface makes itself."""

    @property
    def running(self) -> bool:
        return self.turn_id is not None or self.starting
