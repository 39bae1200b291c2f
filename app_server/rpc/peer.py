"""One half of a conversation, without any I/O: ids and the calls that wait for an answer.

Every call gets a fresh integer id. An answer settles its call once; answers to calls nobody made,
to cancelled calls and second answers are late replies, counted and otherwise ignored. Knows nothing
of methods beyond carrying the row of a call to its answer.
"""

from __future__ import annotations

from typing import Any, Generic, TypeAlias, TypeVar

from app_server.protocol.errors import RpcError
from app_server.protocol.method import ClientMethod, ServerMethod
from app_server.rpc.frames import ErrorFrame, RequestFrame, RequestId, ResultFrame

W = TypeVar("W")
MethodRow: TypeAlias = ClientMethod[Any, Any] | ServerMethod[Any, Any]


class Peer(Generic[W]):
    """The open calls of one side; `W` is whatever the caller waits with, a future for instance."""

    def __init__(self, first_id: int = 0) -> None:
        self._next_id = first_id
        self._open: dict[RequestId, OpenCall[W]] = {}
        self.late_replies = 0

    def __len__(self) -> int:
        return len(self._open)

    def call(self, row: MethodRow, params: object, waiter: W) -> RequestFrame:
        """Open a call and get the frame to send."""
        request_id = self._next_id
        self._next_id += 1
        self._open[request_id] = OpenCall(row, waiter)
        return RequestFrame(request_id, row.name, params)

    def cancel(self, request_id: RequestId) -> None:
        """The caller no longer waits; its answer will be a late reply."""
        self._open.pop(request_id, None)

    def settle(self, reply: ResultFrame | ErrorFrame) -> OpenCall[W] | None:
        """Close the call this answers and give it back; None for a late reply."""
        call = self._open.pop(reply.id, None)
        if call is None:
            self.late_replies += 1
        return call

    def close(self) -> list[OpenCall[W]]:
        """The conversation is over: every call still open, to be failed by the caller."""
        calls = list(self._open.values())
        self._open.clear()
        return calls


class OpenCall(Generic[W]):
    """A call whose answer has not come."""

    __slots__ = ("row", "waiter")

    def __init__(self, row: MethodRow, waiter: W) -> None:
        self.row = row
        self.waiter = waiter


class ConnectionLost(RpcError):
    """The connection ended before the answer came."""

    def __init__(self, reason: str = "the connection to the server is closed") -> None:
        super().__init__(-32000, reason)
