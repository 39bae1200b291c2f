"""A connected process service as seen from here: requests out, processes and their output back.

The same for a service of our own and for one elsewhere. What a command wrote waits here until it is
read. A reader that falls behind holds its command up, so memory stays bounded; where a service that
is not ours cannot do that, the whole connection is held up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from app_server.exec.environment import (
    ExitStatus,
    OutputChunk,
    RunningProcess,
    SpawnRequest,
)
from app_server.exec.errors import CommandNotStarted, EnvironmentLost, StdinClosed
from app_server.exec_server import protocol
from app_server.exec_server.client import CallRejected, ExecServerClient, ExecServerError
from app_server.exec_server.locations import uri
from app_server.exec_server.protocol import Event

if TYPE_CHECKING:
    from app_server.exec.remote_files import RemoteFiles
    from app_server.exec.shell_env import Variables

log = logging.getLogger(__name__)

R = TypeVar("R")

LONGEST_START_SECONDS = 60.0
"""A start takes milliseconds, on a drowning machine some seconds."""
LONGEST_ANSWER_SECONDS = 30.0
"""What ends a command, its input or the size of its terminal is settled at once."""

UNREAD_HIGH_BYTES = 512 * 1024
UNREAD_LOW_BYTES = 256 * 1024
UNREAD_OF_ALL_HIGH_BYTES = 8 * 1024 * 1024
UNREAD_OF_ALL_LOW_BYTES = 2 * 1024 * 1024


class ConnectedService:
    """What one connection runs for us.

    A trusted service, one of ours on this machine, is taken at its word that output is base64; any
    other gives commands the variables of its own machine.
    """

    def __init__(self, client: ExecServerClient, *, is_trusted: bool) -> None:
        self._client = client
        self._is_trusted = is_trusted
        self._processes: dict[str, _ServiceProcess] = {}
        self._ids = count(1)
        self._unread_bytes = 0
        self._holds_single_processes = True
        """Until the service says that it does not know how."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_paused = False
        self._client.listen(self._event, self._lost)

    @property
    def is_lost(self) -> bool:
        return self._client.is_closed

    @property
    def applies_sandboxes(self) -> bool:
        """Whether it confines commands by itself."""
        return self._client.applies_sandboxes

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        if request.sandbox is not None and not self.applies_sandboxes:
            # Asked before, of another service behind the same address.
            raise CommandNotStarted("the process service cannot apply a sandbox any more")
        process_id = str(next(self._ids))
        # Known before the start, since output may arrive together with the answer.
        process = _ServiceProcess(self, process_id)
        self._processes[process_id] = process
        try:
            params = self._start_params(process_id, request)
            started = await self._answered(self._client.start(params), LONGEST_START_SECONDS)
        except CallRejected as error:
            del self._processes[process_id]
            raise CommandNotStarted(error.message) from error
        except ExecServerError as error:
            self._processes.pop(process_id, None)
            raise EnvironmentLost(str(error)) from error
        except UnicodeEncodeError as error:
            del self._processes[process_id]
            raise CommandNotStarted("the command is not valid UTF-8") from error
        except asyncio.CancelledError:
            # It may come to life after all; nobody would know of it.
            process.discard_output()
            if not self.is_lost:
                await asyncio.shield(self.terminate(process_id, 0))
            raise
        if request.sandbox is not None and started.sandbox_type in (msgspec.UNSET, "none"):
            process.discard_output()
            await self.terminate(process_id, 0)
            raise CommandNotStarted("the process service did not apply the sandbox it was given")
        process.pid = started.pid
        return process

    def _start_params(self, process_id: str, request: SpawnRequest) -> protocol.StartParams:
        def named(path: str | Path) -> str:
            return uri(str(path)) if self._client.names_places_by_uri else str(path)

        io: protocol.PtyIo | protocol.PipeIo
        if request.tty is not None:
            io = protocol.PtyIo(rows=request.tty.rows, cols=request.tty.cols)
        else:
            io = protocol.PipeIo(stdin=request.stdin)
        env, policy = request.env, None
        if request.variables and not self._is_trusted and self._client.inherits_by_policy:
            env, policy = request.variables.added, _policy(request.variables)
        return protocol.StartParams(
            process_id=process_id,
            argv=list(request.argv),
            cwd=named(request.cwd),
            env={name: value for name, value in env.items() if _is_text(name + value)},
            env_policy=policy,
            tty=request.tty is not None,
            arg0=request.arg0,
            io=io,
            # For those who know no `io`.
            pipe_stdin=request.tty is None and request.stdin == "open",
            inherited_data=dict(request.inherited_data),
            mount_points=list(request.mount_points),
            claims_terminal=request.claims_terminal,
            sandbox=_NO_SANDBOX if request.sandbox is None else request.sandbox.encoded(named),
        )

    async def write(self, process_id: str, data: bytes) -> None:
        try:
            await self._client.write(process_id, data)
        except CallRejected as error:
            raise StdinClosed from error
        except ExecServerError as error:
            raise EnvironmentLost(str(error)) from error

    async def close_stdin(self, process_id: str) -> None:
        with contextlib.suppress(ExecServerError):
            closed = self._client.close_stdin(process_id)
            await self._answered(closed, LONGEST_ANSWER_SECONDS)

    async def resize(self, process_id: str, rows: int, cols: int) -> None:
        with contextlib.suppress(ExecServerError):
            resized = self._client.resize(process_id, rows, cols)
            await self._answered(resized, LONGEST_ANSWER_SECONDS)

    async def terminate(self, process_id: str, grace_seconds: float) -> None:
        # Where the service is gone its processes are, too.
        with contextlib.suppress(ExecServerError):
            ended = self._client.terminate(process_id, grace_seconds)
            await self._answered(ended, LONGEST_ANSWER_SECONDS)

    async def _answered(self, asked: Coroutine[Any, Any, R], limit_seconds: float) -> R:
        """The answer to a call that has one soon. A service that gives none, because it was stopped
        or hangs, is given up, with all it runs: raises `ExecServerError`.

        While we read nothing of the connection ourselves, no answer can come, and none is missed.
        """
        answer = asyncio.ensure_future(asked)
        try:
            while not (await asyncio.wait([answer], timeout=limit_seconds))[0]:
                if not self.is_paused:
                    answer.cancel()
                    await self._client.close()
                    raise ExecServerError(
                        f"the process service has not answered for {limit_seconds:g} s "
                        "and was given up"
                    )
            return answer.result()
        finally:
            answer.cancel()

    def files(self) -> RemoteFiles:
        """The files there."""
        from app_server.exec.remote_files import RemoteFiles  # with the first patch or picture

        return RemoteFiles(self._client)

    async def close(self) -> None:
        """End the connection, and with it everything that runs."""
        await self._client.close()

    def hold_output(self, process_id: str, hold: bool) -> None:
        """Ask for no more output of one process, or for the rest."""
        if not self.is_lost:
            task = asyncio.get_running_loop().create_task(self._hold_output(process_id, hold))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _hold_output(self, process_id: str, hold: bool) -> None:
        try:
            await self._client.hold_output(process_id, hold)
        except CallRejected as error:
            # Else it has ended meanwhile.
            if "process/holdOutput" in error.message:
                self._holds_single_processes = False
        except ExecServerError:
            pass  # what is lost needs no holding

    def unread(self, change_bytes: int) -> None:
        """Keep count of what waits here, and hold everything up if nothing else helps."""
        self._unread_bytes += change_bytes
        if (
            not self._holds_single_processes
            and not self.is_paused
            and self._unread_bytes > UNREAD_OF_ALL_HIGH_BYTES
        ):
            self.is_paused = True
            self._client.pause()
        elif self.is_paused and self._unread_bytes < UNREAD_OF_ALL_LOW_BYTES:
            self.is_paused = False
            if not self.is_lost:
                self._client.resume()

    def _event(self, event: Event) -> None:
        process = self._processes.get(event.process_id)
        if process is None:
            return
        match event:
            case protocol.ReceivedOutput(stream=stream, encoded=encoded, seq=seq):
                if not self._is_trusted:
                    _ = event.chunk  # what is not base64 ends the connection
                process.wrote(OutputChunk(stream, encoded, seq or 0))
            case protocol.ExitedNotification(exit_code=code, signal=number, sandbox_denied=denied):
                known = None if code == -1 else code
                process.exited(ExitStatus(code=known, signal=number, sandbox_denied=denied))
            case protocol.ClosedNotification():
                del self._processes[event.process_id]
                process.closed()

    def _lost(self) -> None:
        if self._processes:
            log.warning("the process service ended with %d processes", len(self._processes))
        processes, self._processes = self._processes, {}
        for process in processes.values():
            process.exited(ExitStatus())
            process.closed()


