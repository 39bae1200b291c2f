"""What a server tells its client without being asked, as the client's user gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from app_server.rpc.frames import RequestId

if TYPE_CHECKING:
    from app_server.protocol.thread import ThreadResumeResponse


class Notification(msgspec.Struct, frozen=True):
    """Something happened; `params` is the Struct of the notification's row."""

    method: str
    params: msgspec.Struct | None


class Question(msgspec.Struct, frozen=True):
    """The server waits for an answer: `Client.answer` or `Client.refuse` with this id."""

    id: RequestId
    method: str
    params: msgspec.Struct | None


class Disconnected(msgspec.Struct, frozen=True):
    """The connection is over; always the last event."""

    reason: str


class Reconnecting(msgspec.Struct, frozen=True, kw_only=True):
    """The connection is lost and will be dialled again, unless the client is left."""

    reason: str
    attempt: int
    """Counted from 1."""
    in_seconds: float


class Reconnected(msgspec.Struct, frozen=True, kw_only=True):
    """The connection stands again; events of the meantime have gone by unheard."""

    reason: str
    """Why it was lost."""
    resumed: tuple[ThreadResumeResponse, ...]
    """The threads heard before, as they are now."""
    lost: Mapping[str, str]
    """Those that could not be resumed, with the reason."""


Event: TypeAlias = Notification | Question | Reconnecting | Reconnected | Disconnected
