"""What a server tells its client without being asked, as the client's user gets it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from app_server.rpc.frames import RequestId


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


Event: TypeAlias = Notification | Question | Disconnected
