"""`http/request`: a request over HTTP from this machine, for clients of release 0.128 and later.

A small program makes it, so that the service waits for nobody. The body comes with the answer, or
follows it in pieces whose last one is done or says what went wrong.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from app_server.exec_server.loop import Loop, Timer
from app_server.exec_server.output import Chunk
from app_server.exec_server.processes import ManagedProcess
from app_server.exec_server.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Body,
    BodyDeltaNotification,
    Header,
    HttpRequestParams,
    HttpRequestResult,
    ServiceError,
)
from app_server.exec_server.spawn import SpawnSpec

Reply: TypeAlias = Callable[[Body | ServiceError], None]

PROGRAM = Path(__file__).with_name("http_child.py")
LARGEST_BODY_BYTES = 64 * 1024 * 1024
"""Of an answer that is not streamed."""

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class _Said(msgspec.Struct):
    """One line of the program."""

    status: int = 0
    headers: list[tuple[str, str]] = []
    piece: bytes | None = None
    done: bool = False
    error: str | None = None


_said_decoder = msgspec.json.Decoder(_Said)


class HttpRequest:
    """One request, from its start to the end of its body."""

    def __init__(
        self,
        loop: Loop,
        params: HttpRequestParams,
        reply: Reply,
        notify: Callable[[BodyDeltaNotification], None],
    ) -> None:
        """Raises `ServiceError`."""
        scheme = params.url.partition(":")[0].lower()
        if scheme not in ("http", "https"):
            raise ServiceError(
                INVALID_PARAMS, f"http/request only supports http and https URLs, got {scheme}"
            )
        if not _METHOD.fullmatch(params.method):
            raise ServiceError(
                INVALID_PARAMS, "http/request method is invalid: invalid HTTP method"
            )
        self.process = ManagedProcess("http/request", loop, 0, self)
        self._loop = loop
        self._params = params
        self._reply: Reply | None = reply
        self._notify = notify
        self._timer: Timer | None = None
        self._unread = b""
        self._complaint = ""
        self._head: _Said | None = None
        self._body = bytearray()
        self._seq = 0
        self._has_ended = False

    def run(self) -> None:
        """Raises `OSError`."""
        spec = SpawnSpec(
            argv=[sys.executable, "-I", "-S", str(PROGRAM)],
            cwd="/",
            env=dict(os.environ),
            arg0=None,
            size=None,
            is_stdin_open=True,
            inherited_data={},
            mount_points=(),
            claims_terminal=False,
        )
        self.process.start(spec, self._started)

    def _started(self, problem: str | None) -> None:
        if problem is not None:
            self._end(problem)
            return
        params = self._params
        if params.timeout_ms is not None:
            self._timer = self._loop.call_later(params.timeout_ms / 1000, self._timed_out)
        asked = {
            "method": params.method,
            "url": params.url,
            "headers": [(header.name, header.value) for header in params.headers],
            "body": params.body_base64,
        }
        try:
            self.process.write(msgspec.json.encode(asked), lambda: None)
            self.process.close_stdin()
        except ServiceError:
            pass  # it has ended already, and that is told

    def process_wrote(self, process: ManagedProcess, chunk: Chunk) -> None:
        if chunk.stream == "stderr":
            self._complaint = (self._complaint + chunk.data.decode(errors="replace"))[-1000:]
            return
        *lines, self._unread = (self._unread + chunk.data).split(b"\n")
        for line in lines:
            self._take(_said_decoder.decode(line))

    def process_exited(self, process: ManagedProcess) -> None:
        last_words = self._complaint.strip().rpartition("\n")[2]
        self._end(last_words or "the program that made it ended")

    def process_closed(self, process: ManagedProcess) -> None:
        pass

    def _take(self, said: _Said) -> None:
        if self._has_ended:
            return
        if said.error is not None or said.done:
            self._end(said.error)
        elif said.piece is None:
            self._head = said
            if self._params.stream_response:
                self._answer()
        elif self._params.stream_response:
            self._tell(said.piece)
        else:
            self._body += said.piece
            if len(self._body) > LARGEST_BODY_BYTES:
                self._end(f"the body has more than {LARGEST_BODY_BYTES} bytes")
                self.process.terminate(0)

    def _timed_out(self) -> None:
        self._end("operation timed out")
        self.process.terminate(0)

    def _end(self, problem: str | None) -> None:
        """Say how it ended, once."""
        if self._has_ended:
            return
        self._has_ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._reply is None:
            self._tell(b"", done=True, error=problem)
        elif problem is None and self._head is not None:
            self._answer()
        else:
            self._reply(ServiceError(INTERNAL_ERROR, f"http/request failed: {problem}"))

    def _answer(self) -> None:
        assert self._reply is not None
        assert self._head is not None
        reply, self._reply = self._reply, None
        headers = [Header(name=name, value=value) for name, value in self._head.headers]
        reply(
            HttpRequestResult(
                status=self._head.status, headers=headers, body_base64=bytes(self._body)
            )
        )

    def _tell(self, piece: bytes, *, done: bool = False, error: str | None = None) -> None:
        self._seq += 1
        self._notify(
            BodyDeltaNotification(
                request_id=self._params.request_id,
                seq=self._seq,
                delta_base64=piece,
                done=done,
                error=error,
            )
        )
