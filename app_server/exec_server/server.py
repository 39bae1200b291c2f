"""The process service over its standard streams: one client, one message per line.

The service ends when its input ends, when its output breaks, on SIGTERM, and when its owner ends;
in each case nothing that it started is left.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from app_server.exec_server import messages, protocol
from app_server.exec_server.connection import Connection
from app_server.exec_server.guardian import guarded
from app_server.exec_server.limits import Limits
from app_server.exec_server.lines import LineReader, LineWriter
from app_server.exec_server.loop import SelectorLoop

if TYPE_CHECKING:
    from app_server.rpc.ws_gate import ChecksCredentials

LABEL = "exec-server stdio"
ENDING_CHECK_SECONDS = 0.005
LONGEST_ENDING_SECONDS = 1.5
"""For processes to end by request; after that the guardian ends them."""


def serve(
    listen_url: str, limits: Limits | None = None, credentials: ChecksCredentials | None = None
) -> int:
    """Serve on `stdio://` or `ws://IP:PORT`; returns the exit status, 2 for any other URL.

    `credentials` are what a websocket client must show.
    """
    from app_server.exec_server.listen import ListenUrlError, Stdio, parse_listen_url

    try:
        listen = parse_listen_url(listen_url)
    except ListenUrlError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if isinstance(listen, Stdio):
        return serve_stdio(limits)
    from app_server.exec_server.websocket_server import serve_websocket

    return serve_websocket(listen, limits, credentials)


def serve_stdio(limits: Limits | None = None, owner_pid: int | None = None) -> int:
    """Serve one client on stdin and stdout; returns the exit status. Forks at once.

    With `owner_pid` (our parent) everything also ends when that process does.
    """
    return guarded(lambda: _StdioService(limits).run(), owner_pid)


class _StdioService:
    def __init__(self, limits: Limits | None) -> None:
        self._loop = SelectorLoop()
        self._has_ended = False
        input_fd, output_fd = _claim_streams()
        self._writer = LineWriter(self._loop, output_fd, self._pressure, self._broken)
        self._connection = Connection(self._loop, self._writer.write, limits)
        self._connection.on_room = self._read_on
        self._reader = LineReader(self._loop, input_fd, self._line, self._input_ended)
        self._checks_left = round(LONGEST_ENDING_SECONDS / ENDING_CHECK_SECONDS)

    def run(self) -> int:
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._loop.add_reader(wake_read, lambda: self._end(None))
        self._loop.run()
        return 0

    def _line(self, line: bytes) -> None:
        try:
            message = messages.read_message(line)
        except ValueError as error:
            reason = f"failed to parse JSON-RPC message from {LABEL}: {error}"
            try:
                self._connection.receive_garbage(reason)
            except protocol.ProtocolViolation as violation:
                self._end(str(violation))
            return
        try:
            self._connection.receive(message)
        except protocol.ProtocolViolation as violation:
            self._end(str(violation))
            return
        if self._connection.is_full:
            self._reader.pause()

    def _read_on(self) -> None:
        self._reader.resume()

    def _pressure(self, is_behind: bool) -> None:
        if is_behind:
            self._connection.handler.pause_output()
        else:
            self._connection.handler.resume_output()

    def _broken(self, problem: str) -> None:
        self._end(f"failed to write JSON-RPC message to {LABEL}: {problem}")

    def _input_ended(self, problem: str | None) -> None:
        self._end(problem and f"failed to read JSON-RPC message from {LABEL}: {problem}")

    def _end(self, reason: str | None) -> None:
        """The conversation is over: end every process, then ourselves."""
        if self._has_ended:
            return
        self._has_ended = True
        if reason is not None:
            sys.stderr.write(f"codex-exec-server: {reason}\n")
        self._reader.stop()
        self._connection.handler.close()
        self._check_ended()

    def _check_ended(self) -> None:
        self._checks_left -= 1
        if self._connection.handler.has_ended or self._checks_left <= 0:
            self._loop.stop()
        else:
            self._loop.call_later(ENDING_CHECK_SECONDS, self._check_ended)


def _claim_streams() -> tuple[int, int]:
    """Our own copies of stdin and stdout; stray prints go to stderr, stray reads see the end."""
    input_fd, output_fd = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    os.set_blocking(input_fd, False)
    os.set_blocking(output_fd, False)
    return input_fd, output_fd
