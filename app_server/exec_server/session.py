"""The processes of one client: what it can ask of them and what it is told.

A session belongs to one connection at a time. The session of a client that says it may come back
outlives its connection for a while; meanwhile its processes run on and nobody is told. Such a
client also reads the numbering of release 0.128, in which an exit and a close count as well. A
method answers through a callback, at once or later.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from app_server.exec_server import files, protocol
from app_server.exec_server.confined_files import ConfinedChange
from app_server.exec_server.confinement import demanded
from app_server.exec_server.locations import URI_PREFIX, local_path
from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.mount_points import MountPointBlocked
from app_server.exec_server.output import RETAINED_BYTES, Chunk
from app_server.exec_server.processes import ManagedProcess
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    Body,
    Notification,
    ServiceError,
)
from app_server.exec_server.spawn import SpawnSpec, confined_spec

Reply: TypeAlias = Callable[[Body | ServiceError], None]

DEFAULT_ROWS, DEFAULT_COLS = 24, 80
ENTRY_KEPT_SECONDS = 30.0
"""How long an ended process can still be read."""
REMEMBERED_WRITES = 256


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a service."""

    retained_output_bytes_per_process: int = RETAINED_BYTES
    shutdown_grace_period_ms: int = 500
    """Between the polite and the hard signal when a connection ends."""
    terminate_grace_period_ms: int = 2000
    """The same for a `process/terminate` that names no mode."""
    max_processes_per_connection: int = 1024
    """Running ones; those that ended and can still be read do not count."""
    max_inherited_bytes: int = 1024 * 1024
    allow_direct_exec: bool = True
    """Whether a start may give any command, as v0 does."""
    allow_prepared_exec: bool = True
    """Whether a start may give a request that somebody has resolved."""
    detached_session_seconds: float = 10.0
    """How long a session waits for its client to come back."""


