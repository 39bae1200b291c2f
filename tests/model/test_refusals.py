"""Every refusal of the service, its words, and whether it is worth another try.

The texts and the `codexErrorInfo` were compared with those of `codex` 0.128.
"""

import time
from typing import Any

import msgspec
import pytest

from app_server.model.errors import ModelError, UsageLimitReached
from app_server.model.refusals import (
    delay_in_message,
    http_refusal,
    reported_failure,
    retry_after,
)
from app_server.model.usage_limit import reset_time, usage_limit_text

URL = "http://127.0.0.1:1/v1/responses"
BUSY = "We're currently experiencing high demand, which may cause temporary errors."
FULL = "Selected model is at capacity. Please try a different model."
PLUS = "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus."
QUOTA = "Quota exceeded. Check your plan and billing details."
FULL_WINDOW = (
    "Codex ran out of room in the model's context window. Start a new thread or clear earlier "
    "history before retrying."
)
MANY = "exceeded retry limit, last status: 429 Too Many Requests"


def error(**fields: Any) -> dict[str, Any]:
    return {"error": fields}


def at(status: int, body: Any, **headers: str) -> ModelError:
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http_refusal(status, named, content, URL, now=1_000.0)


def info(failure: ModelError) -> Any:
    return msgspec.to_builtins(failure.info)


HTTP = [
    (at(400, error(message="bad")), '{"error":{"message":"bad"}}', "other", False),
    (at(400, "plain"), "plain", "other", False),
    (
        at(401, error(message="bad key")),
        f"unexpected status 401 Unauthorized: bad key, url: {URL}",
        "other",
        True,
    ),
    (
        at(403, "<html>no</html>"),
        f"unexpected status 403 Forbidden: no, url: {URL}",
        "other",
        True,
    ),
    (at(404, ""), f"unexpected status 404 Not Found: Unknown error, url: {URL}", "other", True),
    (
        at(404, "x", cf_ray="ray", x_request_id="req"),
        f"unexpected status 404 Not Found: x, url: {URL}, cf-ray: ray, request id: req",
        "other",
        True,
    ),
    (
        at(503, error(message="boom")),
        f"unexpected status 503 Service Unavailable: boom, url: {URL}",
        "other",
        True,
    ),
    (at(599, "x"), f"unexpected status 599 <unknown status code>: x, url: {URL}", "other", True),
    (at(500, error(message="boom")), BUSY, "internalServerError", True),
    (at(503, error(code="server_is_overloaded")), FULL, "serverOverloaded", False),
    (at(503, error(code="slow_down")), FULL, "serverOverloaded", False),
    (
        at(429, error(message="slow")),
        MANY,
        {"responseTooManyFailedAttempts": {"httpStatusCode": 429}},
        False,
    ),
    (at(429, "not json"), MANY, {"responseTooManyFailedAttempts": {"httpStatusCode": 429}}, False),
    (at(429, error(type="usage_not_included")), PLUS, "usageLimitExceeded", False),
    (
        at(429, error(type="usage_limit_reached")),
        "You've hit your usage limit. Try again later.",
        "usageLimitExceeded",
        False,
    ),
]


@pytest.mark.parametrize(
    ("failure", "message", "kind", "retryable"), HTTP, ids=[str(row[0])[:50] for row in HTTP]
)
def test_an_http_refusal_is(failure: ModelError, message: str, kind: Any, retryable: bool) -> None:
    assert (failure.message, info(failure), failure.retryable) == (message, kind, retryable)


PAGE = "<!DOCTYPE html><html><head><title>x</title></head><body><h1>Bad\n gateway</h1> &amp; out"
SCRIPTED = (
    "<html><head><SCRIPT>if (a<b) w('<script>')</SCRIPT ><!-- <p>no</p> --><style>p{}</style>"
    "<p class='x'>Sorry, 1 < 2<br/>again<script>never closed"
)

SAID = [
    (at(500, error(message="out of memory")), "500 Internal Server Error: out of memory"),
    (at(500, {"error": "no such model"}), "500 Internal Server Error: no such model"),
    (at(500, {"detail": "not\nloaded\x1b[2J"}), "500 Internal Server Error: not loaded [2J"),
    (at(500, '["odd"]'), '500 Internal Server Error: ["odd"]'),
    (at(500, "{broken"), "500 Internal Server Error: {broken"),
    (at(500, PAGE), "500 Internal Server Error: Bad gateway & out"),
    (at(500, SCRIPTED), "500 Internal Server Error: Sorry, 1 < 2 again"),
    (at(500, ""), "500 Internal Server Error: no reason given"),
    (at(500, "x" * 5_000), f"500 Internal Server Error: {'x' * 400}…"),
    (
        at(500, "x", x_request_id="req", cf_ray="ray"),
        "500 Internal Server Error: x, cf-ray: ray, request id: req",
    ),
    (at(429, error(message="slow")), "429 Too Many Requests: slow"),
    (
        at(503, error(code="slow_down", message="later")),
        "503 Service Unavailable: later",
    ),
    (reported_failure({"code": "insufficient_quota", "message": "pay"}), "pay"),
    (reported_failure({"code": "slow_down", "message": "later"}), "later"),
    (at(404, "x"), ""),
]


@pytest.mark.parametrize(("failure", "said"), SAID, ids=[str(row[1])[:40] for row in SAID])
def test_what_the_service_said_is_one_line_where_the_message_leaves_it_out(
    failure: ModelError, said: str
) -> None:
    assert failure.said == said


