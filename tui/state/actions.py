"""What the user did, as values.

The shell turns keys, commands and choices into these; the reducers decide what they mean in the
state at hand (Enter is a new turn when idle and a steer while one runs).
"""

from typing import TypeAlias

import msgspec

from app_server.protocol.approvals import (
    CommandExecutionApprovalDecision,
    FileChangeApprovalDecision,
    PermissionsRequestApprovalResponse,
    ToolRequestUserInputResponse,
)
from app_server.protocol.elicitation import McpServerElicitationRequestResponse
from app_server.protocol.permissions import AskForApproval, SandboxPolicy
from app_server.protocol.review import ReviewTarget
from app_server.protocol.shared import ReasoningEffort, RequestId
from app_server.protocol.thread import ThreadForkParams, ThreadResumeParams, ThreadStartParams
from app_server.protocol.thread_shell import ThreadBackgroundTerminal
from tui.state.cells import AnyCell, NoticeLevel


class UserSubmitted(msgspec.Struct, frozen=True, kw_only=True):
    """Enter: a new turn when idle, a steer while one runs. Placeholders are expanded."""

    text: str
    images: tuple[str, ...] = ()


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """Tab: a new turn when idle, otherwise it waits until the running turn has ended."""

    text: str
    images: tuple[str, ...] = ()


class PullQueued(msgspec.Struct, frozen=True, kw_only=True):
    """Take the last queued message back into the composer."""


class ShellSubmitted(msgspec.Struct, frozen=True, kw_only=True):
    """`!command`: run in the user's own shell, outside the agent's turn."""

    command: str


class Interrupt(msgspec.Struct, frozen=True, kw_only=True):
    """Esc (or Ctrl+C) while a turn runs. With steers pending they go out at once instead."""


class AnswerCommand(msgspec.Struct, frozen=True, kw_only=True):
    question_id: RequestId
    decision: CommandExecutionApprovalDecision


class AnswerPatch(msgspec.Struct, frozen=True, kw_only=True):
    question_id: RequestId
    decision: FileChangeApprovalDecision


class AnswerPermissions(msgspec.Struct, frozen=True, kw_only=True):
    question_id: RequestId
    response: PermissionsRequestApprovalResponse


class AnswerUserInput(msgspec.Struct, frozen=True, kw_only=True):
    question_id: RequestId
    response: ToolRequestUserInputResponse


class AnswerElicitation(msgspec.Struct, frozen=True, kw_only=True):
    question_id: RequestId
    response: McpServerElicitationRequestResponse


class RefuseWithWords(msgspec.Struct, frozen=True, kw_only=True):
    """A no, and what to do instead: the words reach the agent before the no does."""

    answer: AnswerCommand | AnswerPatch | AnswerPermissions
    words: str


class OpenNewThread(msgspec.Struct, frozen=True, kw_only=True):
    """At start-up, and /new. What was submitted meanwhile is sent once it is open."""

    params: ThreadStartParams


class OpenStoredThread(msgspec.Struct, frozen=True, kw_only=True):
    params: ThreadResumeParams


class ForkThread(msgspec.Struct, frozen=True, kw_only=True):
    params: ThreadForkParams


class FocusThread(msgspec.Struct, frozen=True, kw_only=True):
    """Look at a thread that is already open."""

    thread_id: str


class RenameThread(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class RollBack(msgspec.Struct, frozen=True, kw_only=True):
    """Drop the turns from the user message with this cell id on; its text comes back to edit."""

    cell_id: str


class CompactThread(msgspec.Struct, frozen=True, kw_only=True):
    """Summarise and replace the history."""


class StartReview(msgspec.Struct, frozen=True, kw_only=True):
    target: ReviewTarget


class StopTerminals(msgspec.Struct, frozen=True, kw_only=True):
    """/stop: end the thread's background terminals."""


class TerminalsListed(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says runs in the background, oldest first."""

    thread_id: str
    running: tuple[ThreadBackgroundTerminal, ...]


class SetModel(msgspec.Struct, frozen=True, kw_only=True):
    """From the next turn on."""

    model: str
    effort: ReasoningEffort | None = None


class SetPermissions(msgspec.Struct, frozen=True, kw_only=True):
    """From the next turn on; `label` is what the notice calls the choice."""

    approval_policy: AskForApproval
    sandbox: SandboxPolicy
    label: str = ""


class SetPlanMode(msgspec.Struct, frozen=True, kw_only=True):
    on: bool


class SetDisplay(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say of how things are shown; None leaves ours."""

    hide_reasoning: bool = False
    show_raw_reasoning: bool = False
    status_items: tuple[str, ...] | None = None
    title_items: tuple[str, ...] | None = None


class OpenDialog(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class CloseDialog(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever panel is open."""


class CopyLastAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The latest answer as markdown, to the clipboard."""


class EditExternally(msgspec.Struct, frozen=True, kw_only=True):
    text: str


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of the interface itself, put into the transcript."""

    level: NoticeLevel
    text: str
    details: str = ""


class Show(msgspec.Struct, frozen=True):
    """Put a finished cell, such as a status card, into the transcript; its id is replaced."""

    cell: AnyCell


class RefreshModels(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the list of models again."""


class LookingForSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in is still looked for, in `place`; empty once that is known."""

    place: str


class SendUnsent(msgspec.Struct, frozen=True, kw_only=True):
    """Signed in again: what failed for want of a sign-in goes out once more."""


class TakeUnsentBack(msgspec.Struct, frozen=True, kw_only=True):
    """Not signed in again: it goes back to the composer."""


class QuitRequested(msgspec.Struct, frozen=True, kw_only=True):
    """Leave the program."""


Action: TypeAlias = (
    UserSubmitted
    | Queued
    | PullQueued
    | ShellSubmitted
    | Interrupt
    | AnswerCommand
    | AnswerPatch
    | AnswerPermissions
    | AnswerUserInput
    | AnswerElicitation
    | RefuseWithWords
    | OpenNewThread
    | OpenStoredThread
    | ForkThread
    | FocusThread
    | RenameThread
    | RollBack
    | CompactThread
    | StartReview
    | StopTerminals
    | TerminalsListed
    | SetModel
    | SetPermissions
    | SetPlanMode
    | SetDisplay
    | OpenDialog
    | CloseDialog
    | CopyLastAnswer
    | EditExternally
    | Say
    | Show
    | RefreshModels
    | LookingForSignIn
    | SendUnsent
    | TakeUnsentBack
    | QuitRequested
)
