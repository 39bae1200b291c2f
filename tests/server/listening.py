"""A server of the test's own loop behind a real port, and what reaches it there as raw bytes."""

from __future__ import annotations

import asyncio
import struct

from app_server.client.client import Client
from app_server.client.connect import open_websocket
from app_server.protocol.initialize import ClientInfo
from app_server.server.server import Server

BOUND_SECONDS = 30
PING, PONG, CLOSE = 0x89, 0x8A, 0x88
"""First bytes of frames."""

ME = ClientInfo(name="test", version="1.0.0")


UPGRADE = (
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


class Listening:
    """A server that listens on a free port."""

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port

    async def client(self, name: str = "test") -> Client:
        client = await self.stranger()
        await client.initialize(ClientInfo(name=name, version="1"))
        return client

    async def stranger(self) -> Client:
        channel = await open_websocket(f"ws://127.0.0.1:{self.port}")
        return await Client(channel).__aenter__()

    async def close_code_after(self, frame: bytes) -> int:
        """Upgrade, send raw bytes, read the code of the close frame."""
        async with asyncio.timeout(BOUND_SECONDS):
            reader, writer = await self.raw()
            writer.write(frame)
            opcode, _length, code = struct.unpack("!BBH", await reader.readexactly(4))
        writer.close()
        assert opcode == CLOSE
        return int(code)

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Past the upgrade; nothing answers by itself."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            get("/", *UPGRADE).replace("Connection: close", "Connection: Upgrade").encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def http(self, request: str) -> str:
        """Send raw bytes, get everything that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request.encode())
        async with asyncio.timeout(BOUND_SECONDS):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.decode()


def get(path: str, *headers: str) -> str:
    lines = [f"GET {path} HTTP/1.1", "Connection: close", *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.append("Host: 127.0.0.1")
    return "\r\n".join([*lines, "", ""])
