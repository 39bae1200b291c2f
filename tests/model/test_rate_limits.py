"""Limits as answers report them in their headers."""

from app_server.model.rate_limits import snapshots
from app_server.protocol.rate_limits import CreditsSnapshot, RateLimitSnapshot, RateLimitWindow


def test_an_answer_without_limits_still_reports_the_default_family_empty() -> None:
    assert snapshots({}) == [RateLimitSnapshot(limit_id="codex")]


def test_windows_and_credits_are_read() -> None:
    headers = {
        "x-codex-primary-used-percent": "12.6",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": "1999999999",
        "x-codex-secondary-used-percent": "0",
        "x-codex-secondary-window-minutes": "10080",
        "x-codex-credits-has-credits": "true",
        "x-codex-credits-unlimited": "0",
        "x-codex-credits-balance": "5.5",
    }
    assert snapshots(headers) == [
        RateLimitSnapshot(
            limit_id="codex",
            primary=RateLimitWindow(
                used_percent=13, window_duration_mins=300, resets_at=1_999_999_999
            ),
            secondary=RateLimitWindow(used_percent=0, window_duration_mins=10_080),
            credits=CreditsSnapshot(has_credits=True, unlimited=False, balance="5.5"),
        )
    ]


def test_other_families_follow_the_default_one() -> None:
    headers = {
        "x-codex-other-primary-used-percent": "3",
        "x-codex-other-limit-name": "Other",
        "x-aaa-primary-used-percent": "0",
    }
    assert snapshots(headers) == [
        RateLimitSnapshot(limit_id="codex"),
        RateLimitSnapshot(
            limit_id="codex_other",
            limit_name="Other",
            primary=RateLimitWindow(used_percent=3),
        ),
    ]


def test_values_that_are_no_numbers_are_left_out() -> None:
    headers = {
        "x-codex-primary-used-percent": "much",
        "x-codex-secondary-used-percent": "nan",
        "x-codex-credits-has-credits": "perhaps",
        "x-codex-credits-unlimited": "1",
    }
    assert snapshots(headers) == [RateLimitSnapshot(limit_id="codex")]
