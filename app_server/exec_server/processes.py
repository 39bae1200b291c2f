"""One process of a client: what it writes, what it is told, how it ends.

What a process wrote before it ended is always told before its end: when the keeper reports the
exit, everything still in its pipes is read first, and a terminal, whose last bytes may be on their
way inside the kernel, is waited for a moment. Reading pauses while the client is behind.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import sys
import termios
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

from app_server.exec_server import kill, prctl, pty
from app_server.exec_server.gathering import Gathering
from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.output import Chunk, RetainedOutput
from app_server.exec_server.process_input import ProcessInput
from app_server.exec_server.protocol import INTERNAL_ERROR, INVALID_REQUEST, ServiceError, Stream
from app_server.exec_server.spawn import SpawnSpec, spawn

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
READS_AT_ONCE = 16
"""A terminal gives at most four kilobytes per read."""
TRAILING_OUTPUT_SECONDS = 0.05
"""How long an exit waits for outputs that somebody still holds open."""
STRAY_PASS_SECONDS = 0.01
START_NUDGE_SECONDS = 0.1
"""Longer than a start takes, so that hardly any is nudged."""
LINGER_SECONDS = 5.0
"""How long outputs are read after the exit, if something beyond our reach holds them open."""


Pauser: TypeAlias = Literal["connection", "client"]
"""Who wants no more output for now: a connection that is behind, or its client by request."""


class Listener(Protocol):
    """Who is told about a process."""

    def process_wrote(self, process: ManagedProcess, chunk: Chunk) -> None: ...
    def process_exited(self, process: ManagedProcess) -> None: ...
    def process_closed(self, process: ManagedProcess) -> None: ...


class ManagedProcess:
    """A process from its start until its outputs are closed."""

    def __init__(
        self, process_id: str, loop: Loop, retained_bytes: int, listener: Listener
    ) -> None:
        self.id = process_id
        self.pid: int | None = None
        self.retained = RetainedOutput(retained_bytes)
        self.is_exited = False
        """The exit has been told."""
        self.is_closed = False
        self.has_terminal = False
        self.exit_code: int | None = None
        """-1 for a process that was killed."""
        self.exit_signal: int | None = None
        self.confinement = "none"
        """What holds it, as `sandbox.launch` names it."""
        self._loop = loop
        self._listener = listener
        self._keeper_pid: int | None = None
        self._keeper_pidfd = -1
        self._report_fd = -1
        self._report_text = b""
        self._outputs: dict[int, Stream] = {}
        self._gathering = Gathering(loop, self._tell_output)
        self._paused_by: set[Pauser] = set()
        self._input = ProcessInput(loop, None)
        self._wait_status: int | None = None
        self._is_ending = False
        self._is_keeper_lost = False
        self._timer: Timer | None = None
        self._force_timer: Timer | None = None
        self._on_started: Callable[[str | None], None] | None = None
        self._change_waiters: list[Callable[[], None]] = []

    # Starting

    def start(self, spec: SpawnSpec, on_started: Callable[[str | None], None]) -> None:
        """Start it; `on_started` gets None once it runs, or why it does not.

        Raises `OSError` or `MountPointBlocked`.
        """
        spawned = spawn(spec)
        self._on_started = on_started
        self.has_terminal = spec.size is not None
        self.confinement = spec.confinement
        self._keeper_pid = spawned.keeper_pid
        self._keeper_pidfd = spawned.keeper_pidfd
        self._report_fd = spawned.report_fd
        self._input = ProcessInput(self._loop, spawned.input_fd)
        self._input.on_dropped = self._input_dropped
        self._outputs = dict(spawned.outputs)
        self._loop.add_reader(self._report_fd, self._read_report)
        self._loop.add_reader(self._keeper_pidfd, self._bury_keeper)
        self._loop.call_later(START_NUDGE_SECONDS, self._nudge_start)

    def _nudge_start(self) -> None:
        """A command quick enough to stop its keeper must not keep the start from being told."""
        if self._on_started is not None and self._keeper_pid is not None:
            os.kill(self._keeper_pid, signal.SIGCONT)
            self._loop.call_later(START_NUDGE_SECONDS, self._nudge_start)

    @property
    def is_ended(self) -> bool:
        """Whether nothing of it runs any more, its keeper included."""
        return self._keeper_pid is None

    def _read_report(self) -> None:
        try:
            piece = os.read(self._report_fd, 4096)
        except BlockingIOError:
            return
        self._report_text += piece
        while b"\n" in self._report_text:
            line, _, self._report_text = self._report_text.partition(b"\n")
            kind, _, rest = line.decode(errors="replace").partition(" ")
            if kind == "P":
                self.pid = int(rest)
                self._started(None)
            elif kind == "E":
                self._started(rest)
            elif kind == "X":
                self._exit_reported(int(rest))
        if not piece:
            self._loop.remove_reader(self._report_fd)
            os.close(self._report_fd)
            self._report_fd = -1
            if self._on_started is not None:
                self._started("the keeper of the process ended")
            elif not self._is_ending:
                self._is_keeper_lost = True
                self._exit_reported(None)

    def _started(self, problem: str | None) -> None:
        on_started, self._on_started = self._on_started, None
        if problem is None:
            for fd in self._outputs:
                self._listen(fd)
        else:
            self._is_ending = self.is_exited = self.is_closed = True
            self._close_streams()
        if on_started is not None:
            on_started(problem)

    def _bury_keeper(self) -> None:
        if self._report_fd >= 0:
            self._read_report()
            if self._report_fd >= 0:
                return  # there is more to read first; the descriptor stays readable
        if self._keeper_pid is None:
            return
        try:
            if os.waitpid(self._keeper_pid, os.WNOHANG)[0] == 0:
                return  # a stale report about the descriptor's number
        except ChildProcessError:
            pass
        self._loop.remove_reader(self._keeper_pidfd)
        os.close(self._keeper_pidfd)
        self._keeper_pid = None
        if self._force_timer is not None:
            self._force_timer.cancel()
        if self._is_keeper_lost and prctl.adopts_orphans():
            self._kill_strays()

    def _kill_strays(self) -> None:
        """What a keeper that was killed would have ended."""
        if kill.kill_strays():
            self._loop.call_later(STRAY_PASS_SECONDS, self._kill_strays)

    # Output

    def pause_output(self, by: Pauser) -> None:
        """Stop reading; the process waits once its pipe is full."""
        self._paused_by.add(by)
        for fd in self._outputs:
            self._loop.remove_reader(fd)

    def resume_output(self, by: Pauser) -> None:
        """Read again once nobody wants it otherwise."""
        self._paused_by.discard(by)
        if self.pid is not None:
            for fd in list(self._outputs):
                self._listen(fd)

    def when_changed(self, callback: Callable[[], None]) -> None:
        """Call back once, at the next output or exit."""
        self._change_waiters.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        """Take back a `when_changed`."""
        if callback in self._change_waiters:
            self._change_waiters.remove(callback)

    def _listen(self, fd: int) -> None:
        if not self._paused_by:
            self._loop.add_reader(fd, lambda: self._read_output(fd))

    def _read_output(self, fd: int) -> None:
        """Read what is there, as far as it goes in one turn of the loop."""
        for _ in range(READS_AT_ONCE):
            if not self._read_once(fd) or self._paused_by:
                return

    def _read_what_waits(self, fd: int) -> None:
        """Read what is there now; what others go on writing is not the command's last words."""
        waiting = fcntl.ioctl(fd, termios.FIONREAD, bytes(4))
        left_bytes = int.from_bytes(waiting, sys.byteorder)
        while count := self._read_once(fd):
            if left_bytes <= 0:
                return
            left_bytes -= count

    def _read_once(self, fd: int) -> int:
        """How many bytes were read; 0 if there was nothing more."""
        stream = self._outputs.get(fd)
        if stream is None:
            return 0
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno != errno.EIO:
                log.warning("reading %s of process %s: %s", stream, self.id, error)
            data = b""
        if not data:
            self._end_output(fd)
            return 0
        self._gathering.add(stream, data)
        return len(data)

    def _tell_output(self, stream: Stream, data: bytes) -> None:
        self._listener.process_wrote(self, self.retained.add(stream, data))
        self._changed()

    def _end_output(self, fd: int) -> None:
        del self._outputs[fd]
        self._loop.remove_reader(fd)
        if fd == self._input.fd:
            self._input.drop()
        else:
            os.close(fd)
        if not self._outputs and self._is_ending:
            self._tell_exit()
            self._tell_closed()

    def _changed(self) -> None:
        waiters, self._change_waiters = self._change_waiters, []
        for waiter in waiters:
            waiter()

    # Input

    @property
    def can_be_written(self) -> bool:
        """Whether its input is still open."""
        return self._input.is_open

    def write(self, data: bytes, on_taken: Callable[[], None]) -> None:
        """Queue input; `on_taken` runs when the backlog is small. Raises `ServiceError`."""
        if not self.can_be_written:
            if self.has_terminal:
                raise ServiceError(INTERNAL_ERROR, "failed to write to process stdin")
            raise ServiceError(INVALID_REQUEST, f"stdin is closed for process {self.id}")
        self._input.write(data, on_taken)

    def close_stdin(self) -> None:
        """End the input once all of it is written. Raises `ServiceError` for a terminal."""
        if self.has_terminal:
            raise ServiceError(INVALID_REQUEST, f"process {self.id} has a terminal")
        self._input.end()

    def resize(self, rows: int, cols: int) -> None:
        """Change the terminal's size. Raises `ServiceError` for a process without one."""
        if not self.has_terminal:
            raise ServiceError(INVALID_REQUEST, f"process {self.id} has no terminal")
        if self._input.fd is not None:
            pty.resize(self._input.fd, rows, cols)

    def _input_dropped(self, fd: int) -> None:
        if fd not in self._outputs:
            os.close(fd)

    # Ending

    def interrupt(self) -> None:
        """What Ctrl-C does in a terminal, for everything it runs."""
        self._signal_keeper(signal.SIGUSR2)

    def terminate(self, grace_seconds: float) -> None:
        """End the whole tree: politely, by force after the grace, at once if that is 0."""
        if self._keeper_pid is None:
            return
        if grace_seconds <= 0:
            self._force()
            return
        self._signal_keeper(signal.SIGTERM)
        if self._force_timer is not None:
            self._force_timer.cancel()
        self._force_timer = self._loop.call_later(grace_seconds, self._force)

    def _force(self) -> None:
        self._signal_keeper(signal.SIGUSR1)

    def _signal_keeper(self, number: int) -> None:
        # Not yet waited for, so the number cannot belong to somebody else.
        if self._keeper_pid is not None:
            os.kill(self._keeper_pid, number)
            os.kill(self._keeper_pid, signal.SIGCONT)  # its command may have stopped it

    def _exit_reported(self, wait_status: int | None) -> None:
        self._is_ending = True
        if wait_status is None:
            self.exit_code = -1
        elif os.WIFSIGNALED(wait_status):
            self.exit_code, self.exit_signal = -1, os.WTERMSIG(wait_status)
        else:
            self.exit_code = os.WEXITSTATUS(wait_status)
        for fd in list(self._outputs):
            self._read_what_waits(fd)
        if self._outputs:
            self._timer = self._loop.call_later(TRAILING_OUTPUT_SECONDS, self._tell_exit)
        else:
            self._tell_exit()

    def _tell_exit(self) -> None:
        if self.is_exited:
            return
        self._gathering.flush()
        self.is_exited = True
        if self._timer is not None:
            self._timer.cancel()
        self._listener.process_exited(self)
        self._changed()
        if self._outputs:
            self._timer = self._loop.call_later(LINGER_SECONDS, self._tell_closed)
        else:
            self._tell_closed()

    def _tell_closed(self) -> None:
        if self.is_closed:
            return
        self._gathering.flush()
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._close_streams()
        self._listener.process_closed(self)

    def _close_streams(self) -> None:
        for fd in list(self._outputs):
            self._loop.remove_reader(fd)
            del self._outputs[fd]
            if fd != self._input.fd:
                os.close(fd)
        self._input.drop()
