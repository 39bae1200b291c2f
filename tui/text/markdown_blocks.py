"""Cutting Markdown into blocks that can be drawn, and kept, one by one.

The text is cut into top-level blocks; of a list each item is a block, of a code fence each line. A
block is settled once later text cannot change it: all but the last one, judged by whole lines only.
Where a cut ended tells where the next may begin. Knows no widths and no colours.
"""

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from tui.text.markdown import closing, parse

if TYPE_CHECKING:
    from markdown_it.token import Token


class Block(msgspec.Struct, frozen=True):
    """A piece of the text that is drawn on its own."""

    kind: Literal["markdown", "item", "code"]
    source: str
    gap: bool = True
    """A blank line stands before it (unless it is the first)."""
    number: int | None = None
    """Of an ordered list's item."""
    language: str = ""
    opens_code: bool = False
    """The first line of a code fence."""


class Fence(msgspec.Struct, frozen=True):
    """An open code fence."""

    marker: str
    length: int
    indent: int
    language: str
    empty: bool = True


class Scan(msgspec.Struct):
    """Blocks of some text from a known point on, and where one could go on later."""

    blocks: list[Block]
    settled: int = 0
    """How many of the blocks are settled."""
    consumed: int = 0
    """Characters that need not be looked at again."""
    fence: Fence | None = None
    """Open at `consumed`."""
    next_number: int | None = None
    """The number of the list item at `consumed`, if a list was cut there."""
    in_list: bool = False


def scan(
    text: str,
    *,
    fence: Fence | None = None,
    next_number: int | None = None,
    in_list: bool = False,
    blank_before: bool = True,
) -> Scan:
    """Cut `text`, which begins at a block (or inside `fence`), into blocks."""
    result = Scan([], fence=fence, next_number=next_number, in_list=in_list)
    if fence is not None:
        _scan_fence(text, result, fence)
        if result.fence is not None:
            return result
        text = text[result.consumed :]
        result.next_number, result.in_list = None, False
    _scan_blocks(text, result, blank_before=blank_before)
    return result


def _scan_fence(text: str, result: Scan, fence: Fence) -> None:
    """Every whole line of an open fence is a settled block."""
    end_mark = re.compile(rf" {{0,3}}{re.escape(fence.marker)}{{{fence.length},}}[ \t]*$")
    at = 0
    while at < len(text):
        stop = text.find("\n", at)
        row = text[at:] if stop < 0 else text[at:stop]
        whole = stop >= 0
        if end_mark.match(row):
            if whole:
                at = stop + 1
                result.consumed, result.fence = at, None
                result.settled = len(result.blocks)
            return
        if not whole and row and not row.strip(" " + fence.marker):
            return  # perhaps the closing mark
        blank = len(row) - len(row.lstrip(" "))
        shown = row[min(blank, fence.indent) :]
        result.blocks.append(
            Block("code", shown, gap=fence.empty, language=fence.language, opens_code=fence.empty)
        )
        if not whole:
            return
        if fence.empty:
            fence = msgspec.structs.replace(fence, empty=False)
        at = stop + 1
        result.consumed, result.fence = at, fence
        result.settled = len(result.blocks)


def _scan_blocks(text: str, result: Scan, *, blank_before: bool) -> None:
    base = result.consumed
    tokens = parse(text)
    rows = text.split("\n")
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row) + 1)
    at = 0
    number, in_list = result.next_number, result.in_list
    while at < len(tokens):
        end = closing(tokens, at)
        token = tokens[at]
        start_row, end_row = token.map or (0, 0)
        is_last = end + 1 >= len(tokens)
        if token.type in ("bullet_list_open", "ordered_list_open"):
            _scan_list(
                tokens[at : end + 1],
                rows,
                offsets,
                result,
                base,
                number=number,
                continues=in_list,
                is_last=is_last,
                blank_before=blank_before,
            )
        elif token.type == "fence":
            opened = _fence_of(token, rows[start_row])
            inside = Scan([], fence=opened)
            body = text[offsets[start_row + 1] : offsets[end_row]] if end_row > start_row else ""
            if is_last:
                body = text[offsets[start_row + 1] :]
            if offsets[start_row + 1] <= len(text):
                _scan_fence(body, inside, opened)
                result.blocks += inside.blocks
                result.settled = len(result.blocks) - len(inside.blocks) + inside.settled
                result.consumed = base + offsets[start_row + 1] + inside.consumed
                result.fence = inside.fence if is_last else None
        else:
            source = "\n".join(rows[start_row:end_row])
            result.blocks.append(Block("markdown", source))
            closed = end_row < len(rows) - 1 and (
                token.type in ("hr", "heading_open")
                or (
                    token.type in ("paragraph_open", "table_open", "blockquote_open")
                    and not rows[end_row].strip()
                )
            )
            if not is_last or closed:
                result.settled = len(result.blocks)
                result.consumed = base + min(offsets[end_row], len(text))
        if not is_last:
            result.next_number, result.in_list = None, False
        number, in_list = None, False
        at = end + 1


def _scan_list(
    tokens: list["Token"],
    rows: list[str],
    offsets: list[int],
    result: Scan,
    base: int,
    *,
    number: int | None,
    continues: bool,
    is_last: bool,
    blank_before: bool,
) -> None:
    """Each item is a block; the last one of an open list is not settled."""
    ordered = tokens[0].type == "ordered_list_open"
    start = tokens[0].attrGet("start")
    counter = number if continues and number is not None else int(1 if start is None else start)
    at = 1
    first = True
    while at < len(tokens) - 1:
        end = closing(tokens, at)
        start_row, end_row = tokens[at].map or (0, 0)
        source = "\n".join(rows[start_row:end_row]).rstrip()
        if first:
            gap = blank_before if continues else True
        else:
            gap = not rows[start_row - 1].strip()
            result.settled = len(result.blocks)
            result.consumed = base + offsets[start_row]
            result.next_number, result.in_list = counter if ordered else None, True
        result.blocks.append(Block("item", source, gap=gap, number=counter if ordered else None))
        first = False
        counter += 1
        at = end + 1
    if not is_last:
        end_row = (tokens[0].map or (0, 0))[1]
        result.settled = len(result.blocks)
        result.consumed = base + offsets[end_row]


def _fence_of(token: "Token", row: str) -> Fence:
    return Fence(
        marker=token.markup[0],
        length=len(token.markup),
        indent=len(row) - len(row.lstrip(" ")),
        language=token.info,
    )
