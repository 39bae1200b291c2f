"""First-generation shapes that are still spoken."""

from typing import Literal, TypeAlias

from app_server.protocol.account import AuthMode, hidden
from app_server.protocol.method import ClientMethod, ServerMethod, ServerNotification, in_queue
from app_server.protocol.permissions import NetworkPolicyAmendment
from app_server.protocol.shared import ThreadId
from app_server.protocol.thread_data import SessionSource
from app_server.protocol.wire import SingleKey, SnakeWire, Wire


class ReadParsedCommand(Wire, tag="read"):
    name: str
    cmd: str
    path: str


class ListFilesParsedCommand(Wire, tag="list_files"):
    cmd: str
    path: str | None = None


class SearchParsedCommand(Wire, tag="search"):
    cmd: str
    path: str | None = None
    query: str | None = None


class UnknownParsedCommand(Wire, tag="unknown"):
    cmd: str


ParsedCommand: TypeAlias = (
    ReadParsedCommand | ListFilesParsedCommand | SearchParsedCommand | UnknownParsedCommand
)


class AddFileChange(Wire, tag="add"):
    content: str


class DeleteFileChange(Wire, tag="delete"):
    content: str


class UpdateFileChange(SnakeWire, tag="update"):
    unified_diff: str
    move_path: str | None = None


FileChange: TypeAlias = AddFileChange | DeleteFileChange | UpdateFileChange


class ApplyPatchApprovalParams(Wire):
    """May this patch be applied? Asked on threads of the first generation."""

    conversation_id: ThreadId
    call_id: str
    file_changes: dict[str, FileChange]
    reason: str | None = None
    grant_root: str | None = None


class ApprovedExecpolicyAmendment(SnakeWire):
    proposed_execpolicy_amendment: list[str]


class NetworkPolicyAmended(SnakeWire):
    network_policy_amendment: NetworkPolicyAmendment


class AmendingReviewDecision(SingleKey, rename=None):
    approved_execpolicy_amendment: ApprovedExecpolicyAmendment | None = None
    network_policy_amendment: NetworkPolicyAmended | None = None


ReviewDecision: TypeAlias = (
    Literal["approved", "approved_for_session", "denied", "timed_out", "abort"]
    | AmendingReviewDecision
)


class GetAuthStatusParams(Wire):
    include_token: bool | None = None
    refresh_token: bool | None = None


class GetAuthStatusResponse(Wire):
    auth_method: AuthMode | None = None
    auth_token: str | None = None
    requires_openai_auth: bool | None = None

    __repr__ = hidden


class LoginApiKeyParams(Wire):
    api_key: str

    __repr__ = hidden


class LoginApiKeyResponse(Wire): ...


class LoginChatGptResponse(Wire):
    login_id: str
    auth_url: str


class CancelLoginChatGptParams(Wire):
    login_id: str


class CancelLoginChatGptResponse(Wire): ...


class LogoutChatGptResponse(Wire): ...


class UserInfoResponse(Wire):
    alleged_user_email: str | None = None
    """As the stored token has it, which nobody has verified."""


class LoginChatGptCompleteNotification(Wire):
    login_id: str
    success: bool
    error: str | None = None


class AuthStatusChangeNotification(Wire):
    auth_method: AuthMode | None = None
    """None when signed out."""


class GetConversationSummaryParams(Wire, omit_defaults=True):
    """Names a stored conversation by its id or by the path of its file."""

    conversation_id: ThreadId | None = None
    rollout_path: str | None = None


class ConversationGitInfo(SnakeWire):
    sha: str | None = None
    branch: str | None = None
    origin_url: str | None = None


class ConversationSummary(Wire):
    conversation_id: ThreadId
    path: str
    preview: str
    timestamp: str | None = None
    updated_at: str | None = None
    model_provider: str
    cwd: str
    cli_version: str
    source: SessionSource
    git_info: ConversationGitInfo | None = None


class GetConversationSummaryResponse(Wire):
    summary: ConversationSummary


class GitDiffToRemoteParams(Wire):
    cwd: str


class GitDiffToRemoteResponse(Wire):
    sha: str
    diff: str


class ApplyPatchApprovalResponse(Wire):
    decision: ReviewDecision


class ExecCommandApprovalParams(Wire):
    """May this command run? Asked on threads of the first generation."""

    conversation_id: ThreadId
    call_id: str
    approval_id: str | None = None
    command: list[str]
    cwd: str
    reason: str | None = None
    parsed_cmd: list[ParsedCommand]


class ExecCommandApprovalResponse(Wire):
    decision: ReviewDecision


GET_CONVERSATION_SUMMARY = ClientMethod(
    "getConversationSummary", GetConversationSummaryParams, GetConversationSummaryResponse
)
GIT_DIFF_TO_REMOTE = ClientMethod("gitDiffToRemote", GitDiffToRemoteParams, GitDiffToRemoteResponse)
GET_AUTH_STATUS = ClientMethod(
    "getAuthStatus",
    GetAuthStatusParams,
    GetAuthStatusResponse,
    queue=in_queue("account-auth"),
    shared=True,
)
LOGIN_API_KEY = ClientMethod(
    "loginApiKey", LoginApiKeyParams, LoginApiKeyResponse, queue=in_queue("account-auth")
)
LOGIN_CHAT_GPT: ClientMethod[None, LoginChatGptResponse] = ClientMethod(
    "loginChatGpt", None, LoginChatGptResponse, queue=in_queue("account-auth")
)
CANCEL_LOGIN_CHAT_GPT = ClientMethod(
    "cancelLoginChatGpt",
    CancelLoginChatGptParams,
    CancelLoginChatGptResponse,
    queue=in_queue("account-auth"),
)
LOGOUT_CHAT_GPT: ClientMethod[None, LogoutChatGptResponse] = ClientMethod(
    "logoutChatGpt", None, LogoutChatGptResponse, queue=in_queue("account-auth")
)
USER_INFO: ClientMethod[None, UserInfoResponse] = ClientMethod(
    "userInfo", None, UserInfoResponse, queue=in_queue("account-auth")
)
LOGIN_CHAT_GPT_COMPLETE = ServerNotification(
    "loginChatGptComplete", LoginChatGptCompleteNotification
)
AUTH_STATUS_CHANGE = ServerNotification("authStatusChange", AuthStatusChangeNotification)
APPLY_PATCH_APPROVAL = ServerMethod(
    "applyPatchApproval", ApplyPatchApprovalParams, ApplyPatchApprovalResponse
)
EXEC_COMMAND_APPROVAL = ServerMethod(
    "execCommandApproval", ExecCommandApprovalParams, ExecCommandApprovalResponse
)
