"""Cutting text in the middle to a budget, without splitting characters.

Half of the budget goes to the beginning, half to the end, and a marker between says how much is
gone. A token is taken as four bytes of UTF-8. Text within the budget comes back unchanged.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

BYTES_PER_TOKEN = 4

BudgetMode: TypeAlias = Literal["tokens", "bytes"]


def approximate_tokens(text: str) -> int:
    """Tokens of a text, rounded up."""
    return -(-size_bytes(text) // BYTES_PER_TOKEN)


def size_bytes(text: str) -> int:
    """Length in UTF-8; lone surrogates count as what they are replaced with."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def truncate_middle_tokens(text: str, limit_tokens: int) -> str:
    """Keep about `limit_tokens`; the marker reads `…N tokens truncated…`."""
    limit_bytes = max(limit_tokens, 0) * BYTES_PER_TOKEN
    total_bytes = size_bytes(text)
    if total_bytes <= limit_bytes:
        return text
    head, tail, _ = _halves(text, limit_bytes)
    gone = -(-(total_bytes - limit_bytes) // BYTES_PER_TOKEN)
    return f"{head}…{gone} tokens truncated…{tail}"


def truncate_middle_bytes(text: str, limit_bytes: int) -> str:
    """Keep about `limit_bytes`; the marker reads `…N chars truncated…`."""
    limit_bytes = max(limit_bytes, 0)
    if size_bytes(text) <= limit_bytes:
        return text
    head, tail, gone = _halves(text, limit_bytes)
    return f"{head}…{gone} chars truncated…{tail}"


def truncate_middle(text: str, mode: BudgetMode, limit: int) -> str:
    """Either of the two, as a model's truncation policy says."""
    if mode == "bytes":
        return truncate_middle_bytes(text, limit)
    return truncate_middle_tokens(text, limit)


def with_line_count(text: str, mode: BudgetMode, limit: int) -> str:
    """Truncate a command's output; a cut one is preceded by its number of lines."""
    cut = truncate_middle(text, mode, limit)
    if cut is text or cut == text:
        return text
    return f"Total output lines: {len(text.splitlines())}\n\n{cut}"


def truncate_parts(texts: list[str], mode: BudgetMode, limit: int) -> tuple[list[str], int]:
    """Spend one budget over several texts in order.

    The text that overruns it is cut; those after it are dropped, and their number is returned. The
    caller reports it as `omitted_note`.
    """
    left = limit
    kept: list[str] = []
    for position, text in enumerate(texts):
        if left <= 0:
            return kept, len(texts) - position
        cost = size_bytes(text) if mode == "bytes" else approximate_tokens(text)
        kept.append(text if cost <= left else truncate_middle(text, mode, left))
        left -= cost
    return kept, 0


def omitted_note(count: int) -> str:
    """What stands for text parts that were dropped entirely."""
    return f"[omitted {count} text items ...]"


def _halves(text: str, limit_bytes: int) -> tuple[str, str, int]:
    """The kept beginning and end, and the number of characters between them."""
    head_bytes = limit_bytes // 2
    head_length = _longest_prefix(text, head_bytes)
    tail_length = _longest_prefix(text[::-1], limit_bytes - head_bytes)
    tail_start = max(len(text) - tail_length, head_length)
    return text[:head_length], text[tail_start:], tail_start - head_length


def _longest_prefix(text: str, limit_bytes: int) -> int:
    """How many leading characters fit into `limit_bytes`."""
    candidate = text[:limit_bytes]
    if candidate.isascii():
        return len(candidate)
    spent_bytes = 0
    for position, character in enumerate(candidate):
        code = ord(character)
        spent_bytes += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        if spent_bytes > limit_bytes:
            return position
    return len(candidate)
