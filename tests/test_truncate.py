"""Cutting text in the middle."""

import random

import pytest

from app_server.truncate import (
    approximate_tokens,
    omitted_note,
    size_bytes,
    truncate_middle,
    truncate_middle_bytes,
    truncate_middle_tokens,
    truncate_parts,
    with_line_count,
)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("abcdefgh", 2, "abcdefgh"),
        ("abcdefghijklmnop", 2, "abcd…2 tokens truncated…mnop"),
        ("abcdefghijklm", 3, "abcdef…1 tokens truncated…hijklm"),
        ("abcdefgh", 0, "…2 tokens truncated…"),
        ("ééééééééé", 2, "éé…3 tokens truncated…éé"),
    ],
)
def test_tokens_are_four_bytes_and_both_ends_stay(text: str, limit: int, expected: str) -> None:
    assert truncate_middle_tokens(text, limit) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 4, "ab…2 chars truncated…ef"),
        ("abcdef", 3, "a…3 chars truncated…ef"),
        ("😀😀😀😀", 8, "😀…2 chars truncated…😀"),
        ("😀😀", 3, "…2 chars truncated…"),
    ],
)
def test_bytes_are_cut_between_characters(text: str, limit: int, expected: str) -> None:
    assert truncate_middle_bytes(text, limit) == expected


@pytest.mark.parametrize("seed", range(20))
def test_what_is_kept_fits_the_budget_and_is_a_beginning_and_an_end(seed: int) -> None:
    dice = random.Random(seed)
    text = "".join(dice.choice("ab é😀\n") for _ in range(dice.randrange(1, 200)))
    limit = dice.randrange(0, 120)
    cut = truncate_middle(text, "bytes", limit)
    if size_bytes(text) <= limit:
        assert cut == text
        return
    head, _, tail = cut.partition("…")
    tail = tail.partition("…")[2]
    assert text.startswith(head)
    assert text.endswith(tail)
    assert size_bytes(head) + size_bytes(tail) <= limit
    assert f"…{len(text) - len(head) - len(tail)} chars truncated…" in cut


def test_a_cut_output_says_how_many_lines_it_had() -> None:
    text = "line\n" * 10
    assert with_line_count(text, "bytes", 1000) == text
    assert with_line_count(text, "bytes", 10).startswith("Total output lines: 10\n\nline\n")


def test_one_budget_is_spent_over_several_texts() -> None:
    texts = ["aaaa", "bbbbbbbb", "cccc", "dddd"]
    assert truncate_parts(texts, "bytes", 100) == (texts, 0)
    assert truncate_parts(texts, "bytes", 8) == (["aaaa", "bb…4 chars truncated…bb"], 2)
    assert truncate_parts(texts, "tokens", 1) == (["aaaa"], 3)
    assert omitted_note(2) == "[omitted 2 text items ...]"


def test_tokens_are_rounded_up_and_lone_surrogates_count() -> None:
    assert [approximate_tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]
    assert size_bytes("\udc80") == 3
    assert truncate_middle_bytes("\udc80" * 10, 6).startswith("\udc80")
