"""The server without a terminal opens the bridges of its configuration, as a process."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

BOUND_SECONDS = 30
SERVER = (sys.executable, "-m", "app_server.cli.main", "app-server")
NOTES = """\
[plugin_backend_bridges.notes]
local_path_prefix = "/local/notes/"
backend_path_prefix = "/api/codex/notes/"
"""


@asynccontextmanager
async def running(home: Path, *arguments: str) -> AsyncIterator[Process]:
    environment = {**os.environ, "CODEX_HOME": str(home)}
    process = await asyncio.create_subprocess_exec(
        *SERVER, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
    )
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            yield process
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def refused(port: int) -> bytes:
    """What a bridge says to somebody without its token."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


def state_file(home: Path) -> Path:
    return home / "plugin-backend-bridge.notes.json"


def port_of(home: Path) -> int:
    state = msgspec.json.decode(state_file(home).read_bytes())
    return int(state["base_url"].rpartition(":")[2])


async def test_a_bridge_is_enough_to_stay_for(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text(NOTES)
    async with running(codex_home, "--listen", "off") as server:
        assert server.stderr is not None
        assert await server.stderr.readline() == b"codex app-server, for plugins\n"
        told = (await server.stderr.readline()).decode().strip()
        port = port_of(codex_home)
        assert told == f"plugin bridge notes: http://127.0.0.1:{port}"
        assert (await refused(port)).startswith(b"HTTP/1.1 401 ")
        server.terminate()
    assert server.returncode == 0
    assert not state_file(codex_home).exists()


async def test_a_bridge_lives_as_long_as_the_server_on_stdio(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text(NOTES)
    async with running(codex_home) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        params = b'{"clientInfo":{"name":"t","version":"1"}}'
        server.stdin.write(b'{"id":1,"method":"initialize","params":' + params + b"}\n")
        server.stdin.write(b'{"id":2,"method":"model/list","params":{}}\n')
        # the handshake may be answered early; everything else is once the bridges stand
        while b'"id":2' not in await server.stdout.readline():
            pass
        assert (await refused(port_of(codex_home))).startswith(b"HTTP/1.1 401 ")
        server.stdin.close()
    assert server.returncode == 0
    assert not state_file(codex_home).exists()


async def test_a_bridge_lives_beside_a_listener(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text(NOTES)
    async with running(codex_home, "--listen", "ws://127.0.0.1:0") as server:
        assert server.stderr is not None
        banner = [await server.stderr.readline() for _ in range(6)]
        assert banner[-1].startswith(b"  plugin bridge notes: http://127.0.0.1:")
        server.terminate()
    assert server.returncode == 0
    assert not state_file(codex_home).exists()


@pytest.mark.parametrize("listen", ["off", "stdio://", "ws://127.0.0.1:0"])
async def test_a_bridge_that_cannot_be_opened_keeps_the_server_from_starting(
    codex_home: Path, listen: str
) -> None:
    (codex_home / "config.toml").write_text(NOTES.replace('"/local', '"local'))
    async with running(codex_home, "--listen", listen) as server:
        assert server.stderr is not None
        told = (await server.stderr.read()).decode()
    assert told == (
        "codex app-server: plugin backend bridge local_path_prefix must start and end with `/`\n"
    )
    assert server.returncode == 1


async def test_without_a_bridge_there_is_nothing_to_stay_for(codex_home: Path) -> None:
    async with running(codex_home, "--listen", "off") as server:
        assert server.stderr is not None
        told = (await server.stderr.read()).decode()
    assert told == (
        "codex app-server: no transport configured; use --listen or enable remote control\n"
    )
    assert server.returncode == 1


async def test_settings_that_cannot_be_read_open_no_bridge_and_say_why(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text(NOTES + "surplus = 1\n")
    async with running(codex_home, "--listen", "off") as server:
        assert server.stderr is not None
        told = (await server.stderr.read()).decode()
    assert "no plugin backend bridge is opened" in told
    assert "unknown field `surplus`" in told
    assert server.returncode == 1
