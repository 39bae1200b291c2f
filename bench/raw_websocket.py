"""A websocket client that costs next to nothing, so that it is the server that is measured."""

import asyncio
import json
import os
import struct
from collections.abc import Callable
from typing import Any


class RawWebSocket(asyncio.Protocol):
    """Masks with zeros, reads whole text frames, parses no JSON unless asked for."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._upgraded = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport
        self.on_text: Callable[[bytes], None] = lambda _text: None
        self.lost = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, port: int) -> "RawWebSocket":
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(cls, "127.0.0.1", port)
        client._transport.write(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {os.urandom(16).hex()[:22]}==\r\n\r\n".encode()
        )
        await client._upgraded
        return client

    def send(self, message: dict[str, Any]) -> None:
        text = json.dumps(message).encode()
        size = (
            struct.pack("!B", 0x80 | len(text))
            if len(text) < 126
            else b"\xfe" + struct.pack("!H", len(text))
        )
        self._transport.write(b"\x81" + size + b"\0\0\0\0" + text)

    async def ask(self, number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Call and wait for the answer; what else comes goes to `on_text` as before."""
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        others = self.on_text

        def look(text: bytes) -> None:
            message = json.loads(text)
            if message.get("id") == number and "method" not in message:
                self.on_text = others
                answer.set_result(message)
            else:
                others(text)

        self.on_text = look
        self.send({"id": number, "method": method, "params": params})
        return await answer

    async def hello(self, name: str = "bench") -> None:
        await self.ask(0, "initialize", {"clientInfo": {"name": name, "version": "1"}})

    def stop_reading(self) -> None:
        self._transport.pause_reading()

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded.done():
            head, ended, rest = self._buffer.partition(b"\r\n\r\n")
            if not ended:
                return
            assert b" 101 " in head, head
            self._buffer = rest
            self._upgraded.set_result(None)
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode == 1:
                self.on_text(payload)
            elif opcode == 9:
                self._transport.write(b"\x8a\x80\0\0\0\0")

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start or len(buffer) < start + size:
            return None
        frame = buffer[0] & 0xF, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return frame
