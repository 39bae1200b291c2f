"""The processes of one client: what it can ask of them and what it is told.

A session belongs to one connection at a time. The session of a client that says it may come back
outlives its connection for a while; meanwhile its processes run on and nobody is told. Such a
client also reads the numbering of release 0.128, in which an exit and a close count as well. One
that names places by URI is of release 0.169, which reads a few things more. A method answers
through a callback, at once or later.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from app_server.exec_server import files, protocol
from app_server.exec_server.confined_files import ConfinedChange
from app_server.exec_server.confinement import check_reading, demanded
from app_server.exec_server.file_handles import FileHandles
from app_server.exec_server.file_methods import FileParams
from app_server.exec_server.limits import Limits
from app_server.exec_server.locations import URI_PREFIX
from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.missing_watch import MissingWatch
from app_server.exec_server.mount_points import MountPointBlocked
from app_server.exec_server.output import Chunk
from app_server.exec_server.processes import ManagedProcess
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    Body,
    Notification,
    ServiceError,
)
from app_server.exec_server.reports import (
    exit_code,
    read_result,
    sandbox_type,
    snapshot_of,
    was_denied_by_sandbox,
)
from app_server.exec_server.start_spec import resolved_spec

Reply: TypeAlias = Callable[[Body | ServiceError], None]

ENTRY_KEPT_SECONDS = 30.0
"""How long an ended process can still be read."""
REMEMBERED_WRITES = 256


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
        self.uses_uris = False
        """Whether the client is of release 0.169 or later."""
        self.handles = FileHandles()
        self.missing = MissingWatch(loop, self._tell)
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
        self.missing.stop()
        self.resume_output()
        for process in self._processes.values():
            process.resume_output("client")

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
        spec = resolved_spec(params, self._limits)
        running = sum(not process.is_exited for process in self._processes.values())
        if running >= self._limits.max_processes_per_connection:
            raise ServiceError(INVALID_REQUEST, f"too many processes: {running} are running")
        process = ManagedProcess(
            params.process_id, self._loop, self._limits.retained_output_bytes_per_process, self
        )
        if self._is_output_paused:
            process.pause_output("connection")
        hears_more = params.io is not None
        if hears_more:
            self._uses_additions = True
        if params.cwd.startswith(URI_PREFIX):
            self.uses_uris = True

        tells_sandbox = self.uses_uris or spec.confinement != "none"

        def started(problem: str | None) -> None:
            if problem is not None:
                failed(problem)
                self._keep_until_ended(process)
                return
            reply(
                protocol.StartResult(
                    process_id=process.id,
                    pid=process.pid,
                    sandbox_type=sandbox_type(process) if tells_sandbox else msgspec.UNSET,
                )
            )
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

    def file(self, params: FileParams, reply: Reply) -> None:
        """Read or change a file, under the sandbox the request demands."""
        if not files.is_change(params):
            check_reading(params.sandbox)
            reply(files.answer(params))
            return
        demand = demanded(params.sandbox)
        if demand is None:
            reply(files.answer(params))
            return
        change = ConfinedChange(self._loop, params, demand)
        try:
            change.run(reply)
        except (OSError, MountPointBlocked) as error:
            raise ServiceError(INTERNAL_ERROR, _os_text(error)) from error
        self._keep_until_ended(change.process)

    def http_request(self, params: protocol.HttpRequestParams, reply: Reply) -> None:
        """Ask somebody over HTTP; nobody waits for it but who asked."""
        from app_server.exec_server.http_request import HttpRequest

        request = HttpRequest(self._loop, params, reply, self._tell)
        try:
            request.run()
        except OSError as error:
            raise ServiceError(INTERNAL_ERROR, f"http/request failed: {error}") from error
        self._keep_until_ended(request.process)

    def read(self, params: protocol.ReadParams, reply: Reply) -> None:
        process = self._known(params.process_id)
        timer: Timer | None = None

        def answer() -> None:
            if timer is not None:
                timer.cancel()
            process.forget(answer)
            reply(read_result(process, params, counts_all=self.is_resumable))

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
                reply(protocol.WaitResult(exit_code=exit_code(process), signal=process.exit_signal))
            else:
                process.when_changed(answer)

        answer()

    def hold_output(self, params: protocol.HoldOutputParams) -> protocol.EmptyResult:
        process = self._known(params.process_id)
        if params.hold:
            process.pause_output("client")
        else:
            process.resume_output("client")
        return protocol.EmptyResult()

    def signal(self, params: protocol.SignalParams) -> protocol.EmptyResult:
        """Interrupt a process; nothing happens to one that has ended or never was."""
        process = self._processes.get(params.process_id)
        if process is not None and not process.is_exited:
            process.interrupt()
        return protocol.EmptyResult()

    def resize(self, params: protocol.ResizeParams) -> protocol.EmptyResult:
        self._known(params.process_id).resize(params.rows, params.cols)
        return protocol.EmptyResult()

    def close_stdin(self, params: protocol.CloseStdinParams) -> protocol.EmptyResult:
        self._known(params.process_id).close_stdin()
        return protocol.EmptyResult()

    def snapshot(self, params: protocol.SnapshotParams) -> protocol.SnapshotResult:
        return snapshot_of(self._known(params.process_id))

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
        if self.uses_uris and process.exit_signal is not None:
            process.exit_code = 128 + process.exit_signal
        tells_sandbox = self.is_resumable or process.confinement != "none"
        self._tell(
            protocol.ExitedNotification(
                process_id=process.id,
                exit_code=exit_code(process),
                signal=process.exit_signal,
                seq=process.retained.take_number() if self.is_resumable else None,
                sandbox_denied=was_denied_by_sandbox(process) if tells_sandbox else None,
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
            process.pause_output("connection")

    def resume_output(self) -> None:
        self._is_output_paused = False
        for process in self._processes.values():
            process.resume_output("connection")

    def close(self) -> None:
        """The client is gone: end its processes and tell nobody."""
        self._is_closed = True
        self.handles.close_all()
        self.missing.stop()
        for process in self._all():
            process.terminate(self._limits.shutdown_grace_period_ms / 1000)

    @property
    def has_ended(self) -> bool:
        """Whether nothing this client started is left."""
        return all(process.is_ended for process in self._all())

    def _all(self) -> list[ManagedProcess]:
        return [*self._processes.values(), *self._ending]


def _os_text(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"{os.strerror(error.errno)} (os error {error.errno})"
    return str(error)
