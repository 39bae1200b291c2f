"""The account's own page at the ChatGPT backend: how much is used, and a word to the owner.

Asked with the user's sign-in; a 401 is met with the same recovery as a model request's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from app_server.auth.backend import Http, Reply
from app_server.auth.errors import AuthError, Unreachable
from app_server.auth.manager import AuthManager
from app_server.auth.needs import OPENAI
from app_server.auth.tokens import plan_type
from app_server.protocol.account import PlanType
from app_server.protocol.rate_limits import (
    AddCreditsNudgeCreditType,
    AddCreditsNudgeEmailStatus,
    CreditsSnapshot,
    RateLimitReachedType,
    RateLimitSnapshot,
    RateLimitWindow,
)

log = logging.getLogger(__name__)

MAIN_LIMIT = "codex"

TOO_MANY_REQUESTS = 429

LARGEST_NUMBER = 2**53


class AccountRequestFailed(AuthError):
    """The backend did not do what it was asked; `status` is None where it did not answer."""

    def __init__(self, problem: str, status: int | None = None) -> None:
        super().__init__(problem)
        self.status = status


class AccountService:
    """The backend as the signed-in user sees it."""

    def __init__(self, base_url: str, auth: AuthManager, http: Http, user_agent: str) -> None:
        self._base_url = _normal(base_url)
        self._auth = auth
        self._http = http
        self._user_agent = user_agent

    async def limits(self) -> list[RateLimitSnapshot]:
        """Every limit of the account, the main one first. Raises `AccountRequestFailed`."""
        url = self._url("usage")
        reply = await self._ask("GET", url)
        if not reply.is_success:
            raise AccountRequestFailed(self._refusal("GET", url, reply))
        if not reply.json:
            raise AccountRequestFailed(f"GET {url} gave an answer that is not a JSON object")
        return read_limits(reply.json)

    async def requirements(self) -> str | None:
        """What the workspace's administrator demands, as TOML; None: nothing.

        Raises `AccountRequestFailed`.
        """
        url = self._url("config/requirements")
        reply = await self._ask("GET", url)
        if not reply.is_success or "contents" not in reply.json:
            raise AccountRequestFailed(self._refusal("GET", url, reply), reply.status)
        contents = reply.json["contents"]
        return contents if isinstance(contents, str) and contents.strip() else None

    async def nudge_owner(
        self, credit_type: AddCreditsNudgeCreditType
    ) -> AddCreditsNudgeEmailStatus:
        """Ask the workspace's owner for more. Raises `AccountRequestFailed`."""
        url = self._url("accounts/send_add_credits_nudge_email")
        reply = await self._ask("POST", url, {"credit_type": credit_type})
        if reply.status == TOO_MANY_REQUESTS:
            return "cooldown_active"
        if not reply.is_success:
            raise AccountRequestFailed(self._refusal("POST", url, reply))
        return "sent"

    async def _ask(self, method: str, url: str, content: Any = None) -> Reply:
        recovery = self._auth.recovery(OPENAI)
        while True:
            try:
                headers = await self._auth.headers(OPENAI)
                headers["user-agent"] = self._user_agent
                if method == "GET":
                    reply = await self._http.get(url, headers=headers)
                else:
                    reply = await self._http.post(url, json=content, headers=headers)
                if reply.status != 401 or not await recovery.improve():
                    return reply
            except Unreachable as problem:
                raise AccountRequestFailed(str(problem)) from problem

    def _refusal(self, method: str, url: str, reply: Reply) -> str:
        found = self._auth.credentials
        sent = found.bearer.reveal() if found is not None else ""
        detail = reply.detail(sent)
        return f"{method} {url} failed: {reply.status_line}: {detail}"

    def _url(self, path: str) -> str:
        family = "wham" if "/backend-api" in self._base_url else "api/codex"
        return f"{self._base_url}/{family}/{path}"


def read_limits(usage: Mapping[str, Any]) -> list[RateLimitSnapshot]:
    """The limits in an answer about usage; whatever is odd in it counts as not said."""
    plan = usage.get("plan_type")
    known_plan = plan_type(plan if isinstance(plan, str) else None)
    main = _snapshot(usage.get("rate_limit"), MAIN_LIMIT, None, known_plan, usage.get("credits"))
    main = msgspec.structs.replace(main, rate_limit_reached_type=_reached(usage))
    others = usage.get("additional_rate_limits")
    found = [main]
    for other in others if isinstance(others, list) else ():
        feature = other.get("metered_feature") if isinstance(other, dict) else None
        if isinstance(feature, str):
            name = other.get("limit_name")
            found.append(
                _snapshot(
                    other.get("rate_limit"),
                    feature,
                    name if isinstance(name, str) else None,
                    known_plan,
                    None,
                )
            )
    return found


def _snapshot(
    limit: object, limit_id: str, name: str | None, plan: PlanType, credits: object
) -> RateLimitSnapshot:
    windows = limit if isinstance(limit, dict) else {}
    return RateLimitSnapshot(
        limit_id=limit_id,
        limit_name=name,
        primary=_window(windows.get("primary_window")),
        secondary=_window(windows.get("secondary_window")),
        credits=_credits(credits),
        plan_type=plan,
    )


def _reached(usage: Mapping[str, Any]) -> RateLimitReachedType | None:
    reached = usage.get("rate_limit_reached_type")
    kind = reached.get("type") if isinstance(reached, dict) else None
    return next((known for known in get_args(RateLimitReachedType) if known == kind), None)


def _window(window: object) -> RateLimitWindow | None:
    if not isinstance(window, dict):
        return None
    used = _number(window.get("used_percent"))
    if used is None:
        return None
    length, resets_at = (_number(window.get(name)) for name in ("limit_window_seconds", "reset_at"))
    return RateLimitWindow(
        used_percent=round(used),
        window_duration_mins=None if length is None or length <= 0 else -int(-length // 60),
        resets_at=None if resets_at is None else int(resets_at),
    )


def _number(value: object) -> float | None:
    """None for what is no number, or one that JSON readers elsewhere could not hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= LARGEST_NUMBER else None


def _credits(credits: object) -> CreditsSnapshot | None:
    if not isinstance(credits, dict):
        return None
    has_credits, unlimited = credits.get("has_credits"), credits.get("unlimited")
    if not isinstance(has_credits, bool) or not isinstance(unlimited, bool):
        return None
    balance = credits.get("balance")
    return CreditsSnapshot(
        has_credits=has_credits,
        unlimited=unlimited,
        balance=balance if isinstance(balance, str) else None,
    )


def _normal(base_url: str) -> str:
    base_url = base_url.rstrip("/")
    if base_url in ("https://chatgpt.com", "https://chat.openai.com"):
        return f"{base_url}/backend-api"
    return base_url
