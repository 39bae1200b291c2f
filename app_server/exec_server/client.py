"""The calling half of the process service: typed calls, typed events, one connection.

Calls are numbered from 1. Events go to one listener, in order, as they arrive; a listener that is
behind asks for a pause, which holds the whole connection up, never only a part. When the connection
ends every waiting call fails and the listener is told why.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from app_server import ids
from app_server.exec_server import messages, protocol
from app_server.exec_server.lines import LineReader, LineWriter
from app_server.exec_server.protocol import Event

log = logging.getLogger(__name__)

R = TypeVar("R", bound=protocol.Body)


class ExecServerError(Exception):
    """The service cannot be reached, or does not keep to the protocol."""


class TransportClosed(ExecServerError):
    """The connection has ended."""

    def __init__(self) -> None:
        super().__init__("exec-server transport closed")


class CallRejected(ExecServerError):
    """The service refused a call."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"exec-server rejected request ({code}): {message}")

    @property
    def is_unknown_method(self) -> bool:
        """Whether the service does not have what it was asked for."""
        if self.code == protocol.METHOD_NOT_FOUND:
            return True
        return self.code == protocol.INVALID_REQUEST and self.message.startswith("unknown method:")


class Transport(Protocol):
    """Carries messages, each a JSON text, and says when the connection has ended."""

    def open(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None: ...
    async def send(self, line: bytes) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    async def close(self) -> None: ...


class ExecServerClient:
    """One connection. Belongs to the event loop it was made on."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._calls: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._next_id = 1
        self._is_closed = False
        self.breach: str | None = None
        """How the service broke the rules, if that ended the connection."""
        self.names_places_by_uri = False
        """Whether the service is of release 0.169 or later; known once hands are shaken."""
        self.applies_sandboxes = False
        """Whether it keeps the sandbox a start asks for; known by then, too."""
        self.inherits_by_policy = False
        """Whether it can give a program its own variables; of release 0.128 or later, or ours."""
        self._on_event: Callable[[Event], None] = lambda event: None
        self._on_closed: Callable[[], None] = lambda: None
        transport.open(self._receive, self._ended)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def listen(self, on_event: Callable[[Event], None], on_closed: Callable[[], None]) -> None:
        """Hand events to this listener from now on, and tell it once when there will be none."""
        self._on_event = on_event
        self._on_closed = on_closed

    def pause(self) -> None:
        self._transport.pause()

    def resume(self) -> None:
        self._transport.resume()

    async def initialize(
        self, client_name: str, timeout_seconds: float
    ) -> protocol.InitializeResult:
        """Shake hands. Raises `ExecServerError`, also when it takes too long."""
        try:
            async with asyncio.timeout(timeout_seconds):
                result = await self.call(
                    "initialize",
                    protocol.InitializeParams(client_name=client_name, asks_for_sandboxes=True),
                    protocol.InitializeResult,
                )
        except TimeoutError:
            raise ExecServerError(
                f"timed out waiting for exec-server initialize handshake after {timeout_seconds:g}s"
            ) from None
        self.names_places_by_uri = not isinstance(result.environment_info, msgspec.UnsetType)
        self.applies_sandboxes = self.names_places_by_uri or result.applies_sandboxes is True
        self.inherits_by_policy = self.applies_sandboxes or isinstance(result.session_id, str)
        await self._transport.send(messages.notification_line("initialized", {}))
        return result

    async def call(self, method: str, params: protocol.Body, kind: type[R]) -> R:
        """Call a method. Raises `CallRejected`, `TransportClosed` or `ExecServerError`."""
        if self._is_closed:
            raise TransportClosed
        call_id = self._next_id
        self._next_id += 1
        answer = self._calls[call_id] = asyncio.get_running_loop().create_future()
        try:
            await self._transport.send(messages.request_line(call_id, method, params))
            raw = await answer
        finally:
            self._calls.pop(call_id, None)
        try:
            result: R = messages.read_body(kind, raw)
        except msgspec.MsgspecError as error:
            raise ExecServerError(
                f"failed to serialize or deserialize exec-server JSON: {error}"
            ) from error
        return result

    async def start(self, params: protocol.StartParams) -> protocol.StartResult:
        return await self.call("process/start", params, protocol.StartResult)

    async def start_prepared(self, params: protocol.PreparedStartParams) -> protocol.StartResult:
        """Start exactly what somebody has resolved."""
        return await self.call("process/start", params, protocol.StartResult)

    async def write(self, process_id: str, chunk: bytes) -> None:
        # Services of 0.169 want to tell a write that is said twice from two writes.
        write_id = ids.uuid4() if self.names_places_by_uri else None
        params = protocol.WriteParams(process_id=process_id, chunk=chunk, write_id=write_id)
        written = await self.call("process/write", params, protocol.WriteResult)
        if written.status in ("unknownProcess", "stdinClosed"):
            raise CallRejected(protocol.INVALID_REQUEST, f"the write came to {written.status}")

    async def terminate(self, process_id: str, grace_seconds: float | None = None) -> bool:
        """End a process; False if it is unknown. A grace of 0 means by force."""
        mode: protocol.GracefulTermination | protocol.ForcedTermination | None = None
        if grace_seconds is not None:
            mode = (
                protocol.GracefulTermination(timeout_ms=round(grace_seconds * 1000))
                if grace_seconds > 0
                else protocol.ForcedTermination()
            )
        params = protocol.TerminateParams(process_id=process_id, mode=mode)
        return (await self.call("process/terminate", params, protocol.TerminateResult)).running

    async def read(self, params: protocol.ReadParams) -> protocol.ReadResult:
        return await self.call("process/read", params, protocol.ReadResult)

    async def close_stdin(self, process_id: str) -> None:
        params = protocol.CloseStdinParams(process_id=process_id)
        await self.call("process/closeStdin", params, protocol.EmptyResult)

    async def hold_output(self, process_id: str, hold: bool) -> None:
        params = protocol.HoldOutputParams(process_id=process_id, hold=hold)
        await self.call("process/holdOutput", params, protocol.EmptyResult)

    async def resize(self, process_id: str, rows: int, cols: int) -> None:
        params = protocol.ResizeParams(process_id=process_id, rows=rows, cols=cols)
        await self.call("process/resize", params, protocol.EmptyResult)

    async def wait(self, process_id: str) -> protocol.WaitResult:
        params = protocol.WaitParams(process_id=process_id)
        return await self.call("process/wait", params, protocol.WaitResult)

    async def snapshot(self, process_id: str) -> protocol.SnapshotResult:
        params = protocol.SnapshotParams(process_id=process_id)
        return await self.call("process/snapshot", params, protocol.SnapshotResult)

    async def communicate(self, process_id: str, data: bytes = b"") -> protocol.SnapshotResult:
        """Give a pipe process its whole input, wait for its end, return what is retained."""
        if data:
            await self.write(process_id, data)
        await self.close_stdin(process_id)
        await self.wait(process_id)
        return await self.snapshot(process_id)

    async def close(self) -> None:
        """End the connection; the service then ends what it runs for us."""
        await self._transport.close()
        self._ended()

    def _receive(self, text: bytes) -> None:
        try:
            output = messages.read_output(text)
            if output is not None:
                self._on_event(output)
                return
            message = messages.read_message(text)
            if message.method is not None and message.id is None:
                kind = messages.EVENTS.get(message.method)
                if kind is not None:
                    self._on_event(messages.read_body(kind, message.params))
                return
            if message.method is not None:
                raise ValueError(
                    f"unexpected exec-server request from remote server: {message.method}"
                )
            answer = self._calls.get(message.id) if isinstance(message.id, int) else None
            if answer is None or answer.done():
                return  # a call given up meanwhile
            if bytes(message.error):
                error: messages.ErrorBody = messages.read_body(messages.ErrorBody, message.error)
                answer.set_exception(CallRejected(error.code, error.message))
            else:
                answer.set_result(message.result)
        except (ValueError, msgspec.MsgspecError) as error:
            # What cannot be understood leaves nothing to rely on.
            self.breach = str(error)
            log.warning("exec-server protocol error: %s", error)
            self._transport.pause()
            self._ended()

    def _ended(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(TransportClosed())
        self._on_closed()


class PipeTransport:
    """Lines over two descriptors, which it owns."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._is_open = True
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)
        self._has_room = asyncio.Event()
        self._has_room.set()

    def open(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._reader = LineReader(loop, self._read_fd, on_message, lambda problem: on_end())
        self._writer = LineWriter(
            loop, self._write_fd, self._pressure, on_broken=lambda problem: self._pressure(False)
        )

    async def send(self, line: bytes) -> None:
        """Queue a line; waits while the other side is far behind."""
        self._writer.write(line)
        await self._has_room.wait()

    def pause(self) -> None:
        self._reader.pause()

    def resume(self) -> None:
        self._reader.resume()

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._reader.stop()
            self._writer.stop()
            self._has_room.set()
            os.close(self._read_fd)
            os.close(self._write_fd)

    def _pressure(self, is_behind: bool) -> None:
        if is_behind:
            self._has_room.clear()
        else:
            self._has_room.set()
