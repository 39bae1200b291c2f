"""The automatic reviewer of actions."""

from typing import Any, Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, by_thread
from app_server.protocol.permissions import NetworkApprovalProtocol, RequestPermissionProfile
from app_server.protocol.shared import AbsolutePathBuf, Unsigned16
from app_server.protocol.wire import Wire

GuardianRiskLevel: TypeAlias = Literal["low", "medium", "high", "critical"]

GuardianUserAuthorization: TypeAlias = Literal["unknown", "low", "medium", "high"]

GuardianApprovalReviewStatus: TypeAlias = Literal[
    "inProgress", "approved", "denied", "timedOut", "aborted"
]

GuardianCommandSource: TypeAlias = Literal["shell", "unifiedExec"]


class GuardianApprovalReview(Wire):
    """What the automatic reviewer thinks of an action."""

    status: GuardianApprovalReviewStatus
    risk_level: GuardianRiskLevel | None = None
    user_authorization: GuardianUserAuthorization | None = None
    rationale: str | None = None


class CommandGuardianApprovalReviewAction(Wire, tag="command"):
    command: str
    cwd: AbsolutePathBuf
    source: GuardianCommandSource


class ExecveGuardianApprovalReviewAction(Wire, tag="execve"):
    argv: list[str]
    cwd: AbsolutePathBuf
    program: str
    source: GuardianCommandSource


class ApplyPatchGuardianApprovalReviewAction(Wire, tag="applyPatch"):
    cwd: AbsolutePathBuf
    files: list[AbsolutePathBuf]


class NetworkAccessGuardianApprovalReviewAction(Wire, tag="networkAccess"):
    host: str
    port: Unsigned16
    protocol: NetworkApprovalProtocol
    target: str


class McpToolCallGuardianApprovalReviewAction(Wire, tag="mcpToolCall"):
    server: str
    tool_name: str
    connector_id: str | None = None
    connector_name: str | None = None
    tool_title: str | None = None


class RequestPermissionsGuardianApprovalReviewAction(Wire, tag="requestPermissions"):
    permissions: RequestPermissionProfile
    reason: str | None = None


GuardianApprovalReviewAction: TypeAlias = (
    CommandGuardianApprovalReviewAction
    | ExecveGuardianApprovalReviewAction
    | ApplyPatchGuardianApprovalReviewAction
    | NetworkAccessGuardianApprovalReviewAction
    | McpToolCallGuardianApprovalReviewAction
    | RequestPermissionsGuardianApprovalReviewAction
)
"""The action under review."""

AutoReviewDecisionSource: TypeAlias = Literal["agent"]


class ItemGuardianApprovalReviewStartedNotification(Wire):
    thread_id: str
    turn_id: str
    review_id: str
    target_item_id: str | None = None
    review: GuardianApprovalReview
    action: GuardianApprovalReviewAction
    started_at_ms: int = 0


class ItemGuardianApprovalReviewCompletedNotification(Wire):
    thread_id: str
    turn_id: str
    review_id: str
    target_item_id: str | None = None
    decision_source: AutoReviewDecisionSource
    review: GuardianApprovalReview
    action: GuardianApprovalReviewAction
    started_at_ms: int = 0
    completed_at_ms: int = 0


class GuardianWarningNotification(Wire):
    thread_id: str
    message: str


class ThreadApproveGuardianDeniedActionParams(Wire):
    """The user allows what the automatic reviewer refused; `event` is that refusal."""

    thread_id: str
    event: Any


class ThreadApproveGuardianDeniedActionResponse(Wire): ...


THREAD_APPROVE_GUARDIAN_DENIED_ACTION = ClientMethod(
    "thread/approveGuardianDeniedAction",
    ThreadApproveGuardianDeniedActionParams,
    ThreadApproveGuardianDeniedActionResponse,
    queue=by_thread,
)
ITEM_AUTO_APPROVAL_REVIEW_STARTED = ServerNotification(
    "item/autoApprovalReview/started", ItemGuardianApprovalReviewStartedNotification
)
ITEM_AUTO_APPROVAL_REVIEW_COMPLETED = ServerNotification(
    "item/autoApprovalReview/completed", ItemGuardianApprovalReviewCompletedNotification
)
GUARDIAN_WARNING = ServerNotification("guardianWarning", GuardianWarningNotification)
