"""The entries of a transcript, as frozen values.

A cell holds what happened, in source form: markdown as written, diffs as sent, output as the
command produced it. How it looks is decided in `tui.cells`; nothing here is sanitised or wrapped.
A cell in `ThreadState.live` may still be replaced by a grown one of the same id; a settled cell
never changes. Lengths of time are given in milliseconds, moments in Unix seconds of our own clock.
"""

from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.item import (
    CollabAgentState,
    CollabAgentTool,
    CommandAction,
    CommandExecutionSource,
    WebSearchAction,
)
from app_server.protocol.shared import MessagePhase

RunStatus: TypeAlias = Literal[
    "running", "waiting", "background", "ok", "failed", "declined", "interrupted"
]
"""`waiting` for the user's leave; `background`: the turn is over and it still runs."""

ApprovedThing: TypeAlias = Literal["command", "network", "patch", "permissions", "tool"]

NoticeLevel: TypeAlias = Literal["info", "tip", "warning", "error"]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the transcript; `id` is unique within its thread."""

    id: str


class UserMessageCell(Cell, frozen=True, kw_only=True):
    text: str
    images: tuple[str, ...] = ()
    """Paths or URLs of pictures that went along, in order."""
    pending: bool = False
    """Sent, but not yet taken up by the server."""
    turn_id: str = ""


class AgentMessageCell(Cell, frozen=True, kw_only=True):
    text: str = ""
    phase: MessagePhase | None = None
    complete: bool = False
    cut_off: bool = False
    """The stream broke and this is all that came."""


class ReasoningCell(Cell, frozen=True, kw_only=True):
    summary: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    """Raw reasoning; filled only where the settings ask for it."""
    complete: bool = False


class CommandOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What a command wrote, its middle left out when it is too much to keep."""

    head: str = ""
    tail: str = ""
    omitted_chars: int = 0
    omitted_lines: int = 0


class CommandCell(Cell, frozen=True, kw_only=True):
    command: str
    """The command as a person would type it, without the shell around it."""
    cwd: str = ""
    status: RunStatus = "running"
    source: CommandExecutionSource = "agent"
    output: CommandOutput = CommandOutput()
    exit_code: int | None = None
    duration_ms: int | None = None
    started_at: float | None = None
    actions: tuple[CommandAction, ...] = ()
    process_id: str | None = None
    was_background: bool = False
    """The end of a command that outlived its turn."""
    ran: bool = False
    """It was running when it was stopped, whether or not it has written anything."""
    visited: bool = False
    """The agent has come back to it, to type or to look: its first wait is over."""


class ExploringCell(Cell, frozen=True, kw_only=True):
    """Consecutive commands that only look around."""

    calls: tuple[CommandCell, ...]
    closed: bool = False
    """Something else has begun since: no more calls join."""


class TerminalInputCell(Cell, frozen=True, kw_only=True):
    """Something typed into a command that keeps running."""

    command: str
    stdin: str


class PatchedFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    kind: Literal["add", "delete", "update"]
    diff: str
    """A unified diff for updates; the whole content for added and deleted files."""
    move_path: str | None = None


class PatchCell(Cell, frozen=True, kw_only=True):
    files: tuple[PatchedFile, ...]
    status: RunStatus = "running"
    cwd: str = ""
    error: str = ""
    writing: bool = False
    """The model is still writing it; whether it will fit is not known."""


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    status: Literal["pending", "inProgress", "completed"]


class PlanCell(Cell, frozen=True, kw_only=True):
    steps: tuple[PlanStep, ...]
    explanation: str = ""
    before: tuple[PlanStep, ...] = ()
    """The plan as it was last shown; empty for a first or a rewritten plan."""


class ProposedPlanCell(Cell, frozen=True, kw_only=True):
    """A plan the agent offers in plan mode, as markdown."""

    text: str = ""
    complete: bool = False


class ToolCell(Cell, frozen=True, kw_only=True):
    """A call of an MCP tool, or of one the client provides (`server` is empty)."""

    tool: str
    server: str = ""
    arguments: str = ""
    """Compact JSON."""
    status: RunStatus = "running"
    result: str = ""
    error: str = ""
    progress: str = ""
    duration_ms: int | None = None
    started_at: float | None = None


class WebSearchCell(Cell, frozen=True, kw_only=True):
    query: str = ""
    action: WebSearchAction | None = None
    complete: bool = False


class ImageCell(Cell, frozen=True, kw_only=True):
    path: str
    made: bool = False
    """Generated rather than looked at."""
    prompt: str = ""
    status: RunStatus = "ok"


class SubAgentCell(Cell, frozen=True, kw_only=True):
    tool: CollabAgentTool
    status: RunStatus = "running"
    names: tuple[str, ...] = ()
    """The agents concerned, by nickname where known, else by id."""
    prompt: str = ""
    model: str = ""
    effort: str = ""
    states: tuple[tuple[str, CollabAgentState], ...] = ()


class ReviewCell(Cell, frozen=True, kw_only=True):
    stage: Literal["started", "finished"]
    text: str
    """What is reviewed, or the review itself."""


class CompactionCell(Cell, frozen=True, kw_only=True):
    complete: bool = True


class HookCell(Cell, frozen=True, kw_only=True):
    texts: tuple[str, ...]


class NoticeCell(Cell, frozen=True, kw_only=True):
    level: NoticeLevel
    text: str
    details: str = ""


class SessionHeaderCell(Cell, frozen=True, kw_only=True):
    """The opening card; `home` lets the directory be shown with `~`."""

    version: str
    model: str
    effort: str | None = None
    directory: str = ""
    home: str = ""
    demo: bool = False
    """The scripted offline demo answers, no model."""


class CardCell(Cell, frozen=True, kw_only=True):
    """A card of labelled lines, such as /status."""

    title: str
    rows: tuple[tuple[str, str], ...]


class SeparatorCell(Cell, frozen=True, kw_only=True):
    """Closes a turn that used tools."""

    duration_ms: int | None = None


class ApprovalCell(Cell, frozen=True, kw_only=True):
    """What was allowed or refused."""

    granted: bool
    what: ApprovedThing
    subject: str
    """The command, host, files or tool."""
    by: Literal["user", "reviewer"] = "user"
    risk: str = ""
    """As the automatic reviewer judged it."""
    why: str = ""
    """Its reason, in its words."""
    lasts: Literal["once", "session", "always"] = "once"
    cancelled: bool = False
    """The turn was stopped along with the refusal."""


class AnsweredQuestion(msgspec.Struct, frozen=True, kw_only=True):
    question: str
    answers: tuple[str, ...] = ()
    note: str = ""
    secret: bool = False


class QuestionsCell(Cell, frozen=True, kw_only=True):
    """The user's answers to the agent's questions; `answers` empty means unanswered."""

    questions: tuple[AnsweredQuestion, ...]


AnyCell: TypeAlias = (
    UserMessageCell
    | AgentMessageCell
    | ReasoningCell
    | CommandCell
    | ExploringCell
    | TerminalInputCell
    | PatchCell
    | PlanCell
    | ProposedPlanCell
    | ToolCell
    | WebSearchCell
    | ImageCell
    | SubAgentCell
    | ReviewCell
    | CompactionCell
    | HookCell
    | NoticeCell
    | SessionHeaderCell
    | CardCell
    | SeparatorCell
    | ApprovalCell
    | QuestionsCell
)
