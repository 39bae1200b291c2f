"""Every method and notification by its wire name.

The tables say in which topic a row is declared, so that looking up one name imports one topic. A
test compares them with what the topics declare. The order of the client methods is the order in
which an unknown method's error lists them.
"""

from importlib import import_module
from typing import Any, TypeVar

from app_server.protocol.method import (
    ClientMethod,
    ClientNotification,
    ServerMethod,
    ServerNotification,
)

RowT = TypeVar("RowT")


def client_method(name: str) -> ClientMethod[Any, Any] | None:
    """The row of a request that clients make; None for a name nobody declared."""
    return _find(name, CLIENT_METHODS, ClientMethod)


def server_method(name: str) -> ServerMethod[Any, Any] | None:
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


def _find(name: str, table: dict[str, str], kind: type[RowT]) -> RowT | None:
    place = table.get(name)
    if place is None:
        return None
    topic, constant = place.split(":")
    row = getattr(import_module(f"app_server.protocol.{topic}"), constant)
    assert isinstance(row, kind)
    return row


def _all(table: dict[str, str], kind: type[RowT]) -> list[RowT]:
    return [row for name in table if (row := _find(name, table, kind)) is not None]


CLIENT_METHODS: dict[str, str] = {
    "initialize": "initialize:INITIALIZE",
    "thread/start": "thread:THREAD_START",
    "thread/resume": "thread:THREAD_RESUME",
    "thread/fork": "thread:THREAD_FORK",
    "thread/archive": "thread:THREAD_ARCHIVE",
    "thread/unsubscribe": "thread:THREAD_UNSUBSCRIBE",
    "thread/increment_elicitation": "thread_shell:THREAD_INCREMENT_ELICITATION",
    "thread/decrement_elicitation": "thread_shell:THREAD_DECREMENT_ELICITATION",
    "thread/name/set": "thread:THREAD_NAME_SET",
    "thread/goal/set": "goals:THREAD_GOAL_SET",
    "thread/goal/get": "goals:THREAD_GOAL_GET",
    "thread/goal/clear": "goals:THREAD_GOAL_CLEAR",
    "thread/metadata/update": "thread:THREAD_METADATA_UPDATE",
    "thread/memoryMode/set": "memory:THREAD_MEMORY_MODE_SET",
    "memory/reset": "memory:MEMORY_RESET",
    "thread/unarchive": "thread:THREAD_UNARCHIVE",
    "thread/compact/start": "thread_history:THREAD_COMPACT_START",
    "thread/shellCommand": "thread_shell:THREAD_SHELL_COMMAND",
    "thread/approveGuardianDeniedAction": "guardian:THREAD_APPROVE_GUARDIAN_DENIED_ACTION",
    "thread/backgroundTerminals/clean": "thread_shell:THREAD_BACKGROUND_TERMINALS_CLEAN",
    "thread/rollback": "thread_history:THREAD_ROLLBACK",
    "thread/list": "thread_history:THREAD_LIST",
    "thread/loaded/list": "thread_history:THREAD_LOADED_LIST",
    "thread/read": "thread_history:THREAD_READ",
    "thread/turns/list": "thread_history:THREAD_TURNS_LIST",
    "thread/inject_items": "thread_history:THREAD_INJECT_ITEMS",
    "skills/list": "skills:SKILLS_LIST",
    "hooks/list": "hooks:HOOKS_LIST",
    "marketplace/add": "marketplace:MARKETPLACE_ADD",
    "marketplace/remove": "marketplace:MARKETPLACE_REMOVE",
    "marketplace/upgrade": "marketplace:MARKETPLACE_UPGRADE",
    "plugin/list": "plugins:PLUGIN_LIST",
    "plugin/read": "plugins:PLUGIN_READ",
    "app/list": "apps:APP_LIST",
    "device/key/create": "not_ours:DEVICE_KEY_CREATE",
    "device/key/public": "not_ours:DEVICE_KEY_PUBLIC",
    "device/key/sign": "not_ours:DEVICE_KEY_SIGN",
    "fs/readFile": "fs:FS_READ_FILE",
    "fs/writeFile": "fs:FS_WRITE_FILE",
    "fs/createDirectory": "fs:FS_CREATE_DIRECTORY",
    "fs/getMetadata": "fs:FS_GET_METADATA",
    "fs/readDirectory": "fs:FS_READ_DIRECTORY",
    "fs/remove": "fs:FS_REMOVE",
    "fs/copy": "fs:FS_COPY",
    "fs/watch": "fs:FS_WATCH",
    "fs/unwatch": "fs:FS_UNWATCH",
    "skills/config/write": "skills:SKILLS_CONFIG_WRITE",
    "plugin/install": "plugins:PLUGIN_INSTALL",
    "plugin/uninstall": "plugins:PLUGIN_UNINSTALL",
    "turn/start": "turn:TURN_START",
    "turn/steer": "turn:TURN_STEER",
    "turn/interrupt": "turn:TURN_INTERRUPT",
    "thread/realtime/start": "realtime:THREAD_REALTIME_START",
    "thread/realtime/appendAudio": "realtime:THREAD_REALTIME_APPEND_AUDIO",
    "thread/realtime/appendText": "realtime:THREAD_REALTIME_APPEND_TEXT",
    "thread/realtime/stop": "realtime:THREAD_REALTIME_STOP",
    "thread/realtime/listVoices": "realtime:THREAD_REALTIME_LIST_VOICES",
    "review/start": "review:REVIEW_START",
    "model/list": "model:MODEL_LIST",
    "modelProvider/capabilities/read": "model:MODEL_PROVIDER_CAPABILITIES_READ",
    "experimentalFeature/list": "features:EXPERIMENTAL_FEATURE_LIST",
    "experimentalFeature/enablement/set": "features:EXPERIMENTAL_FEATURE_ENABLEMENT_SET",
    "collaborationMode/list": "collaboration:COLLABORATION_MODE_LIST",
    "mock/experimentalMethod": "features:MOCK_EXPERIMENTAL_METHOD",
    "mcpServer/oauth/login": "mcp:MCP_SERVER_OAUTH_LOGIN",
    "config/mcpServer/reload": "mcp:CONFIG_MCP_SERVER_RELOAD",
    "mcpServerStatus/list": "mcp:MCP_SERVER_STATUS_LIST",
    "mcpServer/resource/read": "mcp:MCP_SERVER_RESOURCE_READ",
    "mcpServer/tool/call": "mcp:MCP_SERVER_TOOL_CALL",
    "windowsSandbox/setupStart": "not_ours:WINDOWS_SANDBOX_SETUP_START",
    "account/login/start": "account:ACCOUNT_LOGIN_START",
    "account/login/cancel": "account:ACCOUNT_LOGIN_CANCEL",
    "account/logout": "account:ACCOUNT_LOGOUT",
    "account/rateLimits/read": "rate_limits:ACCOUNT_RATE_LIMITS_READ",
    "account/sendAddCreditsNudgeEmail": "rate_limits:ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL",
    "feedback/upload": "feedback:FEEDBACK_UPLOAD",
    "command/exec": "command_exec:COMMAND_EXEC",
    "command/exec/write": "command_exec:COMMAND_EXEC_WRITE",
    "command/exec/terminate": "command_exec:COMMAND_EXEC_TERMINATE",
    "command/exec/resize": "command_exec:COMMAND_EXEC_RESIZE",
    "config/read": "config:CONFIG_READ",
    "externalAgentConfig/detect": "external_agents:EXTERNAL_AGENT_CONFIG_DETECT",
    "externalAgentConfig/import": "external_agents:EXTERNAL_AGENT_CONFIG_IMPORT",
    "config/value/write": "config:CONFIG_VALUE_WRITE",
    "config/batchWrite": "config:CONFIG_BATCH_WRITE",
    "configRequirements/read": "config_requirements:CONFIG_REQUIREMENTS_READ",
    "account/read": "account:ACCOUNT_READ",
    "getConversationSummary": "legacy:GET_CONVERSATION_SUMMARY",
    "gitDiffToRemote": "legacy:GIT_DIFF_TO_REMOTE",
    "getAuthStatus": "legacy:GET_AUTH_STATUS",
    "fuzzyFileSearch": "file_search:FUZZY_FILE_SEARCH",
    "fuzzyFileSearch/sessionStart": "file_search:FUZZY_FILE_SEARCH_SESSION_START",
    "fuzzyFileSearch/sessionUpdate": "file_search:FUZZY_FILE_SEARCH_SESSION_UPDATE",
    "fuzzyFileSearch/sessionStop": "file_search:FUZZY_FILE_SEARCH_SESSION_STOP",
}

