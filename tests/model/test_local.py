"""Finding model services on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.model.local import LocalService, running_services


async def test_running_services_are_found_with_their_models(model: ScriptedModel) -> None:
    model.models = ["qwen3", "gpt-oss:20b"]
    found = await running_services({"CODEX_OSS_BASE_URL": model.url})
    assert found == [
        LocalService(
            provider_id=provider, name=name, url=model.url, models=["gpt-oss:20b", "qwen3"]
        )
        for provider, name in (("ollama", "Ollama"), ("lmstudio", "LM Studio"))
    ]


@asynccontextmanager
async def listener(answer: bytes) -> AsyncIterator[str]:
    """Something that answers every connection with these bytes and closes it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


OK = b"HTTP/1.0 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "models"),
    [
        (OK + b'{"data":[{"id":"b"},{"id":"a","x":1}]}', ["a", "b"]),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"data":[]}', []),
        (OK + b'{"object":"list","data":null}', []),
    ],
)
async def test_any_list_of_models_counts(answer: bytes, models: list[str]) -> None:
    async with listener(answer) as url:
        found = await running_services({"CODEX_OSS_BASE_URL": url})
    assert [service.models for service in found] == [models, models]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 404 Not Found\r\n\r\n",
        OK,
        OK + b"<html>",
        OK + b"[]",
        OK + b'{"data":[{"name":"x"}]}',
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
    ],
)
async def test_whatever_else_listens_there_is_no_model_service(answer: bytes) -> None:
    async with listener(answer) as url:
        assert await running_services({"CODEX_OSS_BASE_URL": url}) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "https://host/v1", "nonsense", "http://"])
async def test_nothing_there_is_nothing_found(url: str) -> None:
    assert await running_services({"CODEX_OSS_BASE_URL": url}) == []


async def test_a_port_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app_server.model.local.PROBE_TIMEOUT_SECONDS", 0.05)
    held = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await running_services({"CODEX_OSS_PORT": str(port)}) == []
        held.set()
