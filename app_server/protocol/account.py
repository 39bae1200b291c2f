"""Signing in and out, and who is signed in."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerMethod, ServerNotification, in_queue
from app_server.protocol.wire import Wire

PlanType: TypeAlias = Literal[
    "free",
    "go",
    "plus",
    "pro",
    "prolite",
    "team",
    "self_serve_business_usage_based",
    "business",
    "enterprise_cbp_usage_based",
    "enterprise",
    "edu",
    "unknown",
]

AuthMode: TypeAlias = Literal["apikey", "chatgpt", "chatgptAuthTokens", "agentIdentity"]


class ApiKeyAccount(Wire, tag="apiKey"): ...


class ChatgptAccount(Wire, tag="chatgpt"):
    email: str
    plan_type: PlanType


class AmazonBedrockAccount(Wire, tag="amazonBedrock"): ...


Account: TypeAlias = ApiKeyAccount | ChatgptAccount | AmazonBedrockAccount


class GetAccountParams(Wire):
    refresh_token: bool = False


class GetAccountResponse(Wire):
    account: Account | None = None
    requires_openai_auth: bool


def hidden(value: object) -> str:
    """How a value that holds a key or a token shows itself, in a log or a traceback."""
    return f"{type(value).__name__}(…)"


class ApiKeyLoginAccountParams(Wire, tag="apiKey"):
    api_key: str

    __repr__ = hidden


class ChatgptLoginAccountParams(Wire, tag="chatgpt"):
    codex_streamlined_login: bool = False


class ChatgptDeviceCodeLoginAccountParams(Wire, tag="chatgptDeviceCode"): ...


class ChatgptAuthTokensLoginAccountParams(Wire, tag="chatgptAuthTokens"):
    """Tokens that the host application obtained and will refresh."""

    access_token: str
    chatgpt_account_id: str
    chatgpt_plan_type: str | None = None

    __repr__ = hidden


LoginAccountParams: TypeAlias = (
    ApiKeyLoginAccountParams
    | ChatgptLoginAccountParams
    | ChatgptDeviceCodeLoginAccountParams
    | ChatgptAuthTokensLoginAccountParams
)
"""Sign in, one way or another."""


class ApiKeyLoginAccountResponse(Wire, tag="apiKey"): ...


class ChatgptLoginAccountResponse(Wire, tag="chatgpt"):
    auth_url: str
    login_id: str


class ChatgptDeviceCodeLoginAccountResponse(Wire, tag="chatgptDeviceCode"):
    login_id: str
    user_code: str
    verification_url: str


class ChatgptAuthTokensLoginAccountResponse(Wire, tag="chatgptAuthTokens"): ...


LoginAccountResponse: TypeAlias = (
    ApiKeyLoginAccountResponse
    | ChatgptLoginAccountResponse
    | ChatgptDeviceCodeLoginAccountResponse
    | ChatgptAuthTokensLoginAccountResponse
)
"""How the sign-in goes on; the end of a browser sign-in is a notification."""


class CancelLoginAccountParams(Wire):
    login_id: str


CancelLoginAccountStatus: TypeAlias = Literal["canceled", "notFound"]


class CancelLoginAccountResponse(Wire):
    status: CancelLoginAccountStatus


class CompleteLoginAccountParams(Wire):
    """Hand in where a browser on another machine ended, so that the sign-in goes on here."""

    login_id: str
    callback_url: str

    __repr__ = hidden


class CompleteLoginAccountResponse(Wire):
    """The address is this sign-in's; how that ends is a notification."""


class LogoutAccountResponse(Wire): ...


class AccountUpdatedNotification(Wire):
    auth_mode: AuthMode | None = None
    plan_type: PlanType | None = None


class AccountLoginCompletedNotification(Wire):
    login_id: str | None = None
    success: bool
    error: str | None = None


ChatgptAuthTokensRefreshReason: TypeAlias = Literal["unauthorized"]


class ChatgptAuthTokensRefreshParams(Wire):
    """The host's tokens have run out: supply new ones."""

    reason: ChatgptAuthTokensRefreshReason
    previous_account_id: str | None = None


class ChatgptAuthTokensRefreshResponse(Wire):
    access_token: str
    chatgpt_account_id: str
    chatgpt_plan_type: str | None = None

    __repr__ = hidden


ACCOUNT_LOGIN_START: ClientMethod[LoginAccountParams, LoginAccountResponse] = ClientMethod(
    "account/login/start", LoginAccountParams, LoginAccountResponse, queue=in_queue("account-auth")
)
ACCOUNT_LOGIN_CANCEL = ClientMethod(
    "account/login/cancel",
    CancelLoginAccountParams,
    CancelLoginAccountResponse,
    queue=in_queue("account-auth"),
)
ACCOUNT_LOGIN_COMPLETE = ClientMethod(
    "account/login/complete",
    CompleteLoginAccountParams,
    CompleteLoginAccountResponse,
    queue=in_queue("account-auth"),
    experimental=True,
)
ACCOUNT_LOGOUT: ClientMethod[None, LogoutAccountResponse] = ClientMethod(
    "account/logout", None, LogoutAccountResponse, queue=in_queue("account-auth")
)
ACCOUNT_READ = ClientMethod(
    "account/read",
    GetAccountParams,
    GetAccountResponse,
    queue=in_queue("account-auth"),
    shared=True,
)
ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH = ServerMethod(
    "account/chatgptAuthTokens/refresh",
    ChatgptAuthTokensRefreshParams,
    ChatgptAuthTokensRefreshResponse,
)
ACCOUNT_UPDATED = ServerNotification("account/updated", AccountUpdatedNotification)
ACCOUNT_LOGIN_COMPLETED = ServerNotification(
    "account/login/completed", AccountLoginCompletedNotification
)
