"""Hooks and their runs."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, in_queue
from app_server.protocol.shared import AbsolutePathBuf, PathParam, Unsigned
from app_server.protocol.wire import Wire

HookEventName: TypeAlias = Literal[
    "preToolUse", "permissionRequest", "postToolUse", "sessionStart", "userPromptSubmit", "stop"
]

HookHandlerType: TypeAlias = Literal["command", "prompt", "agent"]

HookSource: TypeAlias = Literal[
    "system",
    "user",
    "project",
    "mdm",
    "sessionFlags",
    "plugin",
    "cloudRequirements",
    "legacyManagedConfigFile",
    "legacyManagedConfigMdm",
    "unknown",
]


class HookMetadata(Wire):
    key: str
    event_name: HookEventName
    handler_type: HookHandlerType
    matcher: str | None = None
    command: str | None = None
    timeout_sec: Unsigned
    status_message: str | None = None
    source_path: AbsolutePathBuf
    source: HookSource
    plugin_id: str | None = None
    display_order: int
    enabled: bool
    is_managed: bool
    current_hash: str = ""
    trust_status: Literal["managed", "untrusted", "trusted", "modified"] = "trusted"


class HookErrorInfo(Wire):
    message: str
    path: str


class HooksListEntry(Wire):
    cwd: str
    errors: list[HookErrorInfo]
    hooks: list[HookMetadata]
    warnings: list[str]


class HooksListParams(Wire):
    cwds: list[PathParam] = []


class HooksListResponse(Wire):
    data: list[HooksListEntry]


HookExecutionMode: TypeAlias = Literal["sync", "async"]

HookScope: TypeAlias = Literal["thread", "turn"]

HookRunStatus: TypeAlias = Literal["running", "completed", "failed", "blocked", "stopped"]

HookOutputEntryKind: TypeAlias = Literal["warning", "stop", "feedback", "context", "error"]


class HookOutputEntry(Wire):
    kind: HookOutputEntryKind
    text: str


class HookRunSummary(Wire):
    """One run of a hook. Times are Unix milliseconds."""

    id: str
    event_name: HookEventName
    handler_type: HookHandlerType
    execution_mode: HookExecutionMode
    scope: HookScope
    source_path: AbsolutePathBuf
    source: HookSource = "unknown"
    display_order: int
    status: HookRunStatus
    status_message: str | None = None
    started_at: int
    completed_at: int | None = None
    duration_ms: int | None = None
    entries: list[HookOutputEntry]


class HookStartedNotification(Wire):
    thread_id: str
    run: HookRunSummary
    turn_id: str | None = None


class HookCompletedNotification(Wire):
    thread_id: str
    run: HookRunSummary
    turn_id: str | None = None


HOOKS_LIST = ClientMethod(
    "hooks/list", HooksListParams, HooksListResponse, queue=in_queue("config"), shared=True
)
HOOK_STARTED = ServerNotification("hook/started", HookStartedNotification)
HOOK_COMPLETED = ServerNotification("hook/completed", HookCompletedNotification)
