"""What two peers say to each other, as values.

Inside the process `params` and `result` are the typed values of a row. Where a frame was read from
bytes, a request and a notification are typed too; a result stays a `msgspec.Raw` until the caller,
who alone knows which call it answers, reads it. Frames know nothing of methods or transports.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from app_server.protocol.errors import RpcError

RequestId: TypeAlias = int | str


class RequestFrame(msgspec.Struct, frozen=True):
    """A call that wants an answer."""

    id: RequestId
    method: str
    params: object = None


class NotificationFrame(msgspec.Struct, frozen=True):
    """Something told, no answer wanted."""

    method: str
    params: object = None


class ResultFrame(msgspec.Struct, frozen=True):
    """The answer to a call."""

    id: RequestId
    result: object = None


class ErrorFrame(msgspec.Struct, frozen=True):
    """The refusal of a call."""

    id: RequestId
    error: RpcError


class UnreadableRequest(msgspec.Struct, frozen=True):
    """A call that arrived with an id but could not be read; it is owed this error."""

    id: RequestId
    error: RpcError


Frame: TypeAlias = RequestFrame | NotificationFrame | ResultFrame | ErrorFrame | UnreadableRequest
