"""How much of the account's limits is used."""

from typing import Literal, TypeAlias

from app_server.protocol.account import PlanType
from app_server.protocol.method import ClientMethod, ServerNotification, in_queue
from app_server.protocol.wire import Wire


class CreditsSnapshot(Wire):
    has_credits: bool
    unlimited: bool
    balance: str | None = None


class RateLimitWindow(Wire):
    """How much of a limit is used; `resets_at` is in Unix seconds."""

    used_percent: int
    window_duration_mins: int | None = None
    resets_at: int | None = None


RateLimitReachedType: TypeAlias = Literal[
    "rate_limit_reached",
    "workspace_owner_credits_depleted",
    "workspace_member_credits_depleted",
    "workspace_owner_usage_limit_reached",
    "workspace_member_usage_limit_reached",
]


class RateLimitSnapshot(Wire):
    """Limits as last seen."""

    limit_id: str | None = None
    limit_name: str | None = None
    primary: RateLimitWindow | None = None
    secondary: RateLimitWindow | None = None
    credits: CreditsSnapshot | None = None
    plan_type: PlanType | None = None
    rate_limit_reached_type: RateLimitReachedType | None = None


class GetAccountRateLimitsResponse(Wire):
    rate_limits: RateLimitSnapshot
    rate_limits_by_limit_id: dict[str, RateLimitSnapshot] | None = None


class AccountRateLimitsUpdatedNotification(Wire):
    rate_limits: RateLimitSnapshot


AddCreditsNudgeCreditType: TypeAlias = Literal["credits", "usage_limit"]


class SendAddCreditsNudgeEmailParams(Wire):
    credit_type: AddCreditsNudgeCreditType


AddCreditsNudgeEmailStatus: TypeAlias = Literal["sent", "cooldown_active"]


class SendAddCreditsNudgeEmailResponse(Wire):
    status: AddCreditsNudgeEmailStatus


ACCOUNT_RATE_LIMITS_READ: ClientMethod[None, GetAccountRateLimitsResponse] = ClientMethod(
    "account/rateLimits/read", None, GetAccountRateLimitsResponse
)
ACCOUNT_SEND_ADD_CREDITS_NUDGE_EMAIL = ClientMethod(
    "account/sendAddCreditsNudgeEmail",
    SendAddCreditsNudgeEmailParams,
    SendAddCreditsNudgeEmailResponse,
    queue=in_queue("account-auth"),
)
ACCOUNT_RATE_LIMITS_UPDATED = ServerNotification(
    "account/rateLimits/updated", AccountRateLimitsUpdatedNotification
)
