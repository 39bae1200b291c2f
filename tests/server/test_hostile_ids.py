"""Names a client makes up are names: never a way to another file, whatever they look like."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app_server.protocol.initialize import ClientInfo, InitializeCapabilities, InitializeParams
from app_server.rpc.channel import local_pair
from app_server.rpc.frames import ErrorFrame, RequestFrame, ResultFrame
from app_server.server.server import Server
from tests.protocol.recorded_schema import ours
from tests.protocol.samples import samples
from tests.protocol.test_wrong_params import PARAMS
from tests.protocol.wrong_params import places

NAMES = (
    "clientId", "conversationId", "expectedTurnId", "itemId", "keyId", "loginId",
    "marketplaceName", "name", "pluginId", "pluginName", "processId", "server", "sessionId",
    "threadId", "turnId", "uri", "watchId",
)  # fmt: skip
HOSTILE = (
    "", ".", "..", "../../outside", "/etc/passwd", "~root", "..%2f..%2foutside", "a/../../b",
    "..\\..\\outside", "C:\\outside", "a\0b", "a\nb", "\ud800", "x" * 100_000,
    "00000000-0000-7000-8000-000000000000/../../outside",
)  # fmt: skip
RUN_SOMETHING = {"command/exec"}
"""Names here do not lead to what is done."""


def bare(method: str) -> dict[str, Any]:
    """Params with what is required and nothing else."""
    found: dict[str, Any] = samples(PARAMS[method], ours())[-1]
    return found


def named(method: str) -> list[str]:
    """The fields of the method's params that name something."""
    full = samples(PARAMS[method], ours())[0]
    found = {place.steps[0] for place in places(PARAMS[method], full, ours())}
    return sorted(found & set(NAMES))  # type: ignore[arg-type]


METHODS = [method for method in PARAMS if method not in RUN_SOMETHING and named(method)]


def everything_in(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("method", METHODS)
async def test_a_name_that_is_a_path_or_no_name_at_all_leads_nowhere(
    server: Server, codex_home: Path, tmp_path: Path, method: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    before = {k: v for k, v in everything_in(tmp_path).items() if not k.startswith(str(codex_home))}
    client, server_end = local_pair(through_json=True)
    serving = asyncio.create_task(server.serve(server_end))
    hello = InitializeParams(
        client_info=ClientInfo(name="test", version="1"),
        capabilities=InitializeCapabilities(experimental_api=True),
    )
    await client.send(RequestFrame("hello", "initialize", hello))
    calls = [(field, value) for field in named(method) for value in HOSTILE]
    async with asyncio.timeout(30):
        for number, (field, value) in enumerate(calls):
            await client.send(RequestFrame(number, method, {**bare(method), field: value}))
            while True:
                answer = await client.receive()
                assert answer is not None
                if isinstance(answer, ResultFrame | ErrorFrame) and answer.id == number:
                    break
            if isinstance(answer, ErrorFrame):
                assert "inside the server" not in answer.error.message
    await client.close()
    await serving
    after = {k: v for k, v in everything_in(tmp_path).items() if not k.startswith(str(codex_home))}
    assert after == before
