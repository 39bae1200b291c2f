"""The bodies of a plugin's requests and of their answers: large, slow, broken off."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app_server.bridges import endpoint, held_body
from tests.bridges.conftest import BOUND_SECONDS, World
from tests.bridges.test_requests import told
from tests.support.issuer import Issuer


async def test_an_answer_that_is_not_passed_on_is_closed(world: World, issuer: Issuer) -> None:
    closed = asyncio.Event()

    async def without_end(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"no" * 10_000
                    await asyncio.sleep(0)
            finally:
                closed.set()

        return StreamingResponse(body(), 401)

    plugin = await world.open()
    world.backend.answers = [without_end]
    assert (await plugin.ask("/local/notes/x")).status_code == 200
    async with asyncio.timeout(BOUND_SECONDS):
        await closed.wait()


async def test_a_large_answer_is_passed_on_while_it_comes(world: World) -> None:
    more = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await more.wait()
        yield b"second"

    async def answer(_request: Request) -> Response:
        return StreamingResponse(body())

    plugin = await world.open()
    world.backend.answers = [answer]
    assert world.client is not None
    async with (
        asyncio.timeout(BOUND_SECONDS),
        world.client.stream(
            "GET",
            f"{plugin.base_url}/local/notes/x",
            headers={"authorization": f"Bearer {plugin.token}"},
        ) as response,
    ):
        pieces = response.aiter_bytes()
        assert await anext(pieces) == b"first"
        more.set()
        assert await anext(pieces) == b"second"


async def test_an_answer_that_breaks_off_does_not_look_whole(world: World) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        raise ConnectionError

    async def answer(_request: Request) -> Response:
        return StreamingResponse(body())

    plugin = await world.open()
    world.backend.answers = [answer]
    with pytest.raises(httpx.RemoteProtocolError):
        await plugin.ask("/local/notes/x")


async def test_a_large_body_lies_on_disk_and_is_gone_afterwards(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(held_body, "IN_MEMORY_BYTES", 1000)
    plugin = await world.open()
    world.backend.answers = [Response(status_code=401)]
    content = os.urandom(300_000)
    answer = await plugin.ask("/local/notes/x", method="POST", content=content)
    assert answer.status_code == 200
    assert [seen.body == content for seen in world.backend.seen] == [True, True]
    assert list(folder.iterdir()) == []


async def test_a_body_that_cannot_be_kept_is_an_error_that_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_body, "IN_MEMORY_BYTES", 10)
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    plugin = await world.open()
    assert told(await plugin.ask("/local/notes/x", method="POST", content=b"x" * 100)) == (
        500,
        {"detail": "Failed to read plugin backend bridge request body: No such file or directory"},
    )


async def test_a_body_that_stops_coming_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "BODY_SILENCE_SECONDS", 0.01)
    plugin = await world.open()
    answer = await plugin.ask_raw("/local/notes/x", "content-length: 100\r\n", b"half")
    assert answer.endswith(
        b'{"detail":"Failed to read plugin backend bridge request body: nothing came for 0.01 s"}'
    )


async def test_a_plugin_that_leaves_ends_what_was_asked_for_it(world: World) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def never(request: Request) -> Response:
        asked.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        ended.set()
        return Response()

    plugin = await world.open()
    world.backend.answers = [never]
    asking = asyncio.create_task(plugin.ask("/local/notes/x"))
    async with asyncio.timeout(BOUND_SECONDS):
        await asked.wait()
        asking.cancel()
        await ended.wait()
