"""Every method and notification by its wire name.

The tables say in which topic a name is declared, so that looking one up imports one topic. The
row there is a constant named after the wire name: `thread/name/set` is THREAD_NAME_SET. A test
compares the tables with what the topics declare. The order of the client methods is the order in
which the error for an unknown method lists them.
"""

from importlib import import_module
from typing import Any, TypeVar

from app_server.protocol.method import (
    ClientMethod,
    ClientNotification,
    Row,
    ServerMethod,
    ServerNotification,
)

RowT = TypeVar("RowT", bound=Row)


def client_method(name: str) -> ClientMethod[Any, Any] | None:
    """The row of a request that clients make; None for a name nobody declared."""
    return _find(name, CLIENT_METHODS, ClientMethod)


def server_method(name: str) -> ServerMethod[Any, Any] | None:
    """The row of a question that the server asks; None for a name nobody declared."""
    return _find(name, SERVER_METHODS, ServerMethod)


def server_notification(name: str) -> ServerNotification[Any] | None:
    return _find(name, SERVER_NOTIFICATIONS, ServerNotification)


def client_notification(name: str) -> ClientNotification[Any] | None:
    return _find(name, CLIENT_NOTIFICATIONS, ClientNotification)


def all_client_methods() -> list[ClientMethod[Any, Any]]:
    """Every row; imports every topic, as do the three below."""
    return _all(CLIENT_METHODS, ClientMethod)


def all_server_methods() -> list[ServerMethod[Any, Any]]:
    return _all(SERVER_METHODS, ServerMethod)


def all_server_notifications() -> list[ServerNotification[Any]]:
    return _all(SERVER_NOTIFICATIONS, ServerNotification)


def all_client_notifications() -> list[ClientNotification[Any]]:
    return _all(CLIENT_NOTIFICATIONS, ClientNotification)


def topics() -> list[str]:
    """The names of the modules that declare rows."""
    tables = (CLIENT_METHODS, SERVER_METHODS, SERVER_NOTIFICATIONS, CLIENT_NOTIFICATIONS)
    return sorted({topic for table in tables for topic in table.values()})


def constant_name(wire_name: str) -> str:
    """How the row of that name is called in its topic."""
    spaced = "".join(f"_{char}" if char.isupper() else char for char in wire_name)
    return spaced.replace("/", "_").upper()


def _find(name: str, table: dict[str, str], kind: type[RowT]) -> RowT | None:
    topic = table.get(name)
    if topic is None:
        return None
    row = getattr(import_module(f"app_server.protocol.{topic}"), constant_name(name))
    assert isinstance(row, kind)
    return row


def _all(table: dict[str, str], kind: type[RowT]) -> list[RowT]:
    return [row for name in table if (row := _find(name, table, kind)) is not None]


CLIENT_METHODS: dict[str, str] = {
    "initialize": "initialize",
    "thread/start": "thread",
    "thread/resume": "thread",
    "thread/fork": "thread",
    "thread/archive": "thread",
    "thread/unsubscribe": "thread",
    "thread/increment_elicitation": "thread_shell",
    "thread/decrement_elicitation": "thread_shell",
    "thread/name/set": "thread",
    "thread/goal/set": "goals",
    "thread/goal/get": "goals",
    "thread/goal/clear": "goals",
    "thread/metadata/update": "thread",
    "thread/memoryMode/set": "memory",
    "memory/reset": "memory",
    "thread/unarchive": "thread",
    "thread/compact/start": "thread_history",
    "thread/shellCommand": "thread_shell",
    "thread/approveGuardianDeniedAction": "guardian",
    "thread/backgroundTerminals/clean": "thread_shell",
    "thread/rollback": "thread_history",
    "thread/list": "thread_history",
    "thread/loaded/list": "thread_history",
    "thread/read": "thread_history",
    "thread/turns/list": "thread_history",
    "thread/inject_items": "thread_history",
    "skills/list": "skills",
    "hooks/list": "hooks",
    "marketplace/add": "marketplace",
    "marketplace/remove": "marketplace",
    "marketplace/upgrade": "marketplace",
    "plugin/list": "plugins",
    "plugin/read": "plugins",
    "app/list": "apps",
    "device/key/create": "not_ours",
    "device/key/public": "not_ours",
    "device/key/sign": "not_ours",
    "fs/readFile": "fs",
    "fs/writeFile": "fs",
    "fs/createDirectory": "fs",
    "fs/getMetadata": "fs",
    "fs/readDirectory": "fs",
    "fs/remove": "fs",
    "fs/copy": "fs",
    "fs/watch": "fs",
    "fs/unwatch": "fs",
    "skills/config/write": "skills",
    "plugin/install": "plugins",
    "plugin/uninstall": "plugins",
    "turn/start": "turn",
    "turn/steer": "turn",
    "turn/interrupt": "turn",
    "thread/realtime/start": "realtime",
    "thread/realtime/appendAudio": "realtime",
    "thread/realtime/appendText": "realtime",
    "thread/realtime/stop": "realtime",
    "thread/realtime/listVoices": "realtime",
    "review/start": "review",
    "model/list": "model",
    "modelProvider/capabilities/read": "model",
    "experimentalFeature/list": "features",
    "experimentalFeature/enablement/set": "features",
    "collaborationMode/list": "collaboration",
    "mock/experimentalMethod": "features",
    "mcpServer/oauth/login": "mcp",
    "config/mcpServer/reload": "mcp",
    "mcpServerStatus/list": "mcp",
    "mcpServer/resource/read": "mcp",
    "mcpServer/tool/call": "mcp",
    "windowsSandbox/setupStart": "not_ours",
    "account/login/start": "account",
    "account/login/cancel": "account",
    "account/logout": "account",
    "account/rateLimits/read": "rate_limits",
    "account/sendAddCreditsNudgeEmail": "rate_limits",
    "feedback/upload": "feedback",
    "command/exec": "command_exec",
    "command/exec/write": "command_exec",
    "command/exec/terminate": "command_exec",
    "command/exec/resize": "command_exec",
    "config/read": "config",
    "externalAgentConfig/detect": "external_agents",
    "externalAgentConfig/import": "external_agents",
    "config/value/write": "config",
    "config/batchWrite": "config",
    "configRequirements/read": "config_requirements",
    "account/read": "account",
    "getConversationSummary": "legacy",
    "gitDiffToRemote": "legacy",
    "getAuthStatus": "legacy",
    "fuzzyFileSearch": "file_search",
    "fuzzyFileSearch/sessionStart": "file_search",
    "fuzzyFileSearch/sessionUpdate": "file_search",
    "fuzzyFileSearch/sessionStop": "file_search",
    "thread/backgroundTerminals/list": "thread_shell",
    "thread/backgroundTerminals/terminate": "thread_shell",
    "account/login/complete": "account",
    "sandbox/read": "sandbox_read",
    "loginApiKey": "legacy",
    "loginChatGpt": "legacy",
    "cancelLoginChatGpt": "legacy",
    "logoutChatGpt": "legacy",
    "userInfo": "legacy",
}

