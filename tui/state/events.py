"""What the interface hears from the server, as values for the reducers.

`link.py` turns what the client delivers into these: a notification becomes `Heard` with its typed
params (the type says which notification it is), a question `Asked`, the outcome of a `SendRequest`
effect `Replied` or `Refused` with the effect's own purpose.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from app_server.protocol.shared import RequestId
from app_server.protocol.thread import ThreadResumeResponse
from tui.state.actions import Action
from tui.state.effects import Purpose


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The handshake is done."""

    remote: bool = False


class Disconnected(msgspec.Struct, frozen=True, kw_only=True):
    reason: str


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """The connection is lost and is being dialled again."""

    reason: str
    attempt: int
    """Counted from 1."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The connection stands again."""

    resumed: tuple[ThreadResumeResponse, ...]
    """The open threads as they are now."""
    gone: Mapping[str, str]
    """Those that are not there any more, with the reason."""


class Heard(msgspec.Struct, frozen=True):
    """A notification; `params` is the typed value of its row."""

    params: msgspec.Struct


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the server's; it is answered by an `AnswerQuestion` effect."""

    id: RequestId
    params: msgspec.Struct


class Replied(msgspec.Struct, frozen=True, kw_only=True):
    purpose: Purpose
    result: object


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A request failed; `message` is one sentence for a person."""

    purpose: Purpose
    message: str
    code: int = 0


ServerEvent: TypeAlias = (
    Connected | Disconnected | Interrupted | Restored | Heard | Asked | Replied | Refused
)

Event: TypeAlias = ServerEvent | Action
