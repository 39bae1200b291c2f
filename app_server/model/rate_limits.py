"""The account's limits, read from the headers of an answer.

Headers come in families `x-<limit>-primary-…` and `x-<limit>-secondary-…`. The family `codex` is
always reported, even when it says nothing; others only when they are there. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from app_server.protocol.rate_limits import CreditsSnapshot, RateLimitSnapshot, RateLimitWindow

DEFAULT_LIMIT = "codex"
_MARK = "-primary-used-percent"


def snapshots(headers: Mapping[str, str]) -> list[RateLimitSnapshot]:
    """One snapshot per family, the default one first. Header names are in lower case."""
    others = sorted(
        {
            name.removeprefix("x-").removesuffix(_MARK).replace("-", "_")
            for name in headers
            if name.startswith("x-") and name.endswith(_MARK)
        }
        - {DEFAULT_LIMIT}
    )
    found = [snapshot(headers, limit) for limit in others]
    return [
        snapshot(headers, DEFAULT_LIMIT),
        *(limits for limits in found if limits.primary or limits.secondary),
    ]


def snapshot(headers: Mapping[str, str], limit: str) -> RateLimitSnapshot:
    """What the headers say of one family of limits."""
    prefix = "x-" + limit.lower().replace("_", "-")
    return RateLimitSnapshot(
        limit_id=limit,
        limit_name=headers.get(f"{prefix}-limit-name", "").strip() or None,
        primary=_window(headers, f"{prefix}-primary"),
        secondary=_window(headers, f"{prefix}-secondary"),
        credits=_credits(headers),
    )


def active_snapshot(headers: Mapping[str, str]) -> RateLimitSnapshot:
    """The family a refusal is about, the default one unless it names another."""
    named = headers.get("x-codex-active-limit", "").strip().lower().replace("-", "_")
    return snapshot(headers, named or DEFAULT_LIMIT)


def _window(headers: Mapping[str, str], prefix: str) -> RateLimitWindow | None:
    used = _number(headers.get(f"{prefix}-used-percent"))
    if used is None:
        return None
    minutes = _number(headers.get(f"{prefix}-window-minutes"))
    resets_at = _number(headers.get(f"{prefix}-reset-at"))
    if not used and not minutes and resets_at is None:
        return None
    return RateLimitWindow(
        used_percent=round(used),
        window_duration_mins=None if minutes is None else int(minutes),
        resets_at=None if resets_at is None else int(resets_at),
    )


def _credits(headers: Mapping[str, str]) -> CreditsSnapshot | None:
    has_credits = _truth(headers.get("x-codex-credits-has-credits"))
    unlimited = _truth(headers.get("x-codex-credits-unlimited"))
    if has_credits is None or unlimited is None:
        return None
    balance = headers.get("x-codex-credits-balance", "").strip()
    return CreditsSnapshot(has_credits=has_credits, unlimited=unlimited, balance=balance or None)


def _truth(text: str | None) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get((text or "").strip().lower())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None