class Session:
    """The processes of one client, under an id that is hard to guess."""

    def __init__(
        self,
        session_id: str,
        loop: Loop,
        notify: Callable[[Notification], None],
        limits: Limits,
        *,
        is_resumable: bool,
    ) -> None:
        self.id = session_id
        self.is_resumable = is_resumable
        self._loop = loop
        self._notify: Callable[[Notification], None] | None = notify
        self._limits = limits
        self._is_closed = False
        self._uses_additions = is_resumable
        self._tells_signals_in_codes = False
        """As clients of release 0.169, which name places by URI, read them."""
        self._processes: dict[str, ManagedProcess] = {}
        self._writes: deque[tuple[str, str]] = deque(maxlen=REMEMBERED_WRITES)
        self._ending: list[ManagedProcess] = []
        self._is_output_paused = False

    # The connection

    @property
    def is_attached(self) -> bool:
        return self._notify is not None

    def attach(self, notify: Callable[[Notification], None]) -> None:
        """Tell this client from now on."""
        self._notify = notify

    def detach(self) -> None:
        """Nobody listens; output goes on and is retained."""
        self._notify = None
        self.resume_output()

    def _tell(self, notification: Notification) -> None:
        if self._notify is not None and not self._is_closed:
            self._notify(notification)

    # Methods

    def start(self, params: protocol.StartParams, reply: Reply) -> None:
        """Run a command as it is given."""
        if not self._limits.allow_direct_exec:
            raise ServiceError(INVALID_REQUEST, "this service runs prepared commands only")
        self._start(params, reply)

    def start_prepared(self, params: protocol.PreparedStartParams, reply: Reply) -> None:
        """Run a command that somebody trusted has resolved."""
        if not self._limits.allow_prepared_exec:
            raise ServiceError(INVALID_REQUEST, "this service runs no prepared commands")
        self._start(params.resolved(), reply)

    def _start(self, params: protocol.StartParams, reply: Reply) -> None:
        if params.process_id in self._processes:
            raise ServiceError(INVALID_REQUEST, "process ID already exists")
        if not params.argv:
            raise ServiceError(INVALID_PARAMS, "argv must not be empty")
        spec = _spec(params, self._limits)
        running = sum(not process.is_exited for process in self._processes.values())
        if running >= self._limits.max_processes_per_connection:
            raise ServiceError(INVALID_REQUEST, f"too many processes: {running} are running")
        process = ManagedProcess(
            params.process_id, self._loop, self._limits.retained_output_bytes_per_process, self
        )
        if self._is_output_paused:
            process.pause_output()
        hears_more = params.io is not None
        if hears_more:
            self._uses_additions = True
        if params.cwd.startswith(URI_PREFIX):
            self._tells_signals_in_codes = True

        def started(problem: str | None) -> None:
            if problem is not None:
                failed(problem)
                self._keep_until_ended(process)
                return
            reply(protocol.StartResult(process_id=process.id, pid=process.pid))
            if hears_more:
                self._tell(protocol.StartedNotification(process_id=process.id, pid=process.pid))

        def failed(problem: str) -> None:
            del self._processes[process.id]
            reply(ServiceError(INTERNAL_ERROR, problem))
            if hears_more:
                self._tell(protocol.FailedNotification(process_id=process.id, message=problem))

        self._processes[process.id] = process
        try:
            process.start(spec, started)
        except (OSError, MountPointBlocked) as error:
            failed(_os_text(error))

    def file(self, params: files.FileParams, reply: Reply) -> None:
        """Read or change a file, under the sandbox the request demands."""
        demand = demanded(params.sandbox)
        if demand is None or not files.is_change(params):
            reply(files.answer(params))
            return
        change = ConfinedChange(self._loop, params, demand)
        try:
            change.run(reply)
        except (OSError, MountPointBlocked) as error:
            raise ServiceError(INTERNAL_ERROR, _os_text(error)) from error
        self._keep_until_ended(change.process)

    def read(self, params: protocol.ReadParams, reply: Reply) -> None:
        process = self._known(params.process_id)
        timer: Timer | None = None

        def answer() -> None:
            if timer is not None:
                timer.cancel()
            process.forget(answer)
            reply(_read_result(process, params, counts_all=self.is_resumable))

        if (
            params.wait_ms
            and not process.is_exited
            and not process.retained.after(params.after_seq or 0)
        ):
            process.when_changed(answer)
            timer = self._loop.call_later(params.wait_ms / 1000, answer)
        else:
            answer()

    def write(self, params: protocol.WriteParams, reply: Reply) -> None:
        if self.is_resumable and params.process_id not in self._processes:
            reply(protocol.WriteResult(accepted=False, status="unknownProcess"))
            return
        process = self._known(params.process_id)
        if self.is_resumable and not process.can_be_written and not process.has_terminal:
            reply(protocol.WriteResult(accepted=False, status="stdinClosed"))
            return
        done = protocol.WriteResult(status="accepted" if self.is_resumable else msgspec.UNSET)
        if params.write_id is not None:
            write = (params.process_id, params.write_id)
            if write in self._writes:
                reply(done)
                return
            self._writes.append(write)
        process.write(params.chunk, lambda: reply(done))

    def terminate(self, params: protocol.TerminateParams) -> protocol.TerminateResult:
        process = self._processes.get(params.process_id)
        if process is None or (self.is_resumable and process.is_exited):
            return protocol.TerminateResult(running=False)
        match params.mode:
            case protocol.GracefulTermination(timeout_ms=timeout_ms):
                process.terminate(timeout_ms / 1000)
            case protocol.ForcedTermination():
                process.terminate(0)
            case None:
                process.terminate(self._limits.terminate_grace_period_ms / 1000)
        return protocol.TerminateResult(running=True)

    def wait(self, params: protocol.WaitParams, reply: Reply) -> None:
        process = self._known(params.process_id)

        def answer() -> None:
            if process.is_exited:
                reply(protocol.WaitResult(exit_code=_code(process), signal=process.exit_signal))
            else:
                process.when_changed(answer)

        answer()

    def resize(self, params: protocol.ResizeParams) -> protocol.EmptyResult:
        self._known(params.process_id).resize(params.rows, params.cols)
        return protocol.EmptyResult()

    def close_stdin(self, params: protocol.CloseStdinParams) -> protocol.EmptyResult:
        self._known(params.process_id).close_stdin()
        return protocol.EmptyResult()

    def snapshot(self, params: protocol.SnapshotParams) -> protocol.SnapshotResult:
        return _snapshot(self._known(params.process_id))

    def _known(self, process_id: str) -> ManagedProcess:
        process = self._processes.get(process_id)
        if process is None:
            raise ServiceError(INVALID_REQUEST, f"unknown process id {process_id}")
        return process

    # What processes tell

    def process_wrote(self, process: ManagedProcess, chunk: Chunk) -> None:
        self._tell(
            protocol.OutputNotification(
                process_id=process.id, stream=chunk.stream, chunk=chunk.data, seq=chunk.seq
            )
        )

    def process_exited(self, process: ManagedProcess) -> None:
        if self._tells_signals_in_codes and process.exit_signal is not None:
            process.exit_code = 128 + process.exit_signal
        self._tell(
            protocol.ExitedNotification(
                process_id=process.id,
                exit_code=_code(process),
                signal=process.exit_signal,
                seq=process.retained.take_number() if self.is_resumable else None,
                sandbox_denied=False if self.is_resumable else None,
            )
        )

    def process_closed(self, process: ManagedProcess) -> None:
        if self._is_closed:
            return
        if self._uses_additions:
            seq = process.retained.take_number() if self.is_resumable else None
            self._tell(protocol.ClosedNotification(process_id=process.id, seq=seq))
        # Once nothing is kept, only its number would be.
        kept = ENTRY_KEPT_SECONDS if self._limits.retained_output_bytes_per_process else 0.0

        def forget() -> None:
            if self._processes.get(process.id) is process:
                del self._processes[process.id]
                self._keep_until_ended(process)

        self._loop.call_later(kept, forget)

    def _keep_until_ended(self, process: ManagedProcess) -> None:
        """Leftovers of a process whose entry is gone are still ours to wait for."""
        self._ending = [other for other in self._ending if not other.is_ended]
        if not process.is_ended:
            self._ending.append(process)

    # Pressure and the end

    def pause_output(self) -> None:
        """The client is behind: read no more output."""
        self._is_output_paused = True
        for process in self._processes.values():
            process.pause_output()

    def resume_output(self) -> None:
        self._is_output_paused = False
        for process in self._processes.values():
            process.resume_output()

    def close(self) -> None:
        """The client is gone: end its processes and tell nobody."""
        self._is_closed = True
        for process in self._all():
            process.terminate(self._limits.shutdown_grace_period_ms / 1000)

    def end_by_force(self) -> None:
        """Stop being polite."""
        for process in self._all():
            process.terminate(0)

    @property
    def has_ended(self) -> bool:
        """Whether nothing this client started is left."""
        return all(process.is_ended for process in self._all())

    def _all(self) -> list[ManagedProcess]:
        return [*self._processes.values(), *self._ending]


