"""The methods of the process service, typed: one handler per connection, no wire in sight.

Owns the processes of its client and ends them when it is closed. A method answers through a
callback, at once or later. Rules of the handshake and the texts of refusals are those of
`exec-server.v0`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from app_server.exec_server import protocol
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
from app_server.exec_server.spawn import SpawnSpec

Reply: TypeAlias = Callable[[Body | ServiceError], None]

DEFAULT_ROWS, DEFAULT_COLS = 24, 80
ENTRY_KEPT_SECONDS = 30.0
"""How long an ended process can still be read."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a service."""

    retained_output_bytes_per_process: int = RETAINED_BYTES
    shutdown_grace_seconds: float = 0.5
    """Between the polite and the hard signal when a connection ends."""
    terminate_grace_seconds: float = 2.0
    """The same for a `process/terminate` that names no mode."""
    max_processes_per_connection: int = 1024
    """Running ones; those that ended and can still be read do not count."""
    max_inherited_bytes: int = 1024 * 1024


class ExecHandler:
    """The processes of one client."""

    def __init__(
        self, loop: Loop, notify: Callable[[Notification], None], limits: Limits | None = None
    ) -> None:
        self._loop = loop
        self._notify = notify
        self._limits = limits or Limits()
        self._is_initialize_answered = False
        self._is_ready = False
        self._is_closed = False
        self._uses_additions = False
        self._processes: dict[str, ManagedProcess] = {}
        self._ending: list[ManagedProcess] = []
        self._is_output_paused = False

    # Handshake

    def initialize(self, params: protocol.InitializeParams) -> protocol.InitializeResult:
        """Answer the first call of a connection. Raises `ServiceError`."""
        if self._is_initialize_answered:
            raise ServiceError(INVALID_REQUEST, "initialize may only be sent once per connection")
        self._is_initialize_answered = True
        return protocol.InitializeResult(protocol_version=protocol.PROTOCOL_VERSION)

    def initialized(self) -> None:
        """The client has seen the answer. Raises `ProtocolViolation`."""
        if not self._is_initialize_answered:
            raise protocol.ProtocolViolation(
                "received `initialized` notification before `initialize`"
            )
        self._is_ready = True

    def handle(self, params: Body, reply: Reply) -> bool:
        """Do what the params ask; True if the next request must wait for this one's answer."""
        try:
            if isinstance(params, protocol.InitializeParams):
                reply(self.initialize(params))
                return False
            self._require_handshake()
            match params:
                case protocol.StartParams():
                    self._start(params, reply)
                    return True
                case protocol.ReadParams():
                    self._read(params, reply)
                    return True
                case protocol.WriteParams():
                    self._write(params, reply)
                case protocol.TerminateParams():
                    reply(self._terminate(params))
                case protocol.ResizeParams():
                    self._known(params.process_id).resize(params.rows, params.cols)
                    reply(protocol.EmptyResult())
                case protocol.CloseStdinParams():
                    self._known(params.process_id).close_stdin()
                    reply(protocol.EmptyResult())
                case protocol.WaitParams():
                    self._wait(self._known(params.process_id), reply)
                case protocol.SnapshotParams():
                    reply(_snapshot(self._known(params.process_id)))
                case _:
                    raise ServiceError(INTERNAL_ERROR, "not handled")
        except ServiceError as error:
            reply(error)
        return False

    def _require_handshake(self) -> None:
        if not self._is_initialize_answered:
            raise ServiceError(
                INVALID_REQUEST, "client must call initialize before using exec methods"
            )
        if not self._is_ready:
            raise ServiceError(
                INVALID_REQUEST, "client must send initialized before using exec methods"
            )

    # Methods

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
        if params.io is not None:
            self._uses_additions = True

        def started(problem: str | None) -> None:
            if problem is not None:
                del self._processes[process.id]
                self._keep_until_ended(process)
                reply(ServiceError(INTERNAL_ERROR, problem))
            else:
                reply(protocol.StartResult(process_id=process.id, pid=process.pid))

        self._processes[process.id] = process
        try:
            process.start(spec, started)
        except (OSError, MountPointBlocked) as error:
            del self._processes[process.id]
            raise ServiceError(INTERNAL_ERROR, _os_text(error)) from error

    def _read(self, params: protocol.ReadParams, reply: Reply) -> None:
        process = self._known(params.process_id)
        timer: Timer | None = None

        def answer() -> None:
            if timer is not None:
                timer.cancel()
            process.forget(answer)
            reply(_read_result(process, params))

        if (
            params.wait_ms
            and not process.is_exited
            and not process.retained.after(params.after_seq or 0)
        ):
            process.when_changed(answer)
            timer = self._loop.call_later(params.wait_ms / 1000, answer)
        else:
            answer()

    def _write(self, params: protocol.WriteParams, reply: Reply) -> None:
        process = self._known(params.process_id)
        process.write(params.chunk, lambda: reply(protocol.WriteResult()))

    def _terminate(self, params: protocol.TerminateParams) -> protocol.TerminateResult:
        process = self._processes.get(params.process_id)
        if process is None:
            return protocol.TerminateResult(running=False)
        match params.mode:
            case protocol.GracefulTermination(timeout_ms=timeout_ms):
                process.terminate(timeout_ms / 1000)
            case protocol.ForcedTermination():
                process.terminate(0)
            case None:
                process.terminate(self._limits.terminate_grace_seconds)
        return protocol.TerminateResult(running=True)

    def _wait(self, process: ManagedProcess, reply: Reply) -> None:
        if process.is_exited:
            reply(protocol.WaitResult(exit_code=_code(process), signal=process.exit_signal))
        else:
            process.when_changed(lambda: self._wait(process, reply))

    def _known(self, process_id: str) -> ManagedProcess:
        process = self._processes.get(process_id)
        if process is None:
            raise ServiceError(INVALID_REQUEST, f"unknown process id {process_id}")
        return process

    # What processes tell

    def process_wrote(self, process: ManagedProcess, chunk: Chunk) -> None:
        if not self._is_closed:
            self._notify(
                protocol.OutputNotification(
                    process_id=process.id, stream=chunk.stream, chunk=chunk.data, seq=chunk.seq
                )
            )

    def process_exited(self, process: ManagedProcess) -> None:
        if not self._is_closed:
            self._notify(
                protocol.ExitedNotification(
                    process_id=process.id, exit_code=_code(process), signal=process.exit_signal
                )
            )

    def process_closed(self, process: ManagedProcess) -> None:
        if self._is_closed:
            return
        if self._uses_additions:
            self._notify(protocol.ClosedNotification(process_id=process.id))
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
            process.terminate(self._limits.shutdown_grace_seconds)

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
    if not os.path.isabs(params.cwd):
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
            else protocol.PipeIo()
        )
    return SpawnSpec(
        argv=params.argv,
        cwd=params.cwd,
        env=params.env,
        arg0=params.arg0,
        size=_size(io.rows, io.cols) if isinstance(io, protocol.PtyIo) else None,
        is_stdin_open=isinstance(io, protocol.PtyIo) or io.stdin == "open",
        inherited_data=params.inherited_data,
        mount_points=params.mount_points,
        claims_terminal=params.claims_terminal,
    )


def _size(rows: int, cols: int) -> tuple[int, int]:
    if not (0 < rows < 65536 and 0 < cols < 65536):
        raise ServiceError(INVALID_PARAMS, "rows and cols must be between 1 and 65535")
    return rows, cols


def _read_result(process: ManagedProcess, params: protocol.ReadParams) -> protocol.ReadResult:
    chunks = process.retained.after(params.after_seq or 0, params.max_bytes)
    return protocol.ReadResult(
        chunks=[
            protocol.ReadChunk(seq=chunk.seq, stream=chunk.stream, chunk=chunk.data)
            for chunk in chunks
        ],
        next_seq=process.retained.next_seq,
        exited=process.is_exited,
        exit_code=process.exit_code if process.is_exited else None,
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
