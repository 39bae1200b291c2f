"""Questions the server asks while a turn runs."""

from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.item import CommandAction, DynamicToolCallOutputContentItem
from app_server.protocol.method import ServerMethod, ServerNotification
from app_server.protocol.permissions import (
    AdditionalPermissionProfile,
    GrantedPermissionProfile,
    NetworkApprovalContext,
    NetworkPolicyAmendment,
    PermissionGrantScope,
    RequestPermissionProfile,
)
from app_server.protocol.shared import AbsolutePathBuf, RequestId
from app_server.protocol.wire import SingleKey, SnakeWire, Wire


class AcceptWithExecpolicyAmendment(SnakeWire):
    """The command prefix to allow from now on."""

    execpolicy_amendment: list[str]


class ApplyNetworkPolicyAmendment(SnakeWire):
    network_policy_amendment: NetworkPolicyAmendment


class AmendingCommandExecutionApprovalDecision(SingleKey):
    """An answer that also changes a rule."""

    accept_with_execpolicy_amendment: AcceptWithExecpolicyAmendment | None = None
    apply_network_policy_amendment: ApplyNetworkPolicyAmendment | None = None


CommandExecutionApprovalDecision: TypeAlias = (
    Literal["accept", "acceptForSession", "decline", "cancel"]
    | AmendingCommandExecutionApprovalDecision
)
"""The user's answer; `decline` lets the turn go on, `cancel` ends it."""


class CommandExecutionRequestApprovalParams(Wire, omit_defaults=True):
    """May this command run? With `network_approval_context`: may this host be reached?"""

    thread_id: str
    turn_id: str
    item_id: str
    approval_id: str | None = None
    reason: str | None = None
    network_approval_context: NetworkApprovalContext | None = None
    command: str | None = None
    cwd: AbsolutePathBuf | None = None
    command_actions: list[CommandAction] | None = None
    additional_permissions: AdditionalPermissionProfile | None = None
    proposed_execpolicy_amendment: list[str] | None = None
    proposed_network_policy_amendments: list[NetworkPolicyAmendment] | None = None
    available_decisions: list[CommandExecutionApprovalDecision] | None = None
    started_at_ms: int = msgspec.field(default_factory=int)
    """Unix milliseconds; for newer clients."""


class CommandExecutionRequestApprovalResponse(Wire):
    decision: CommandExecutionApprovalDecision


FileChangeApprovalDecision: TypeAlias = Literal["accept", "acceptForSession", "decline", "cancel"]


class FileChangeRequestApprovalParams(Wire):
    """May this patch be applied? The changes are in the item started before."""

    thread_id: str
    turn_id: str
    item_id: str
    reason: str | None = None
    grant_root: str | None = None
    started_at_ms: int = 0


class FileChangeRequestApprovalResponse(Wire):
    decision: FileChangeApprovalDecision


class PermissionsRequestApprovalParams(Wire):
    """May the agent have more room?"""

    thread_id: str
    turn_id: str
    item_id: str
    cwd: AbsolutePathBuf
    reason: str | None = None
    permissions: RequestPermissionProfile
    started_at_ms: int = 0


class PermissionsRequestApprovalResponse(Wire):
    """What is granted; what is left out is refused."""

    permissions: GrantedPermissionProfile
    scope: PermissionGrantScope = "turn"
    strict_auto_review: bool | None = None


class ToolRequestUserInputOption(Wire):
    label: str
    description: str


class ToolRequestUserInputQuestion(Wire):
    id: str
    header: str
    question: str
    is_other: bool = False
    is_secret: bool = False
    options: list[ToolRequestUserInputOption] | None = None


class ToolRequestUserInputParams(Wire):
    """Questions from the model to the user."""

    thread_id: str
    turn_id: str
    item_id: str
    questions: list[ToolRequestUserInputQuestion]
    is_blocking: bool = True


class ToolRequestUserInputAnswer(Wire):
    answers: list[str]


class ToolRequestUserInputResponse(Wire):
    """Answers by question id."""

    answers: dict[str, ToolRequestUserInputAnswer]


class DynamicToolCallParams(Wire):
    """Run this tool of yours."""

    thread_id: str
    turn_id: str
    call_id: str
    namespace: str | None = None
    tool: str
    arguments: Any


class DynamicToolCallResponse(Wire):
    content_items: list[DynamicToolCallOutputContentItem]
    success: bool


class ServerRequestResolvedNotification(Wire):
    """A question needs no answer any more."""

    thread_id: str
    request_id: RequestId


ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL = ServerMethod(
    "item/commandExecution/requestApproval",
    CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse,
)
ITEM_FILE_CHANGE_REQUEST_APPROVAL = ServerMethod(
    "item/fileChange/requestApproval",
    FileChangeRequestApprovalParams,
    FileChangeRequestApprovalResponse,
)
ITEM_TOOL_REQUEST_USER_INPUT = ServerMethod(
    "item/tool/requestUserInput", ToolRequestUserInputParams, ToolRequestUserInputResponse
)
ITEM_PERMISSIONS_REQUEST_APPROVAL = ServerMethod(
    "item/permissions/requestApproval",
    PermissionsRequestApprovalParams,
    PermissionsRequestApprovalResponse,
)
ITEM_TOOL_CALL = ServerMethod("item/tool/call", DynamicToolCallParams, DynamicToolCallResponse)
SERVER_REQUEST_RESOLVED = ServerNotification(
    "serverRequest/resolved", ServerRequestResolvedNotification
)
