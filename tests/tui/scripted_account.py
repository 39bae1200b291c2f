"""The scripted server's account: who is signed in, sign-ins that begin and end, limits."""

import asyncio
from typing import Any

from app_server.protocol.account import (
    ACCOUNT_LOGIN_CANCEL,
    ACCOUNT_LOGIN_COMPLETE,
    ACCOUNT_LOGIN_START,
    ACCOUNT_LOGOUT,
    ACCOUNT_READ,
    Account,
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    ApiKeyAccount,
    ApiKeyLoginAccountResponse,
    CancelLoginAccountResponse,
    ChatgptAccount,
    ChatgptDeviceCodeLoginAccountParams,
    ChatgptDeviceCodeLoginAccountResponse,
    ChatgptLoginAccountParams,
    ChatgptLoginAccountResponse,
    CompleteLoginAccountResponse,
    GetAccountResponse,
    LogoutAccountResponse,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.rate_limits import (
    ACCOUNT_RATE_LIMITS_READ,
    GetAccountRateLimitsResponse,
    RateLimitSnapshot,
)

AUTH_URL = (
    "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7h"
    "&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&scope=openid+profile+email"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    "&state=af0ifjsldkj&originator=codex-tui"
)
ACCOUNT_METHODS = {
    ACCOUNT_READ.name,
    ACCOUNT_LOGIN_START.name,
    ACCOUNT_LOGIN_CANCEL.name,
    ACCOUNT_LOGIN_COMPLETE.name,
    ACCOUNT_LOGOUT.name,
    ACCOUNT_RATE_LIMITS_READ.name,
}


class ScriptedAccount:
    """Answers about the account; its fields may be changed at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.requires_auth = False
        self.account: Account | None = None
        self.limits: RateLimitSnapshot | None = None
        self.knows_account = asyncio.Event()
        """Cleared before the session begins, nobody is told who is signed in until it is set."""
        self.knows_account.set()
        self.login_refusal = ""
        """Why the next sign-in cannot begin."""
        self.begins_logins = asyncio.Event()
        """Cleared, a sign-in begins only when it is set."""
        self.begins_logins.set()
        self.auth_url = AUTH_URL
        self._logins = 0

    async def tell(self, method: str, params: Any) -> None:
        raise NotImplementedError

    async def answer_of_account(self, method: str, params: Any) -> Any:
        match method:
            case ACCOUNT_READ.name:
                await self.knows_account.wait()
                return GetAccountResponse(
                    account=self.account, requires_openai_auth=self.requires_auth
                )
            case ACCOUNT_LOGIN_START.name:
                await self.begins_logins.wait()
                return self._begun(params)
            case ACCOUNT_LOGIN_CANCEL.name:
                return CancelLoginAccountResponse(status="canceled")
            case ACCOUNT_LOGIN_COMPLETE.name:
                if "state=af0ifjsldkj" not in params.callback_url:
                    raise RpcError(-32600, "this is not the address that this sign-in ends on")
                return CompleteLoginAccountResponse()
            case ACCOUNT_LOGOUT.name:
                self.account = None
                return LogoutAccountResponse()
        if self.limits is None:
            raise RpcError(-32600, "chatgpt authentication required to read rate limits")
        return GetAccountRateLimitsResponse(rate_limits=self.limits)

    def _begun(self, params: Any) -> Any:
        if self.login_refusal:
            refusal, self.login_refusal = self.login_refusal, ""
            raise RpcError(-32603, refusal)
        self._logins += 1
        login_id = f"login-{self._logins}"
        match params:
            case ChatgptLoginAccountParams():
                return ChatgptLoginAccountResponse(auth_url=self.auth_url, login_id=login_id)
            case ChatgptDeviceCodeLoginAccountParams():
                return ChatgptDeviceCodeLoginAccountResponse(
                    login_id=login_id,
                    user_code="ABCD-1234",
                    verification_url="https://auth.openai.com/codex/device",
                )
        self.account = ApiKeyAccount()
        return ApiKeyLoginAccountResponse()

    async def end_login(self, login_id: str, error: str | None = None) -> None:
        """The sign-in in the browser, or by code, has ended."""
        if error is None:
            self.account = ChatgptAccount(email="me@example.com", plan_type="pro")
        ended = AccountLoginCompletedNotification(
            login_id=login_id, success=error is None, error=error
        )
        await self.tell("account/login/completed", ended)
        if error is None:
            updated = AccountUpdatedNotification(auth_mode="chatgpt", plan_type="pro")
            await self.tell("account/updated", updated)
