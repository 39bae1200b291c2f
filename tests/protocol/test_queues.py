"""Which calls wait for which: the queue a row gives for its params."""

from typing import Any

import pytest

from app_server.protocol import catalog
from app_server.protocol.decode import decode_params

USER = {"type": "custom", "instructions": "look"}

QUEUES: list[tuple[str, Any, str | None]] = [
    ("initialize", {"clientInfo": {"name": "a", "version": "1"}}, None),
    ("thread/start", {}, None),
    ("thread/list", {}, None),
    ("thread/read", {"threadId": "t"}, "thread:t"),
    ("thread/resume", {"threadId": "t", "path": "/p"}, "thread:t"),
    ("thread/resume", {"threadId": "", "path": "/p"}, "thread:/p"),
    ("thread/fork", {"threadId": "t"}, "thread:t"),
    ("turn/start", {"threadId": "t", "input": []}, "thread:t"),
    ("turn/interrupt", {"threadId": "t", "turnId": "u"}, "thread:t"),
    ("review/start", {"threadId": "t", "target": USER}, "thread:t"),
    ("mcpServer/tool/call", {"threadId": "t", "server": "s", "tool": "x"}, "thread:t"),
    ("mcpServer/resource/read", {"threadId": "t", "server": "s", "uri": "u"}, "thread:t"),
    ("mcpServer/resource/read", {"server": "s", "uri": "u"}, None),
    ("mcpServer/oauth/login", {"name": "s"}, "mcp-login:s"),
    ("mcpServerStatus/list", {}, "mcp-registry"),
    ("config/mcpServer/reload", None, "mcp-registry"),
    ("config/read", {}, "config"),
    ("skills/list", {}, "config"),
    ("marketplace/upgrade", {}, "config"),
    ("plugin/uninstall", {"pluginId": "p"}, "config"),
    ("plugin/list", {}, None),
    ("experimentalFeature/list", {}, "config"),
    ("externalAgentConfig/detect", {}, "config"),
    ("account/read", {}, "account-auth"),
    ("account/logout", None, "account-auth"),
    ("account/rateLimits/read", None, None),
    ("getAuthStatus", {}, "account-auth"),
    ("getConversationSummary", {}, None),
    ("memory/reset", None, "memory"),
    ("command/exec", {"command": ["true"]}, None),
    ("command/exec", {"command": ["true"], "processId": "p"}, "process:p"),
    ("command/exec/write", {"processId": "p"}, "process:p"),
    ("fs/watch", {"path": "/a", "watchId": "w"}, "watch:w"),
    ("fs/unwatch", {"watchId": "w"}, "watch:w"),
    ("fs/readFile", {"path": "/a"}, None),
    ("fuzzyFileSearch", {"query": "a", "roots": []}, None),
    ("fuzzyFileSearch/sessionUpdate", {"sessionId": "s", "query": "a"}, "search:s"),
]


@pytest.mark.parametrize(("method", "params", "queue"), QUEUES)
def test_a_call_waits_in_its_queue(method: str, params: Any, queue: str | None) -> None:
    row = catalog.client_method(method)
    assert row is not None
    assert row.queue(decode_params(row, params)) == queue


def test_processes_and_watches_belong_to_a_connection() -> None:
    private = {row.name for row in catalog.all_client_methods() if row.queue_is_private}
    assert private == {
        "command/exec",
        "command/exec/write",
        "command/exec/resize",
        "command/exec/terminate",
        "fs/watch",
        "fs/unwatch",
    }


def test_only_reads_are_shared() -> None:
    for row in catalog.all_client_methods():
        if row.shared:
            assert row.name.endswith(("/read", "/list", "/detect")) or row.name == "getAuthStatus"
