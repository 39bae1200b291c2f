"""Counting tokens: sums, estimates, limits."""

import pytest

from app_server.agent.context_window import (
    IMAGE_TOKENS,
    added,
    as_wire,
    auto_compact_limit,
    estimate_items,
    estimate_text,
)
from app_server.agent.history import text_message
from app_server.model.events import TokenUsage
from app_server.protocol.response_item import InputImageContentItem, MessageResponseItem


def test_usage_adds_up_over_a_thread_and_the_latest_is_kept_apart() -> None:
    one = TokenUsage(input_tokens=100, output_tokens=20, total_tokens=120)
    info = added(added(None, one, 1000), one, 1000)
    wire = as_wire(info)
    assert (wire.total.total_tokens, wire.last.total_tokens) == (240, 120)
    assert wire.model_context_window == 1000


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abc", 1), ("abcd", 1), ("abcde", 2), ("äöüß", 2)]
)
def test_a_token_is_four_bytes_rounded_up(text: str, tokens: int) -> None:
    assert estimate_text(text) == tokens


def test_a_picture_has_a_fixed_price_whatever_its_size() -> None:
    small, large = (
        MessageResponseItem(
            role="user", content=[InputImageContentItem(image_url="data:" + "x" * size)]
        )
        for size in (10, 1_000_000)
    )
    assert estimate_items([small]) == estimate_items([large])
    assert IMAGE_TOKENS <= estimate_items([small]) < IMAGE_TOKENS + 50
    assert estimate_items([text_message("user", "x" * 4000)]) > 1000


@pytest.mark.parametrize(
    ("window", "configured", "limit"),
    [
        (272_000, None, 244_800),
        (272_000, 100, 100),
        (1000, 5000, 900),
        (None, 7, 7),
        (None, None, None),
    ],
)
def test_room_is_made_at_nine_tenths_of_the_window_or_where_configured(
    window: int | None, configured: int | None, limit: int | None
) -> None:
    assert auto_compact_limit(window, configured) == limit
