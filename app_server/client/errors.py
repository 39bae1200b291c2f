"""What can go wrong on the calling side.

Exception
├── RpcError            the server's answer is an error (protocol.errors)
│   └── ConnectionLost  the connection ended before the answer came (rpc.peer)
├── CannotConnect       there is no server to speak with, or it does not want us
├── TurnFailed          a turn ended in an error
└── ThreadBusy          the thread has a turn of ours that is not over yet
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_server.protocol.thread_data import Turn
    from app_server.protocol.turn_error import CodexErrorInfo


class CannotConnect(Exception):
    """There is no server to speak with, or it does not want us."""

    def __init__(self, place: str, reason: str, *, is_refused: bool = False) -> None:
        self.place = place
        self.reason = reason
        self.is_refused = is_refused
        """A server was there and said no: asking again the same way changes nothing."""
        super().__init__(f"cannot connect to {place}: {reason}")


class TurnFailed(Exception):
    """A turn ended in an error; `turn` is what there is of it."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        super().__init__(turn.error.message if turn.error else "the turn failed")

    @property
    def kind(self) -> CodexErrorInfo | None:
        """What sort of failure it was, as `usageLimitExceeded`; None where nobody said."""
        return self.turn.error.codex_error_info if self.turn.error else None


class ThreadBusy(Exception):
    """The thread has a turn of ours that is not over yet."""

    def __init__(self, thread_id: str) -> None:
        self.thread_id = thread_id
        super().__init__(
            f"thread {thread_id} is still working; wait for its turn to end, or add to it with "
            "`turn.steer`"
        )