OLDER_NAMES = frozenset({
    "loginApiKey",
    "loginChatGpt",
    "cancelLoginChatGpt",
    "logoutChatGpt",
    "userInfo",
    "loginChatGptComplete",
    "authStatusChange",
})  # fmt: skip
"""Of the first generation: spoken to clients that use them, and no part of the schema."""

UNLISTED_METHODS = frozenset({
    "thread/backgroundTerminals/list",
    "thread/backgroundTerminals/terminate",
    "account/login/complete",
    "sandbox/read",
}) | OLDER_NAMES  # fmt: skip
"""Not of release 0.128: left out where a refusal names the methods there are, as recorded."""

SERVER_METHODS: dict[str, str] = {
    "item/commandExecution/requestApproval": "approvals",
    "item/fileChange/requestApproval": "approvals",
    "item/tool/requestUserInput": "approvals",
    "mcpServer/elicitation/request": "elicitation",
    "item/permissions/requestApproval": "approvals",
    "item/tool/call": "approvals",
    "account/chatgptAuthTokens/refresh": "account",
    "applyPatchApproval": "legacy",
    "execCommandApproval": "legacy",
}

SERVER_NOTIFICATIONS: dict[str, str] = {
    "error": "notices",
    "thread/started": "thread",
    "thread/status/changed": "thread",
    "thread/archived": "thread",
    "thread/unarchived": "thread",
    "thread/closed": "thread",
    "skills/changed": "skills",
    "thread/name/updated": "thread",
    "thread/goal/updated": "goals",
    "thread/goal/cleared": "goals",
    "thread/tokenUsage/updated": "thread",
    "turn/started": "turn",
    "hook/started": "hooks",
    "turn/completed": "turn",
    "hook/completed": "hooks",
    "turn/diff/updated": "turn",
    "turn/plan/updated": "turn",
    "item/started": "item",
    "item/autoApprovalReview/started": "guardian",
    "item/autoApprovalReview/completed": "guardian",
    "item/completed": "item",
    "item/agentMessage/delta": "item_deltas",
    "item/plan/delta": "item_deltas",
    "command/exec/outputDelta": "command_exec",
    "item/commandExecution/outputDelta": "item_deltas",
    "item/commandExecution/terminalInteraction": "item_deltas",
    "item/fileChange/outputDelta": "item_deltas",
    "item/fileChange/patchUpdated": "item_deltas",
    "serverRequest/resolved": "approvals",
    "item/mcpToolCall/progress": "item_deltas",
    "mcpServer/oauthLogin/completed": "mcp",
    "mcpServer/startupStatus/updated": "mcp",
    "account/updated": "account",
    "account/rateLimits/updated": "rate_limits",
    "app/list/updated": "apps",
    "remoteControl/status/changed": "remote_control",
    "externalAgentConfig/import/completed": "external_agents",
    "fs/changed": "fs",
    "item/reasoning/summaryTextDelta": "item_deltas",
    "item/reasoning/summaryPartAdded": "item_deltas",
    "item/reasoning/textDelta": "item_deltas",
    "thread/compacted": "thread_history",
    "model/rerouted": "model",
    "model/verification": "model",
    "warning": "notices",
    "guardianWarning": "guardian",
    "deprecationNotice": "notices",
    "configWarning": "notices",
    "fuzzyFileSearch/sessionUpdated": "file_search",
    "fuzzyFileSearch/sessionCompleted": "file_search",
    "thread/realtime/started": "realtime",
    "thread/realtime/itemAdded": "realtime",
    "thread/realtime/transcript/delta": "realtime",
    "thread/realtime/transcript/done": "realtime",
    "thread/realtime/outputAudio/delta": "realtime",
    "thread/realtime/sdp": "realtime",
    "thread/realtime/error": "realtime",
    "thread/realtime/closed": "realtime",
    "windows/worldWritableWarning": "not_ours",
    "windowsSandbox/setupCompleted": "not_ours",
    "account/login/completed": "account",
    "rawResponseItem/completed": "raw_items",
    "loginChatGptComplete": "legacy",
    "authStatusChange": "legacy",
}

CLIENT_NOTIFICATIONS: dict[str, str] = {
    "initialized": "initialize",
}
