"""Threads: open, name, put away."""

from typing import Any, Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, by_thread
from app_server.protocol.permissions import (
    ActivePermissionProfile,
    ApprovalsReviewer,
    AskForApproval,
    PermissionProfile,
    PermissionProfileSelectionParams,
    SandboxMode,
    SandboxPolicy,
)
from app_server.protocol.shared import (
    AbsolutePathBuf,
    Personality,
    ReasoningEffort,
    ResponseItemObject,
    ServiceTier,
)
from app_server.protocol.thread_data import Thread, ThreadStatus, ThreadTokenUsage
from app_server.protocol.turn import TurnEnvironmentParams
from app_server.protocol.wire import UNSET, JsonObject, Maybe, Wire

ThreadStartSource: TypeAlias = Literal["startup", "clear"]


class DynamicToolSpec(Wire):
    """A tool the client runs itself when the model calls it."""

    name: str
    description: str
    input_schema: Any
    defer_loading: bool = False
    namespace: str | None = None


class ThreadStartParams(Wire):
    """Open a new thread. Absent settings come from the configuration."""

    cwd: str | None = None
    model: str | None = None
    model_provider: str | None = None
    service_tier: Maybe[str] = UNSET
    approval_policy: AskForApproval | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox: SandboxMode | None = None
    permissions: PermissionProfileSelectionParams | str | None = None
    config: JsonObject | None = None
    personality: Personality | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    ephemeral: bool | None = None
    session_start_source: ThreadStartSource | None = None
    service_name: str | None = None
    dynamic_tools: list[DynamicToolSpec] | None = None
    environments: list[TurnEnvironmentParams] | None = None
    experimental_raw_events: bool = False
    persist_extended_history: bool = False
    mock_experimental_field: str | None = None


class OpenedThread(Wire):
    """A thread that is loaded now, and the settings in force."""

    thread: Thread
    model: str
    model_provider: str
    service_tier: ServiceTier | None = None
    cwd: AbsolutePathBuf
    instruction_sources: list[AbsolutePathBuf] = []
    approval_policy: AskForApproval
    approvals_reviewer: ApprovalsReviewer
    sandbox: SandboxPolicy
    permission_profile: PermissionProfile | None = None
    active_permission_profile: ActivePermissionProfile | None = None
    reasoning_effort: ReasoningEffort | None = None


class ThreadStartResponse(OpenedThread): ...


class ThreadResumeParams(Wire):
    """Load a stored thread, or join one that is loaded. `history` and `path` win over the id."""

    thread_id: str
    path: str | None = None
    history: list[ResponseItemObject] | None = None
    exclude_turns: bool = False
    cwd: str | None = None
    model: str | None = None
    model_provider: str | None = None
    service_tier: Maybe[str] = UNSET
    approval_policy: AskForApproval | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox: SandboxMode | None = None
    permissions: PermissionProfileSelectionParams | str | None = None
    config: JsonObject | None = None
    personality: Personality | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    persist_extended_history: bool = False


class ThreadResumeResponse(OpenedThread): ...


class ThreadForkParams(Wire):
    """Open a new thread that begins with a copy of another one's history."""

    thread_id: str
    path: str | None = None
    exclude_turns: bool = False
    ephemeral: bool = False
    cwd: str | None = None
    model: str | None = None
    model_provider: str | None = None
    service_tier: Maybe[str] = UNSET
    approval_policy: AskForApproval | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox: SandboxMode | None = None
    permissions: PermissionProfileSelectionParams | str | None = None
    config: JsonObject | None = None
    base_instructions: str | None = None
    developer_instructions: str | None = None
    persist_extended_history: bool = False


class ThreadForkResponse(OpenedThread): ...


class ThreadArchiveParams(Wire):
    thread_id: str


class ThreadArchiveResponse(Wire): ...


class ThreadUnarchiveParams(Wire):
    thread_id: str


