"""The sentence a user reads when a plan's limit is used up: what to do now, or when to come back.

Wording and times are those of `codex`; the time is local.
"""

from __future__ import annotations

import time

USAGE_PAGE = "https://chatgpt.com/codex/settings/usage"

_WORKSPACES = ("team", "business", "self_serve_business_usage_based", "enterprise_cbp_usage_based")


def usage_limit_text(
    *,
    plan: str | None,
    limit_name: str | None,
    promotion: str | None,
    resets_at: int | None,
    now: float,
) -> str:
    """`limit_name` names a limit other than the usual one; `resets_at` and `now` are Unix times."""
    when = "later" if resets_at is None else f"at {reset_time(resets_at, now)}"
    if limit_name and limit_name.lower() != "codex":
        return (
            f"You've hit your usage limit for {limit_name}. "
            f"Switch to another model now, or try again {when}."
        )
    return f"You've hit your usage limit. {_advice(plan, promotion, when)}."


def reset_time(resets_at: int, now: float) -> str:
    """`3:04 PM` on the same day, `Feb 22nd, 2026 9:00 AM` on another."""
    then = time.localtime(resets_at)
    clock = f"{then.tm_hour % 12 or 12}:{then.tm_min:02d} {'AM' if then.tm_hour < 12 else 'PM'}"
    today = time.localtime(now)
    if (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday):
        return clock
    month = _MONTHS[then.tm_mon - 1]
    return f"{month} {then.tm_mday}{_suffix(then.tm_mday)}, {then.tm_year} {clock}"


def _advice(plan: str | None, promotion: str | None, when: str) -> str:
    if promotion:
        return f"{promotion}, or try again {when}"
    match (plan or "").lower():
        case "free" | "go":
            return (
                "Upgrade to Plus to continue using Codex (https://chatgpt.com/explore/plus), "
                f"or try again {when}"
            )
        case "plus":
            return (
                "Upgrade to Pro (https://chatgpt.com/explore/pro), "
                f"visit {USAGE_PAGE} to purchase more credits or try again {when}"
            )
        case "pro" | "prolite":
            return f"Visit {USAGE_PAGE} to purchase more credits or try again {when}"
        case workspace if workspace in _WORKSPACES:
            return f"To get more access now, send a request to your admin or try again {when}"
        case _:
            return f"Try again {when}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not from the locale: the sentence is English throughout."""


def _suffix(day: int) -> str:
    if 11 <= day % 100 <= 13:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
