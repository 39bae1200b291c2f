"""Finding Ollama and LM Studio on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tui import local_models
from tui.local_models import LocalServer, find_local_servers


@asynccontextmanager
async def listening(answer: bytes) -> AsyncIterator[int]:
    """A server that gives everybody the same answer; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def http(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "models"),
    [
        (http(json.dumps({"data": [{"id": "llama3"}, {"id": "qwen"}]})), ("llama3", "qwen")),
        (http('{"data": null}'), ()),
        (http("not json"), ()),
    ],
)
async def test_a_server_that_answers_is_offered_with_its_models(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, models: tuple[str, ...]
) -> None:
    monkeypatch.setattr(local_models, "PROBE_SECONDS", 60.0)
    async with listening(answer) as port:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
        found = await find_local_servers()
    assert found[0] == LocalServer("ollama", "Ollama", models)


async def test_something_else_on_the_port_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(http("", "404 Not Found")) as port:
        monkeypatch.setenv("OLLAMA_HOST", f"http://127.0.0.1:{port}")
        assert all(server.provider != "ollama" for server in await find_local_servers())


def test_what_is_said_of_a_server_names_its_first_models() -> None:
    assert LocalServer("ollama", "Ollama", ()).facts == "running, but it has no model yet"
    assert LocalServer("ollama", "Ollama", ("a", "b", "c", "d", "e")).facts == "a, b, c and 2 more"
