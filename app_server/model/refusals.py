"""Which error a refusal is: HTTP answers that are not streams, and failures reported in a stream.

Pure; the table is agent-core §3 of the reference, checked against `codex` 0.128.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from app_server.model.errors import (
    ContextWindowExceeded,
    ModelError,
    Overloaded,
    QuotaExceeded,
    RefusedRequest,
    ServerTrouble,
    StreamBroken,
    TooManyRequests,
    UnexpectedStatus,
    UsageLimitReached,
    UsageNotIncluded,
)
from app_server.model.rate_limits import active_snapshot
from app_server.model.said import (
    MAX_BODY_CHARACTERS,
    MAX_SAID_CHARACTERS,
    as_text,
    phrase,
    refusal_line,
    request_ids,
    sentence,
)
from app_server.model.usage_limit import usage_limit_text


def reported_failure(error: object) -> ModelError:
    """The error in a `response.failed` event, None where it carries none."""
    if not isinstance(error, dict):
        return StreamBroken("response.failed event received")
    code = error.get("code")
    given = error.get("message")
    message = given if isinstance(given, str) else ""
    said = sentence(message)[:MAX_SAID_CHARACTERS]
    match code:
        case "context_length_exceeded":
            return ContextWindowExceeded()
        case "insufficient_quota":
            return QuotaExceeded(said=said)
        case "usage_not_included":
            return UsageNotIncluded()
        case "server_is_overloaded" | "slow_down":
            return Overloaded(said=said)
        case "invalid_prompt":
            return RefusedRequest(message or "Invalid request.")
        case "cyber_policy":
            return RefusedRequest(
                message or "The service refused this request for safety reasons.",
                for_cyber_policy=True,
            )
        case "rate_limit_exceeded":
            return StreamBroken(message, retry_after_seconds=delay_in_message(message))
        case _:
            return StreamBroken(message or f"response.failed: {code or 'no reason given'}")


def incomplete_response(details: object) -> ModelError:
    """The error in a `response.incomplete` event."""
    reason = details.get("reason") if isinstance(details, dict) else None
    return StreamBroken(f"Incomplete response returned, reason: {reason or 'unknown'}")


def http_refusal(
    status: int, headers: Mapping[str, str], body: bytes, url: str, now: float
) -> ModelError:
    """The error of an HTTP answer other than 200. Header names in lower case, `now` Unix time."""
    text = body.decode("utf-8", "replace")
    error = _error_object(body)
    said = refusal_line(status, headers, text)
    if status == 400:
        why = sentence(text) if len(text) > MAX_BODY_CHARACTERS else text
        return RefusedRequest(
            _bounded(why) or "The service refused the request (HTTP 400).", http_status=400
        )
    if status == 429:
        match error.get("type"):
            case "usage_limit_reached":
                return _usage_limit(error, headers, now)
            case "usage_not_included":
                return UsageNotIncluded(http_status=429)
            case _:
                return TooManyRequests(retry_after_seconds=retry_after(headers, now), said=said)
    if status == 503 and error.get("code") in ("server_is_overloaded", "slow_down"):
        return Overloaded(http_status=503, said=said)
    if status == 500:
        return ServerTrouble(
            http_status=500, retry_after_seconds=retry_after(headers, now), said=said
        )
    return UnexpectedStatus(
        _unexpected(status, headers, error, text, url),
        http_status=status,
        retry_after_seconds=retry_after(headers, now),
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The delay a `retry-after` header asks for, in seconds or as a date; None without one."""
    given = headers.get("retry-after", "").strip()
    if not given:
        return None
    try:
        return max(0.0, float(given))
    except ValueError:
        from email.utils import parsedate_to_datetime  # 15 ms, and rarely needed

        try:
            return max(0.0, parsedate_to_datetime(given).timestamp() - now)
        except ValueError:
            return None


_DELAY = re.compile(r"try again in\s*(\d+(?:\.\d+)?)\s*(ms|s|seconds?)\b", re.IGNORECASE)


def delay_in_message(message: str) -> float | None:
    """The delay named by "try again in 11.5s" and the like, in seconds."""
    found = _DELAY.search(message)
    if found is None:
        return None
    amount = float(found[1])
    return amount / 1000 if found[2].lower() == "ms" else amount


def _usage_limit(error: dict[str, Any], headers: Mapping[str, str], now: float) -> ModelError:
    resets_at = error.get("resets_at")
    reset = int(resets_at) if isinstance(resets_at, int | float) else None
    plan = error.get("plan_type")
    snapshot = active_snapshot(headers)
    text = usage_limit_text(
        plan=plan if isinstance(plan, str) else None,
        limit_name=snapshot.limit_name,
        promotion=headers.get("x-codex-promo-message", "").strip() or None,
        resets_at=reset,
        now=now,
    )
    return UsageLimitReached(text, resets_at=reset, snapshot=snapshot)


def _unexpected(
    status: int, headers: Mapping[str, str], error: dict[str, Any], text: str, url: str
) -> str:
    message = error.get("message")
    said = message if isinstance(message, str) and message else as_text(text)
    said = _bounded(said)
    what = f"unexpected status {status} {phrase(status)}: {said or 'Unknown error'}"
    return f"{what}, url: {url}{request_ids(headers)}"


def _bounded(said: str) -> str:
    return said if len(said) <= MAX_BODY_CHARACTERS else f"{said[:MAX_BODY_CHARACTERS]}..."


def _error_object(body: bytes) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    error = content.get("error") if isinstance(content, dict) else None
    return error if isinstance(error, dict) else {}
