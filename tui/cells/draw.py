"""Drawing any cell: the one function both faces call.

`draw` gives the lines of a cell without blank lines around it; `gap_before` says how many blank
lines stand between two cells. Lines are `Strip`s of rich segments and never hold control
characters. With `fold` (the default) no line is wider than `width`. Without it, code, URLs and
other long words that do not fit stay in one line for the terminal to wrap, so that they can be
selected and copied whole: this is for lines committed to the terminal's own scrollback. Lines are
not padded. A cell may have no lines at all (reasoning that still runs).

For the inline face, `draw_blocks` gives the same lines in blocks and says how many of these will
never change again while the cell grows. The number of settled blocks depends on the text alone, not
on the width: after a resize the rest is drawn from the same block on. See `tui.cells.commit`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from textual.strip import Strip

from tui.cells.agent_message import DrawingCache, ending
from tui.cells.approval import draw_approval, draw_questions
from tui.cells.canvas import Canvas, Mode
from tui.cells.command import draw_command, draw_exploring, draw_terminal_input
from tui.cells.image import draw_image
from tui.cells.notice import draw_compaction, draw_hook, draw_notice
from tui.cells.patch import draw_patch
from tui.cells.plan import draw_plan
from tui.cells.reasoning import draw_reasoning
from tui.cells.review import draw_review
from tui.cells.separator import draw_separator
from tui.cells.session_header import draw_card, draw_session_header
from tui.cells.subagent import draw_subagent
from tui.cells.tool import draw_tool
from tui.cells.user_message import draw_user_message
from tui.cells.web_search import draw_web_search
from tui.state.cells import (
    AgentMessageCell,
    AnyCell,
    ApprovalCell,
    CardCell,
    CommandCell,
    CompactionCell,
    ExploringCell,
    HookCell,
    ImageCell,
    NoticeCell,
    PatchCell,
    PlanCell,
    ProposedPlanCell,
    QuestionsCell,
    ReasoningCell,
    ReviewCell,
    SeparatorCell,
    SessionHeaderCell,
    SubAgentCell,
    TerminalInputCell,
    ToolCell,
    UserMessageCell,
    WebSearchCell,
)
from tui.text.palette import Palette
from tui.text.spans import Spans

__all__ = [
    "Blocks",
    "Mode",
    "draw",
    "draw_blocks",
    "forget_drawings",
    "gap_before",
    "plain",
    "warm",
]

_CACHED_CELLS = 4096
TOO_NARROW = 16

_DRAW: dict[type, Callable[[Any, Canvas], list[Spans]]] = {
    UserMessageCell: draw_user_message,
    ReasoningCell: draw_reasoning,
    CommandCell: draw_command,
    ExploringCell: draw_exploring,
    TerminalInputCell: draw_terminal_input,
    PatchCell: draw_patch,
    PlanCell: draw_plan,
    ToolCell: draw_tool,
    WebSearchCell: draw_web_search,
    ImageCell: draw_image,
    SubAgentCell: draw_subagent,
    ReviewCell: draw_review,
    CompactionCell: draw_compaction,
    HookCell: draw_hook,
    NoticeCell: draw_notice,
    SessionHeaderCell: draw_session_header,
    CardCell: draw_card,
    SeparatorCell: draw_separator,
    ApprovalCell: draw_approval,
    QuestionsCell: draw_questions,
}


class Blocks(msgspec.Struct, frozen=True):
    """A cell's lines in blocks; of all its blocks the first `settled` will not change any more."""

    blocks: list[list[Strip]]
    settled: int


def draw(
    cell: AnyCell,
    width: int,
    palette: Palette,
    mode: Mode = "brief",
    *,
    fold: bool = True,
    now: float | None = None,
) -> list[Strip]:
    """The lines of a cell. `now` (Unix seconds) gives running cells their elapsed time.

    The same list comes back for the same cell, width and palette: do not change it.
    """
    growing = getattr(cell, "status", None) == "running" or not getattr(cell, "complete", True)
    if growing:
        return _drawn(cell, width, palette, mode, fold=fold, now=now)
    key = (id(cell), width, id(palette), mode, fold)
    kept = _cache.get(key)
    if kept is not None and kept[0] is cell and kept[1] is palette:
        return kept[2]
    strips = _drawn(cell, width, palette, mode, fold=fold, now=now)
    if len(_cache) >= _CACHED_CELLS:
        for old in list(_cache)[: _CACHED_CELLS // 4]:
            del _cache[old]
    _cache[key] = (cell, palette, strips)
    return strips


def draw_blocks(
    cell: AnyCell,
    width: int,
    palette: Palette,
    *,
    fold: bool = True,
    now: float | None = None,
    finished: bool = False,
    start: int = 0,
    settled_only: bool = False,
) -> Blocks:
    """A cell in blocks, from the block `start` on, on request without those that may change.

    Messages have many blocks; any other cell is one, settled when `finished`.
    """
    width = max(1, width)
    if isinstance(cell, AgentMessageCell | ProposedPlanCell):
        drawing = _messages.drawing(cell)
        blocks = drawing.blocks(
            cell, width, palette, fold_long=fold, start=start, settled_only=settled_only
        )
        settled = drawing.settled
        end = ending(cell, width, palette)
        if end:
            blocks.append(end)
            settled += 1
        if width < TOO_NARROW:
            blocks = [_cropped(block, width, fold=fold) for block in blocks]
        return Blocks(blocks, settled)
    lines = draw(cell, width, palette, fold=fold, now=now)
    settled = int(finished and bool(lines))
    blocks = [lines] if lines and (settled or not settled_only) else []
    return Blocks(blocks[start:], settled)


def gap_before(previous: AnyCell | None, cell: AnyCell) -> int:
    """Blank lines between two cells that follow each other."""
    if previous is None:
        return 0
    pair = (type(previous), type(cell))
    if pair in ((NoticeCell, NoticeCell), (ApprovalCell, ApprovalCell)):
        return 0
    return 1


def plain(strips: Sequence[Strip]) -> str:
    """The text of drawn lines, trailing blanks removed; for tests and copying."""
    return "\n".join(strip.text.rstrip() for strip in strips)


def forget_drawings() -> None:
    """Drop everything kept between frames, for instance after the theme was changed."""
    _cache.clear()
    _messages.clear()


def warm() -> None:
    """Load what the first message and the first command need (some 80 ms), off the frame's path."""
    from tui.text.highlight import lexer_for
    from tui.text.markdown_inline import parser

    parser()
    lexer_for("bash")
    lexer_for("python")


_cache: dict[tuple[int, int, int, Mode, bool], tuple[AnyCell, Palette, list[Strip]]] = {}
_messages = DrawingCache()


def _drawn(
    cell: AnyCell, width: int, palette: Palette, mode: Mode, *, fold: bool, now: float | None
) -> list[Strip]:
    if isinstance(cell, AgentMessageCell | ProposedPlanCell):
        blocks = draw_blocks(cell, width, palette, fold=fold).blocks
        return [strip for block in blocks for strip in block]
    width = max(1, width)
    canvas = Canvas(width=width, palette=palette, mode=mode, fold_long=fold, now=now)
    return _cropped([Strip(line) for line in _DRAW[type(cell)](cell, canvas)], width, fold=fold)


def _cropped(strips: list[Strip], width: int, *, fold: bool) -> list[Strip]:
    """Where there is no room even for indents, the edge of the screen cuts."""
    if not fold or width >= TOO_NARROW:
        return strips
    return [strip.crop(0, width) if strip.cell_length > width else strip for strip in strips]