def _spec(params: protocol.StartParams, limits: Limits) -> SpawnSpec:
    """The request with its defaults, checked. Raises `ServiceError`."""
    strings = [*params.argv, params.cwd, params.arg0 or "", *params.mount_points]
    strings += [*params.env.keys(), *params.env.values()]
    if any("\0" in string for string in strings):
        raise ServiceError(INVALID_PARAMS, "a string must not contain a NUL character")
    if any(not name or "=" in name for name in params.env):
        raise ServiceError(INVALID_PARAMS, "a variable's name must not be empty or contain `=`")
    cwd = local_path(params.cwd)
    if cwd is None:
        raise ServiceError(INVALID_PARAMS, f"cwd must be absolute: {params.cwd}")
    if any(number < 3 or number > 255 for number in params.inherited_data):
        raise ServiceError(INVALID_PARAMS, "inherited descriptors must be between 3 and 255")
    if sum(map(len, params.inherited_data.values())) > limits.max_inherited_bytes:
        raise ServiceError(INVALID_PARAMS, "inherited data is too large")
    io = params.io
    if io is None:
        io = (
            protocol.PtyIo(rows=DEFAULT_ROWS, cols=DEFAULT_COLS)
            if params.tty
            else protocol.PipeIo(stdin="open" if params.pipe_stdin else "closed")
        )
    spec = SpawnSpec(
        argv=params.argv,
        cwd=cwd,
        env=_environment(params),
        arg0=params.arg0,
        size=_size(io.rows, io.cols) if isinstance(io, protocol.PtyIo) else None,
        is_stdin_open=isinstance(io, protocol.PtyIo) or io.stdin == "open",
        inherited_data=params.inherited_data,
        mount_points=params.mount_points,
        claims_terminal=params.claims_terminal,
    )
    demand = demanded(params.sandbox, cwd)
    return spec if demand is None else confined_spec(spec, demand)


def _environment(params: protocol.StartParams) -> dict[str, str]:
    if params.env_policy is None:
        return params.env
    from app_server.exec.shell_env import command_environment

    return command_environment(params.env_policy, os.environ) | params.env


def _size(rows: int, cols: int) -> tuple[int, int]:
    if not (0 < rows < 65536 and 0 < cols < 65536):
        raise ServiceError(INVALID_PARAMS, "rows and cols must be between 1 and 65535")
    return rows, cols


def _read_result(
    process: ManagedProcess, params: protocol.ReadParams, *, counts_all: bool
) -> protocol.ReadResult:
    chunks = process.retained.after(params.after_seq or 0, params.max_bytes)
    next_seq = process.retained.next_seq
    if counts_all and chunks and chunks[-1].seq != process.retained.last_output_seq:
        # Whoever pages by this number must not skip what did not fit.
        next_seq = chunks[-1].seq + 1
    return protocol.ReadResult(
        chunks=[
            protocol.ReadChunk(seq=chunk.seq, stream=chunk.stream, chunk=chunk.data)
            for chunk in chunks
        ],
        next_seq=next_seq,
        exited=process.is_exited,
        exit_code=process.exit_code if process.is_exited else None,
        closed=process.is_closed if counts_all else msgspec.UNSET,
        failure=None if counts_all else msgspec.UNSET,
        sandbox_denied=False if counts_all else msgspec.UNSET,
    )


def _snapshot(process: ManagedProcess) -> protocol.SnapshotResult:
    return protocol.SnapshotResult(
        stdout=process.retained.joined("stdout"),
        stderr=process.retained.joined("stderr"),
        terminal=process.retained.joined("pty"),
        truncated=process.retained.is_truncated,
        exit_code=process.exit_code if process.is_exited else None,
        running=not process.is_exited,
    )


def _code(process: ManagedProcess) -> int:
    return -1 if process.exit_code is None else process.exit_code


def _os_text(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"{os.strerror(error.errno)} (os error {error.errno})"
    return str(error)
