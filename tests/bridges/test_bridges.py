"""Opening and closing bridges, and the files that tell plugins where they are."""

import asyncio
import os
import stat
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app_server.bridges.errors import BridgeInvalid, BridgeUnavailable
from app_server.bridges.state_file import BridgeState, remove_state, write_state
from tests.bridges.conftest import NOTES, World

OWN = BridgeState("http://127.0.0.1:1111", "owned")
FOREIGN = BridgeState("http://127.0.0.1:2222", "replacement")


async def test_a_bridge_says_where_it_is_to_its_user_alone(world: World) -> None:
    await world.open()
    content = world.state_path().read_bytes()
    state = msgspec.json.decode(content)
    assert list(state) == ["base_url", "token"]
    assert content == msgspec.json.encode(state)
    assert state["base_url"].startswith("http://127.0.0.1:")
    assert len(state["token"]) == 43
    assert stat.S_IMODE(os.stat(world.state_path()).st_mode) == 0o600
    assert os.listdir(world.codex_home) == [world.state_path().name]


async def test_bridges_have_ports_and_tokens_of_their_own(world: World) -> None:
    one = await world.open(one=NOTES, other=NOTES)
    other = world.plugin("other")
    assert one.base_url != other.base_url
    assert one.token != other.token


async def test_leaving_closes_the_port_and_removes_the_file(world: World) -> None:
    async with world.bridges({"notes": NOTES}):
        plugin = world.plugin()
    assert not world.state_path().exists()
    with pytest.raises(httpx.ConnectError):
        await plugin.ask("/local/notes/x")


async def test_the_newest_server_owns_the_name(world: World) -> None:
    world.state_path().write_text("left behind by a killed server")
    world.state_path().chmod(0o644)
    async with world.bridges({"notes": NOTES}):
        older = world.plugin()
        async with world.bridges({"notes": NOTES}):
            newer = world.plugin()
            assert newer.token != older.token
            assert stat.S_IMODE(os.stat(world.state_path()).st_mode) == 0o600
    assert not world.state_path().exists()


async def test_a_home_that_is_not_there_yet_is_made(world: World, tmp_path: Path) -> None:
    world.codex_home = tmp_path / "new" / "home"
    await world.open()
    assert world.state_path().exists()


def test_only_a_state_file_that_is_still_ours_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "plugin-backend-bridge.notes.json"
    write_state(path, FOREIGN)
    remove_state(path, OWN)
    assert path.exists()
    write_state(path, OWN)
    remove_state(path, OWN)
    assert not path.exists()
    remove_state(path, OWN)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"base_url": 1}', "\xff"])
def test_a_state_file_that_cannot_be_read_stays_and_is_told_without_its_content(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "plugin-backend-bridge.notes.json"
    path.write_text(content, "latin-1")
    remove_state(path, OWN)
    assert path.exists()
    assert str(path) in caplog.text


@pytest.mark.parametrize("bridge_id", ["", "a b", "a.b", "../x", "é", "a/b", "a\n"])
async def test_an_id_of_other_signs_is_refused(world: World, bridge_id: str) -> None:
    with pytest.raises(BridgeInvalid) as refused:
        await world.bridges({bridge_id: NOTES}).__aenter__()
    assert str(refused.value) == (
        "plugin backend bridge ids may contain only ASCII letters, digits, `_`, and `-`"
    )


@pytest.mark.parametrize("key", ["local_path_prefix", "backend_path_prefix"])
@pytest.mark.parametrize("prefix", ["", "notes/", "/notes", "notes"])
async def test_a_prefix_without_a_slash_at_both_ends_is_refused(
    world: World, key: str, prefix: str
) -> None:
    with pytest.raises(BridgeInvalid) as refused:
        await world.bridges({"notes": {**NOTES, key: prefix}}).__aenter__()
    assert str(refused.value) == f"plugin backend bridge {key} must start and end with `/`"


async def test_the_local_prefix_is_looked_at_first_and_a_single_slash_will_do(
    world: World,
) -> None:
    both = {"local_path_prefix": "x", "backend_path_prefix": "y"}
    with pytest.raises(BridgeInvalid, match="local_path_prefix"):
        await world.bridges({"notes": both}).__aenter__()
    plugin = await world.open(all={"local_path_prefix": "/", "backend_path_prefix": "/"})
    assert (await plugin.ask("/anything")).status_code == 200
    assert world.backend.seen[0].path == "/anything"


async def test_a_bridge_that_fails_closes_those_opened_before_it(world: World) -> None:
    invalid = {**NOTES, "local_path_prefix": "missing-leading-slash/"}
    with pytest.raises(BridgeInvalid):
        # given in the other order: ids say who is first
        await world.bridges({"b-invalid": invalid, "a-valid": NOTES}).__aenter__()
    assert os.listdir(world.codex_home) == []


async def test_a_state_file_that_cannot_be_written_is_an_error_that_says_why(
    world: World,
) -> None:
    world.state_path("b").mkdir()
    with pytest.raises(BridgeUnavailable, match="`b` cannot be opened: Is a directory"):
        await world.bridges({"a": NOTES, "b": NOTES}).__aenter__()
    assert os.listdir(world.codex_home) == [world.state_path("b").name]


async def test_closing_lets_a_running_request_finish(world: World) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_request: Request) -> Response:
        asked.set()
        await go_on.wait()
        return Response("done")

    world.backend.answers = [slowly]
    bridges = await world.bridges({"notes": NOTES}).__aenter__()
    plugin = world.plugin()
    asking = asyncio.create_task(plugin.ask("/local/notes/x"))
    await asked.wait()
    closing = asyncio.create_task(bridges.close())
    await asyncio.sleep(0)
    with pytest.raises(httpx.TransportError):  # refused, or let go unheard
        await plugin.ask("/local/notes/x")
    go_on.set()
    assert (await asking).text == "done"
    await closing
    assert not world.state_path().exists()


def test_a_token_does_not_show_where_a_state_is_printed() -> None:
    assert "owned" not in repr(OWN)


async def test_bridges_are_opened_in_the_byte_order_of_their_ids(world: World) -> None:
    late = {**NOTES, "local_path_prefix": "wrong"}
    early = {**NOTES, "backend_path_prefix": "wrong"}
    with pytest.raises(BridgeInvalid, match="backend_path_prefix"):
        await world.bridges({"a": late, "B": early}).__aenter__()
