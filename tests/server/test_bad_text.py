"""Text that no file, command or variable can have is refused where it is used as one."""

from pathlib import Path
from typing import Any

import pytest

from app_server.protocol import catalog
from app_server.protocol.decode import decode_params
from app_server.protocol.errors import INVALID_PARAMS, INVALID_REQUEST, RpcError
from tests.server.connector import Connector
from tests.support.conversation import Conversation

NUL = "a\0b"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("command/exec", {"command": ["echo", NUL]}),
        ("command/exec", {"command": ["echo"], "env": {"A": NUL}}),
        ("command/exec", {"command": ["echo"], "env": {NUL: "a"}}),
        ("command/exec", {"command": ["echo"], "cwd": f"/{NUL}"}),
        ("fs/readFile", {"path": f"/{NUL}"}),
        ("fs/watch", {"path": f"/{NUL}", "watchId": "w"}),
        ("fuzzyFileSearch", {"query": "a", "roots": [f"/{NUL}"]}),
        ("fuzzyFileSearch/sessionStart", {"sessionId": "s", "roots": [f"/{NUL}"]}),
        ("config/read", {"cwd": f"/{NUL}"}),
        ("hooks/list", {"cwds": [f"/{NUL}"]}),
        ("thread/list", {"cursor": NUL}),
        ("thread/read", {"threadId": NUL}),
        ("thread/resume", {"threadId": "t", "path": f"/{NUL}"}),
        ("thread/start", {"cwd": f"/{NUL}"}),
        ("turn/start", {"threadId": "THREAD", "input": [], "cwd": f"/{NUL}"}),
    ],
)
async def test_a_nul_character_is_refused(
    connect: Connector, workspace: Path, method: str, params: dict[str, Any]
) -> None:
    client = await connect()
    thread = await Conversation.begin(client, cwd=str(workspace))
    row = catalog.client_method(method)
    assert row is not None
    named = {key: thread.thread_id if value == "THREAD" else value for key, value in params.items()}
    with pytest.raises(RpcError) as refused:
        await client.request(row, decode_params(row, named))
    assert refused.value.code in (INVALID_REQUEST, INVALID_PARAMS)
