"""What a thread is doing, computed from a few facts.

The facts change through methods named for what happened; each returns nothing, and `on_change` is
called when, and only when, the computed status differs from what was last said.
"""

from __future__ import annotations

from collections.abc import Callable

from app_server.protocol.thread_data import (
    ActiveThreadStatus,
    IdleThreadStatus,
    NotLoadedThreadStatus,
    SystemErrorThreadStatus,
    ThreadActiveFlag,
    ThreadStatus,
)


class StatusFacts:
    """The facts of one thread. It begins loaded, idle and announced as idle."""

    def __init__(self, on_change: Callable[[ThreadStatus], None]) -> None:
        self._on_change = on_change
        self._loaded = True
        self._running = False
        self._approvals_open = 0
        self._inputs_open = 0
        self._failed = False
        self._announced: ThreadStatus = IdleThreadStatus()

    @property
    def status(self) -> ThreadStatus:
        if not self._loaded:
            return NotLoadedThreadStatus()
        if self._running or self._approvals_open or self._inputs_open:
            flags: list[ThreadActiveFlag] = []
            if self._approvals_open:
                flags.append("waitingOnApproval")
            if self._inputs_open:
                flags.append("waitingOnUserInput")
            return ActiveThreadStatus(active_flags=flags)
        return SystemErrorThreadStatus() if self._failed else IdleThreadStatus()

    @property
    def running(self) -> bool:
        return self._running

    def turn_began(self) -> None:
        self._running, self._failed = True, False
        self._announce()

    def turn_ended(self) -> None:
        self._running, self._approvals_open, self._inputs_open = False, 0, 0
        self._announce()

    def failed(self) -> None:
        """An error ended the turn, or would have."""
        self._running, self._failed = False, True
        self._announce()

    def approval_asked(self) -> None:
        self._approvals_open += 1
        self._announce()

    def approval_settled(self) -> None:
        self._approvals_open = max(self._approvals_open - 1, 0)
        self._announce()

    def input_asked(self) -> None:
        self._inputs_open += 1
        self._announce()

    def input_settled(self) -> None:
        self._inputs_open = max(self._inputs_open - 1, 0)
        self._announce()

    def unloaded(self) -> None:
        self._loaded = self._running = False
        self._announce()

    def _announce(self) -> None:
        status = self.status
        if status != self._announced:
            self._announced = status
            self._on_change(status)
