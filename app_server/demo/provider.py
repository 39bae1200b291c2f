"""The scripted model: the Responses API on a loopback port, answered from a script.

It speaks plain HTTP/1.1 with streamed events, so that everything above it runs as it does with a
real service. It lives on the event loop that starts it; `script`, `release` and `requests` may be
used from other threads. See `demo.script` for what a script can say.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any
from weakref import WeakSet

import msgspec

from app_server.accepting import stop_accepting
from app_server.demo.script import (
    Director,
    Gate,
    Json,
    Playlist,
    Reply,
    Request,
    as_json,
    reply_from,
)
from app_server.demo.stream import cues

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 1 << 20
CHUNK_BYTES = 16_384
"""Events that follow one another without delay travel together, about this much at a time."""


class ScriptedModel:
    """An async context manager; inside it `url` is a base URL for a provider."""

    def __init__(
        self, director: Director | None = None, *, models: Sequence[str] = ("gpt-5.5",)
    ) -> None:
        self.director: Director = director or Playlist([])
        self.models = list(models)
        self.requests: list[Request] = []
        """Everything asked so far except the list of models, oldest first."""
        self.routes: dict[tuple[str, str], Reply] = {}
        """Answers for other paths, by (method, path)."""
        self.connections_opened = 0
        self._arrived = threading.Condition()
        self._gates: dict[str, asyncio.Event] = {}
        self._handlers: set[asyncio.Task[None]] = set()
        self._transports: WeakSet[asyncio.WriteTransport] = WeakSet()
        self._streams = 0
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> ScriptedModel:
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, limit=MAX_HEAD_BYTES
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        await stop_accepting(self._server)
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        for transport in self._transports:  # some may wait for a reader that never comes
            transport.abort()
        await self._server.wait_closed()

    def script(self, *replies: Reply | Mapping[str, Any], default: Reply | None = None) -> None:
        """Answer the next requests with these replies; what an earlier script had left is gone."""
        self.director = Playlist([reply_from(reply) for reply in replies], default)

    def release(self, gate: str) -> None:
        """Let the streams waiting at this gate, now or later, go on."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(lambda: self._gate(gate).set())

    def wait_for_requests(self, count: int, timeout_seconds: float = 30.0) -> list[Request]:
        """Block until `count` requests have arrived in all. Not for the model's own loop."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, timeout_seconds):
                raise TimeoutError(f"{len(self.requests)} requests arrived, waited for {count}")
        return list(self.requests)

    def _gate(self, name: str) -> asyncio.Event:
        return self._gates.setdefault(name, asyncio.Event())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        self._transports.add(writer.transport)
        self.connections_opened += 1
        try:
            while (request := await _read_request(reader, writer)) is not None:
                if not await self._answer(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            log.debug("connection ended by the other side or by closing")
        finally:
            self._handlers.discard(handler)
            writer.close()

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; False ends the connection."""
        if (request.method, request.path.rpartition("/")[2]) == ("GET", "models"):
            listed = [{"id": slug, "object": "model", "owned_by": "script"} for slug in self.models]
            return _plain(writer, Reply(body={"object": "list", "data": listed}))
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        route = self.routes.get((request.method, request.path))
        if route is not None:
            return _plain(writer, route)
        if request.method != "POST" or not request.path.endswith(
            ("/responses", "/responses/compact")
        ):
            missing = {"error": {"message": f"nothing at {request.path}"}}
            return _plain(writer, Reply(status=404, body=missing))
        reply = _with_captures(self.director(request), request.text)
        if reply.no_headers:
            await reader.read(1)
            return False
        if reply.start_delay_ms:
            await asyncio.sleep(reply.start_delay_ms / 1000)
        if reply.is_plain:
            return _plain(writer, reply)
        return await self._stream(reply, reader, writer)

    async def _stream(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        self._streams += 1
        headers = {
            "content-type": "text/event-stream",
            "transfer-encoding": "chunked",
            "cache-control": "no-cache",
            **reply.headers,
        }
        writer.write(_head(200, headers))
        waiting: list[bytes] = []
        size = 0
        for cue in cues(reply, f"resp_{self._streams}"):
            if isinstance(cue, bytes):
                waiting.append(cue)
                size += len(cue)
                if size < CHUNK_BYTES:
                    continue
            _send_chunk(writer, waiting)
            size = 0
            await writer.drain()
            if isinstance(cue, Gate):
                await self._gate(cue.name).wait()
            elif not isinstance(cue, bytes):
                await asyncio.sleep(cue)
            if writer.is_closing():
                return False
        _send_chunk(writer, waiting)
        await writer.drain()
        if reply.hang_after is not None:
            await reader.read(1)
            return False
        if reply.disconnect_after is not None:
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _with_captures(reply: Reply, text: str) -> Reply:
    if not reply.capture:
        return reply
    script: Json = as_json(reply)
    filled = json.dumps(script)
    for name, pattern in reply.capture.items():
        matches = re.findall(pattern, text)
        value = str(matches[-1]) if matches else "0"
        bare = value if value.isdigit() else json.dumps(value)
        filled = filled.replace(f'"${{{name}}}"', bare)
        filled = filled.replace(f"${{{name}}}", json.dumps(value)[1:-1])
    return reply_from(json.loads(filled))


async def _read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """The next request on this connection; None when the client has closed it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as ended:
        if ended.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        content = await _read_chunks(reader.readline, reader.readexactly)
    else:
        content = await reader.readexactly(int(headers.get("content-length", 0)))
    path, _, query = target.partition("?")
    text = content.decode("utf-8", "replace")
    return Request(
        method=method, path=path, query=query, headers=headers, text=text, body=_json_or_none(text)
    )


async def _read_chunks(read_line: Callable[[], Any], read_exactly: Callable[[int], Any]) -> bytes:
    chunks = []
    while size := int((await read_line()).split(b";")[0], 16):
        chunks.append(await read_exactly(size))
        await read_line()
    await read_line()
    return b"".join(chunks)


def _json_or_none(text: str) -> Any:
    try:
        return msgspec.json.decode(text) if text else None
    except msgspec.DecodeError:
        return None


def _plain(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    body = reply.body
    if body is msgspec.UNSET:
        body = {"error": {"message": "scripted error"}}
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    headers = {
        "content-type": "text/plain" if isinstance(body, str) else "application/json",
        "content-length": str(len(content)),
        **reply.headers,
    }
    writer.write(_head(reply.status, headers) + content)
    return True


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {headers[name]}" for name in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _send_chunk(writer: asyncio.StreamWriter, waiting: list[bytes]) -> None:
    """Send what has gathered as one chunk and empty the list."""
    if waiting:
        content = b"".join(waiting)
        writer.write(b"%x\r\n" % len(content) + content + b"\r\n")
        waiting.clear()