SERVER_METHODS: dict[str, str] = {
    "item/commandExecution/requestApproval": "approvals:ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL",
    "item/fileChange/requestApproval": "approvals:ITEM_FILE_CHANGE_REQUEST_APPROVAL",
    "item/tool/requestUserInput": "approvals:ITEM_TOOL_REQUEST_USER_INPUT",
    "mcpServer/elicitation/request": "elicitation:MCP_SERVER_ELICITATION_REQUEST",
    "item/permissions/requestApproval": "approvals:ITEM_PERMISSIONS_REQUEST_APPROVAL",
    "item/tool/call": "approvals:ITEM_TOOL_CALL",
    "account/chatgptAuthTokens/refresh": "account:ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH",
    "applyPatchApproval": "legacy:APPLY_PATCH_APPROVAL",
    "execCommandApproval": "legacy:EXEC_COMMAND_APPROVAL",
}

SERVER_NOTIFICATIONS: dict[str, str] = {
    "error": "notices:ERROR",
    "thread/started": "thread:THREAD_STARTED",
    "thread/status/changed": "thread:THREAD_STATUS_CHANGED",
    "thread/archived": "thread:THREAD_ARCHIVED",
    "thread/unarchived": "thread:THREAD_UNARCHIVED",
    "thread/closed": "thread:THREAD_CLOSED",
    "skills/changed": "skills:SKILLS_CHANGED",
    "thread/name/updated": "thread:THREAD_NAME_UPDATED",
    "thread/goal/updated": "goals:THREAD_GOAL_UPDATED",
    "thread/goal/cleared": "goals:THREAD_GOAL_CLEARED",
    "thread/tokenUsage/updated": "thread:THREAD_TOKEN_USAGE_UPDATED",
    "turn/started": "turn:TURN_STARTED",
    "hook/started": "hooks:HOOK_STARTED",
    "turn/completed": "turn:TURN_COMPLETED",
    "hook/completed": "hooks:HOOK_COMPLETED",
    "turn/diff/updated": "turn:TURN_DIFF_UPDATED",
    "turn/plan/updated": "turn:TURN_PLAN_UPDATED",
    "item/started": "item:ITEM_STARTED",
    "item/autoApprovalReview/started": "guardian:ITEM_AUTO_APPROVAL_REVIEW_STARTED",
    "item/autoApprovalReview/completed": "guardian:ITEM_AUTO_APPROVAL_REVIEW_COMPLETED",
    "item/completed": "item:ITEM_COMPLETED",
    "item/agentMessage/delta": "item_deltas:ITEM_AGENT_MESSAGE_DELTA",
    "item/plan/delta": "item_deltas:ITEM_PLAN_DELTA",
    "command/exec/outputDelta": "command_exec:COMMAND_EXEC_OUTPUT_DELTA",
    "item/commandExecution/outputDelta": "item_deltas:ITEM_COMMAND_EXECUTION_OUTPUT_DELTA",
    "item/commandExecution/terminalInteraction": "item_deltas:ITEM_COMMAND_EXECUTION_TERMINAL_INTERACTION",
    "item/fileChange/outputDelta": "item_deltas:ITEM_FILE_CHANGE_OUTPUT_DELTA",
    "item/fileChange/patchUpdated": "item_deltas:ITEM_FILE_CHANGE_PATCH_UPDATED",
    "serverRequest/resolved": "approvals:SERVER_REQUEST_RESOLVED",
    "item/mcpToolCall/progress": "item_deltas:ITEM_MCP_TOOL_CALL_PROGRESS",
    "mcpServer/oauthLogin/completed": "mcp:MCP_SERVER_OAUTH_LOGIN_COMPLETED",
    "mcpServer/startupStatus/updated": "mcp:MCP_SERVER_STARTUP_STATUS_UPDATED",
    "account/updated": "account:ACCOUNT_UPDATED",
    "account/rateLimits/updated": "rate_limits:ACCOUNT_RATE_LIMITS_UPDATED",
    "app/list/updated": "apps:APP_LIST_UPDATED",
    "remoteControl/status/changed": "remote_control:REMOTE_CONTROL_STATUS_CHANGED",
    "externalAgentConfig/import/completed": "external_agents:EXTERNAL_AGENT_CONFIG_IMPORT_COMPLETED",
    "fs/changed": "fs:FS_CHANGED",
    "item/reasoning/summaryTextDelta": "item_deltas:ITEM_REASONING_SUMMARY_TEXT_DELTA",
    "item/reasoning/summaryPartAdded": "item_deltas:ITEM_REASONING_SUMMARY_PART_ADDED",
    "item/reasoning/textDelta": "item_deltas:ITEM_REASONING_TEXT_DELTA",
    "thread/compacted": "thread_history:THREAD_COMPACTED",
    "model/rerouted": "model:MODEL_REROUTED",
    "model/verification": "model:MODEL_VERIFICATION",
    "warning": "notices:WARNING",
    "guardianWarning": "guardian:GUARDIAN_WARNING",
    "deprecationNotice": "notices:DEPRECATION_NOTICE",
    "configWarning": "notices:CONFIG_WARNING",
    "fuzzyFileSearch/sessionUpdated": "file_search:FUZZY_FILE_SEARCH_SESSION_UPDATED",
    "fuzzyFileSearch/sessionCompleted": "file_search:FUZZY_FILE_SEARCH_SESSION_COMPLETED",
    "thread/realtime/started": "realtime:THREAD_REALTIME_STARTED",
    "thread/realtime/itemAdded": "realtime:THREAD_REALTIME_ITEM_ADDED",
    "thread/realtime/transcript/delta": "realtime:THREAD_REALTIME_TRANSCRIPT_DELTA",
    "thread/realtime/transcript/done": "realtime:THREAD_REALTIME_TRANSCRIPT_DONE",
    "thread/realtime/outputAudio/delta": "realtime:THREAD_REALTIME_OUTPUT_AUDIO_DELTA",
    "thread/realtime/sdp": "realtime:THREAD_REALTIME_SDP",
    "thread/realtime/error": "realtime:THREAD_REALTIME_ERROR",
    "thread/realtime/closed": "realtime:THREAD_REALTIME_CLOSED",
    "windows/worldWritableWarning": "not_ours:WINDOWS_WORLD_WRITABLE_WARNING",
    "windowsSandbox/setupCompleted": "not_ours:WINDOWS_SANDBOX_SETUP_COMPLETED",
    "account/login/completed": "account:ACCOUNT_LOGIN_COMPLETED",
    "rawResponseItem/completed": "raw_items:RAW_RESPONSE_ITEM_COMPLETED",
}

CLIENT_NOTIFICATIONS: dict[str, str] = {
    "initialized": "initialize:INITIALIZED",
}