def test_a_long_refusal_is_cut_and_a_long_json_one_reduced_to_its_sentence() -> None:
    assert at(400, "y" * 5_000).message == "y" * 1_000 + "..."
    long = {"error": {"message": "bad"}, "trace": ["line"] * 1_000}
    assert at(400, long).message == "bad"


REPORTED = [
    ("context_length_exceeded", FULL_WINDOW, "contextWindowExceeded", False),
    ("insufficient_quota", QUOTA, "usageLimitExceeded", False),
    ("usage_not_included", PLUS, "usageLimitExceeded", False),
    ("server_is_overloaded", FULL, "serverOverloaded", False),
    ("slow_down", FULL, "serverOverloaded", False),
    ("invalid_prompt", "said", "other", False),
    ("cyber_policy", "said", "cyberPolicy", False),
    ("rate_limit_exceeded", "stream disconnected before completion: said", "other", True),
    ("anything_else", "stream disconnected before completion: said", "other", True),
]


@pytest.mark.parametrize(("code", "message", "kind", "retryable"), REPORTED)
def test_a_failure_reported_in_the_stream_is(
    code: str, message: str, kind: Any, retryable: bool
) -> None:
    failure = reported_failure({"code": code, "message": "said"})
    assert (failure.message, info(failure), failure.retryable) == (message, kind, retryable)


def test_while_retrying_only_an_unexpected_status_is_named() -> None:
    def status(failure: ModelError) -> Any:
        return msgspec.to_builtins(failure.retry_info)["responseStreamDisconnected"][
            "httpStatusCode"
        ]

    assert status(at(404, "x")) == 404
    assert status(at(500, "x")) is None
    assert status(reported_failure({"code": "odd"})) is None


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please try again in 11ms.", 0.011),
        ("Please try again in 1.5s. More", 1.5),
        ("try again in 20 seconds", 20.0),
        ("Try again in 1 second", 1.0),
        ("try again in a while", None),
        ("", None),
    ],
)
def test_the_delay_a_message_asks_for(message: str, seconds: float | None) -> None:
    assert delay_in_message(message) == seconds
    failure = reported_failure({"code": "rate_limit_exceeded", "message": message})
    assert failure.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_the_delay_a_header_asks_for_is_kept(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, now=1_000.0) == seconds
    assert at(429, "x", retry_after=value).retry_after_seconds == seconds


def test_a_web_page_in_place_of_an_answer_is_cut() -> None:
    assert len(at(502, "<p>" * 100_000).message) < 1_200


TO_PLUS = "Upgrade to Plus to continue using Codex (https://chatgpt.com/explore/plus), or"
TO_CREDITS = "https://chatgpt.com/codex/settings/usage to purchase more credits or"
TO_ADMIN = "To get more access now, send a request to your admin or"

ADVICE = [
    ("free", f"{TO_PLUS} try again later."),
    ("go", f"{TO_PLUS} try again later."),
    (
        "plus",
        f"Upgrade to Pro (https://chatgpt.com/explore/pro), visit {TO_CREDITS} try again later.",
    ),
    ("pro", f"Visit {TO_CREDITS} try again later."),
    ("team", f"{TO_ADMIN} try again later."),
    ("business", f"{TO_ADMIN} try again later."),
    ("enterprise", "Try again later."),
    ("edu", "Try again later."),
    (None, "Try again later."),
]


@pytest.mark.parametrize(("plan", "advice"), ADVICE)
def test_what_to_do_about_a_used_up_limit_depends_on_the_plan(
    plan: str | None, advice: str
) -> None:
    text = usage_limit_text(plan=plan, limit_name=None, promotion=None, resets_at=None, now=0)
    assert text == f"You've hit your usage limit. {advice}"


def test_a_limit_of_its_own_name_suggests_another_model() -> None:
    failure = at(
        429,
        error(type="usage_limit_reached", plan_type="plus"),
        x_codex_active_limit="codex-other",
        x_codex_other_limit_name="Other",
        x_codex_other_primary_used_percent="100",
    )
    assert failure.message == (
        "You've hit your usage limit for Other. Switch to another model now, or try again later."
    )
    assert isinstance(failure, UsageLimitReached)
    assert failure.snapshot is not None
    assert failure.snapshot.primary is not None
    assert failure.snapshot.primary.used_percent == 100


def test_a_promotion_takes_the_place_of_the_advice() -> None:
    failure = at(429, error(type="usage_limit_reached"), x_codex_promo_message="Buy now!")
    assert failure.message == "You've hit your usage limit. Buy now!, or try again later."


def test_the_time_of_reset_is_a_clock_time_today_and_a_date_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    morning = 1_771_664_400  # 2026-02-21 09:00 UTC
    assert reset_time(morning + 6 * 3600 + 240, morning) == "3:04 PM"
    assert reset_time(morning - 9 * 3600, morning) == "12:00 AM"
    assert reset_time(morning + 86_400, morning) == "Feb 22nd, 2026 9:00 AM"
    assert reset_time(morning + 2 * 86_400, morning) == "Feb 23rd, 2026 9:00 AM"
    assert reset_time(morning - 10 * 86_400, morning) == "Feb 11th, 2026 9:00 AM"
    assert reset_time(morning + 8 * 86_400, morning) == "Mar 1st, 2026 9:00 AM"