class _ServiceProcess:
    """A process of the service."""

    def __init__(self, service: ConnectedService, process_id: str) -> None:
        self.pid: int | None = None
        self._service = service
        self._id = process_id
        self._chunks: deque[OutputChunk] = deque()
        self._has_news = asyncio.Event()
        self._is_closed = False
        self._is_discarding = False
        self._unread_bytes = 0
        self.is_held_up = False
        self._status: ExitStatus | None = None
        self._has_exited = asyncio.Event()

    async def output(self) -> AsyncIterator[OutputChunk]:
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._unread(-chunk.size_bytes)
                yield chunk
            if self._is_closed or self._is_discarding:
                return
            self._has_news.clear()
            await self._has_news.wait()

    def discard_output(self) -> None:
        self._is_discarding = True
        self._unread(-self._unread_bytes)
        self._chunks.clear()
        self._has_news.set()

    async def write(self, data: bytes) -> None:
        await self._service.write(self._id, data)

    async def close_stdin(self) -> None:
        await self._service.close_stdin(self._id)

    async def resize(self, rows: int, cols: int) -> None:
        await self._service.resize(self._id, rows, cols)

    async def terminate(self, grace_seconds: float = 2.0) -> None:
        await self._service.terminate(self._id, grace_seconds)

    async def kill(self) -> None:
        await self._service.terminate(self._id, 0)

    async def wait(self) -> ExitStatus:
        await self._has_exited.wait()
        assert self._status is not None
        return self._status

    def wrote(self, chunk: OutputChunk) -> None:
        if not self._is_discarding:
            self._chunks.append(chunk)
            self._unread(chunk.size_bytes)
            self._has_news.set()

    @property
    def has_unread_output(self) -> bool:
        return bool(self._chunks)

    def _unread(self, change_bytes: int) -> None:
        self._unread_bytes += change_bytes
        self._service.unread(change_bytes)
        if self.is_held_up:
            hold = self._unread_bytes > UNREAD_LOW_BYTES
        else:
            hold = self._unread_bytes > UNREAD_HIGH_BYTES
        if hold != self.is_held_up:
            self.is_held_up = hold
            if not self._is_closed:
                self._service.hold_output(self._id, hold)

    def exited(self, status: ExitStatus) -> None:
        if self._status is None:
            self._status = status
            self._has_exited.set()

    def closed(self) -> None:
        self._is_closed = True
        self._has_news.set()


_NO_SANDBOX = msgspec.Raw(b"null")


def _policy(variables: Variables) -> protocol.EnvironmentPolicy:
    policy, removed = variables.policy, variables.removed
    return protocol.EnvironmentPolicy(
        inherit=policy.inherit,
        ignore_default_excludes=policy.ignore_default_excludes,
        exclude=(*policy.exclude, *removed),
        set={name: value for name, value in policy.set.items() if name not in removed},
        include_only=policy.include_only,
    )


def _is_text(value: str) -> bool:
    """Whether it can travel: bytes that are not UTF-8 arrive from `os.environ` as surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
