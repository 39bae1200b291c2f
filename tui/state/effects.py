"""What the interface wants done, as values; reducers return them, the shell carries them out.

A `SendRequest` ends in exactly one `Replied` or `Refused` event with the same purpose, also when
the connection is lost. Everything else is fire and forget.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.method import ClientMethod
from app_server.protocol.shared import RequestId
from tui.state.model import PendingSettings


class OpeningThread(msgspec.Struct, frozen=True, kw_only=True):
    how: Literal["start", "resume", "fork"]


class StartingTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Carries the message, so that it can go back to the composer."""

    thread_id: str
    message_id: str
    text: str
    images: tuple[str, ...] = ()
    carried: PendingSettings = PendingSettings()
    """Changed settings that went along."""


class AnswerQuestion(msgspec.Struct, frozen=True, kw_only=True):
    id: RequestId
    result: msgspec.Struct


class Steering(msgspec.Struct, frozen=True, kw_only=True):
    thread_id: str
    message_id: str
    then: AnswerQuestion | None = None
    """Goes out once the message has arrived, so that the agent has it when it goes on."""


class Interrupting(msgspec.Struct, frozen=True, kw_only=True):
    thread_id: str
    turn_id: str


class RollingBack(msgspec.Struct, frozen=True, kw_only=True):
    thread_id: str
    text: str
    images: tuple[str, ...] = ()


class ReadingAccount(msgspec.Struct, frozen=True, kw_only=True):
    """account/read."""


class ListingModels(msgspec.Struct, frozen=True, kw_only=True):
    """model/list."""


class ThreadCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Any other request on a thread; `doing` completes the sentence "Could not …"."""

    thread_id: str
    doing: str
    done: str = ""
    """What to say on success; empty says nothing."""


Purpose: TypeAlias = (
    OpeningThread
    | StartingTurn
    | Steering
    | Interrupting
    | RollingBack
    | ReadingAccount
    | ListingModels
    | ThreadCommand
)


class SendRequest(msgspec.Struct, frozen=True, kw_only=True):
    row: ClientMethod[Any, Any]
    params: msgspec.Struct | None
    purpose: Purpose


class RefuseQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Answer a question with an error: the interface cannot do what is asked."""

    id: RequestId
    message: str
    code: int = -32601


class ReturnToComposer(msgspec.Struct, frozen=True, kw_only=True):
    """Put text back, before whatever draft is there (joined by a newline)."""

    text: str
    images: tuple[str, ...] = ()


class OpenEditor(msgspec.Struct, frozen=True, kw_only=True):
    """Edit this text in $VISUAL or $EDITOR; the result replaces the draft."""

    text: str


class CopyText(msgspec.Struct, frozen=True, kw_only=True):
    text: str


class Notify(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the user outside the window, if the terminal is not focused."""

    kind: Literal["turn-ended", "approval"]
    text: str


class ClearTranscript(msgspec.Struct, frozen=True, kw_only=True):
    """The transcript on screen was replaced; repaint it from the first cell."""


class AskToSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """The sign-in no longer works: offer the ways in; `reason` is one sentence."""

    reason: str


class Quit(msgspec.Struct, frozen=True, kw_only=True):
    """Leave the program."""


Effect: TypeAlias = (
    SendRequest
    | AnswerQuestion
    | RefuseQuestion
    | ReturnToComposer
    | OpenEditor
    | CopyText
    | Notify
    | ClearTranscript
    | AskToSignIn
    | Quit
)