class ThreadUnarchiveResponse(Wire):
    thread: Thread


class ThreadUnsubscribeParams(Wire):
    """Stop receiving events of a thread on this connection."""

    thread_id: str


ThreadUnsubscribeStatus: TypeAlias = Literal["notLoaded", "notSubscribed", "unsubscribed"]


class ThreadUnsubscribeResponse(Wire):
    status: ThreadUnsubscribeStatus


class ThreadSetNameParams(Wire):
    thread_id: str
    name: str


class ThreadSetNameResponse(Wire): ...


class ThreadMetadataGitInfoUpdateParams(Wire):
    """An absent field stays, null clears it."""

    sha: Maybe[str] = UNSET
    branch: Maybe[str] = UNSET
    origin_url: Maybe[str] = UNSET


class ThreadMetadataUpdateParams(Wire):
    """Correct stored facts of a thread."""

    thread_id: str
    git_info: ThreadMetadataGitInfoUpdateParams | None = None


class ThreadMetadataUpdateResponse(Wire):
    thread: Thread


class ThreadStartedNotification(Wire):
    thread: Thread


class ThreadStatusChangedNotification(Wire):
    thread_id: str
    status: ThreadStatus


class ThreadArchivedNotification(Wire):
    thread_id: str


class ThreadUnarchivedNotification(Wire):
    thread_id: str


class ThreadClosedNotification(Wire):
    thread_id: str


class ThreadNameUpdatedNotification(Wire, omit_defaults=True):
    thread_id: str
    thread_name: str | None = None


class ThreadTokenUsageUpdatedNotification(Wire):
    thread_id: str
    turn_id: str
    token_usage: ThreadTokenUsage


def _by_thread_or_path(params: ThreadResumeParams | ThreadForkParams) -> str:
    return f"thread:{params.thread_id or params.path}"


THREAD_START = ClientMethod("thread/start", ThreadStartParams, ThreadStartResponse)
THREAD_RESUME = ClientMethod(
    "thread/resume", ThreadResumeParams, ThreadResumeResponse, queue=_by_thread_or_path
)
THREAD_FORK = ClientMethod(
    "thread/fork", ThreadForkParams, ThreadForkResponse, queue=_by_thread_or_path
)
THREAD_ARCHIVE = ClientMethod(
    "thread/archive", ThreadArchiveParams, ThreadArchiveResponse, queue=by_thread
)
THREAD_UNSUBSCRIBE = ClientMethod(
    "thread/unsubscribe", ThreadUnsubscribeParams, ThreadUnsubscribeResponse, queue=by_thread
)
THREAD_NAME_SET = ClientMethod(
    "thread/name/set", ThreadSetNameParams, ThreadSetNameResponse, queue=by_thread
)
THREAD_METADATA_UPDATE = ClientMethod(
    "thread/metadata/update",
    ThreadMetadataUpdateParams,
    ThreadMetadataUpdateResponse,
    queue=by_thread,
)
THREAD_UNARCHIVE = ClientMethod(
    "thread/unarchive", ThreadUnarchiveParams, ThreadUnarchiveResponse, queue=by_thread
)
THREAD_STARTED = ServerNotification("thread/started", ThreadStartedNotification)
THREAD_STATUS_CHANGED = ServerNotification("thread/status/changed", ThreadStatusChangedNotification)
THREAD_ARCHIVED = ServerNotification("thread/archived", ThreadArchivedNotification)
THREAD_UNARCHIVED = ServerNotification("thread/unarchived", ThreadUnarchivedNotification)
THREAD_CLOSED = ServerNotification("thread/closed", ThreadClosedNotification)
THREAD_NAME_UPDATED = ServerNotification("thread/name/updated", ThreadNameUpdatedNotification)
THREAD_TOKEN_USAGE_UPDATED = ServerNotification(
    "thread/tokenUsage/updated", ThreadTokenUsageUpdatedNotification
)
