"""Items and their deltas become cells.

Started items live until they are completed; commands that only look around join into one group as
long as nothing else begins. Reasoning shows its headings in the status line while it runs.
"""

import re

from msgspec.structs import replace

from app_server.protocol.item import (
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    ItemCompletedNotification,
    ItemStartedNotification,
    ThreadItem,
    UnknownCommandAction,
    UserMessageThreadItem,
)
from app_server.protocol.item_deltas import (
    AgentMessageDeltaNotification,
    CommandExecutionOutputDeltaNotification,
    FileChangeOutputDeltaNotification,
    FileChangePatchUpdatedNotification,
    McpToolCallProgressNotification,
    PlanDeltaNotification,
    ReasoningSummaryPartAddedNotification,
    ReasoningSummaryTextDeltaNotification,
    ReasoningTextDeltaNotification,
    TerminalInteractionNotification,
)
from app_server.protocol.turn import TurnPlanUpdatedNotification
from app_server.protocol.wire import known
from tui.state.cells import (
    AgentMessageCell,
    ApprovalCell,
    CommandCell,
    ExploringCell,
    PatchCell,
    PlanCell,
    PlanStep,
    ProposedPlanCell,
    ReasoningCell,
    ReviewCell,
    TerminalInputCell,
    ToolCell,
    UserMessageCell,
)
from tui.state.from_items import cell_of, command_cell, patched_files
from tui.state.model import Settings
from tui.state.output import added, is_empty
from tui.state.thread import ThreadState
from tui.state.transcript import (
    close_exploring,
    drop_live,
    find_command,
    grow,
    grow_command,
    live_cell,
    own_id,
    put_live,
    settle,
    settle_exploring,
)

ItemEvent = (
    ItemStartedNotification
    | ItemCompletedNotification
    | AgentMessageDeltaNotification
    | PlanDeltaNotification
    | ReasoningSummaryTextDeltaNotification
    | ReasoningSummaryPartAddedNotification
    | ReasoningTextDeltaNotification
    | CommandExecutionOutputDeltaNotification
    | TerminalInteractionNotification
    | FileChangeOutputDeltaNotification
    | FileChangePatchUpdatedNotification
    | McpToolCallProgressNotification
    | TurnPlanUpdatedNotification
)

_HEADING = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)


def reduce_item(
    thread: ThreadState, event: ItemEvent, settings: Settings, at: float
) -> ThreadState:
    """The thread after one item event."""
    match event:
        case ItemStartedNotification(item=item, turn_id=turn_id):
            return start_item(_progressed(thread), item, turn_id, at)
        case ItemCompletedNotification(item=item, turn_id=turn_id):
            return complete_item(thread, item, turn_id, settings)
        case AgentMessageDeltaNotification(item_id=item_id, delta=delta):
            thread = _progressed(thread)
            if live_cell(thread, item_id) is None:
                thread = put_live(close_exploring(thread), AgentMessageCell(id=item_id))
            return grow(
                thread, item_id, AgentMessageCell, lambda c: replace(c, text=c.text + delta)
            )
        case PlanDeltaNotification(item_id=item_id, delta=delta):
            thread = _progressed(thread)
            if live_cell(thread, item_id) is None:
                thread = put_live(close_exploring(thread), ProposedPlanCell(id=item_id))
            return grow(
                thread, item_id, ProposedPlanCell, lambda c: replace(c, text=c.text + delta)
            )
        case ReasoningSummaryPartAddedNotification(item_id=item_id, summary_index=index):
            return _grow_summary(thread, item_id, index, "")
        case ReasoningSummaryTextDeltaNotification(
            item_id=item_id, summary_index=index, delta=delta
        ):
            return _grow_summary(_progressed(thread), item_id, index, delta)
        case ReasoningTextDeltaNotification(item_id=item_id, content_index=index, delta=delta):
            return grow(
                _progressed(thread),
                item_id,
                ReasoningCell,
                lambda c: replace(c, raw=_with_part(c.raw, index, delta)),
            )
        case CommandExecutionOutputDeltaNotification(item_id=item_id, delta=delta):
            return _add_output(thread, item_id, delta)
        case TerminalInteractionNotification():
            return _terminal_input(thread, event)
        case FileChangeOutputDeltaNotification(item_id=item_id, delta=delta):
            return grow(thread, item_id, PatchCell, lambda c: replace(c, error=c.error + delta))
        case FileChangePatchUpdatedNotification(item_id=item_id, changes=changes):
            thread = _progressed(thread)
            if live_cell(thread, item_id) is None:
                cell = PatchCell(id=item_id, files=(), cwd=thread.cwd, writing=True)
                thread = put_live(close_exploring(thread), cell)
            return grow(
                thread, item_id, PatchCell, lambda c: replace(c, files=patched_files(changes))
            )
        case McpToolCallProgressNotification(item_id=item_id, message=message):
            return grow(thread, item_id, ToolCell, lambda c: replace(c, progress=message))
        case TurnPlanUpdatedNotification():
            return _update_plan(thread, event)


def start_item(thread: ThreadState, item: ThreadItem, turn_id: str, at: float) -> ThreadState:
    if isinstance(item, UserMessageThreadItem):
        return _start_user_message(thread, item, turn_id)
    cell = cell_of(item, complete=False, turn_id=turn_id, cwd=thread.cwd)
    if isinstance(cell, CommandCell):
        used_tools = thread.turn_used_tools or cell.source != "userShell"
        thread = replace(thread, turn_used_tools=used_tools)
        return _start_command(thread, replace(cell, started_at=at))
    if isinstance(cell, ReasoningCell):
        return put_live(thread, cell)
    thread = close_exploring(thread)
    if isinstance(cell, ReviewCell):
        return replace(thread, reviewing=cell.stage == "started")
    if isinstance(cell, PatchCell | ToolCell):
        thread = replace(thread, turn_used_tools=True)
    if isinstance(cell, ToolCell):
        cell = replace(cell, started_at=at)
    return put_live(thread, cell)


def complete_item(
    thread: ThreadState,
    item: ThreadItem,
    turn_id: str,
    settings: Settings,
    *,
    broke_off: bool = False,
) -> ThreadState:
    """The thread with the item in its final form; one that `broke_off` never came to its end."""
    if isinstance(item, UserMessageThreadItem):
        if thread.reviewing:
            return drop_live(thread, item.id)
        thread = _start_user_message(thread, item, turn_id)
        cell = live_cell(thread, item.id)
        return thread if cell is None else settle(thread, cell)
    if isinstance(item, CommandExecutionThreadItem):
        return _complete_command(thread, item, broke_off)
    cell = cell_of(item, complete=True, turn_id=turn_id, cwd=thread.cwd)
    match cell:
        case AgentMessageCell():
            return _complete_message(thread, cell)
        case ReasoningCell():
            return _complete_reasoning(thread, cell, settings)
        case PatchCell() if isinstance(item, FileChangeThreadItem):
            started = live_cell(thread, cell.id)
            said = started.error if isinstance(started, PatchCell) else ""
            thread = replace(close_exploring(thread), turn_used_tools=True)
            if broke_off:
                cell = replace(cell, status="interrupted")
            elif cell.status == "failed":
                cell = replace(cell, error=cell.error or said)
            return settle(thread, cell)
        case ReviewCell():
            thread = replace(thread, reviewing=cell.stage == "started")
    return settle(close_exploring(thread), cell)


def _start_user_message(
    thread: ThreadState, item: UserMessageThreadItem, turn_id: str
) -> ThreadState:
    """The server took a message up: ours, a steer of ours, or another client's."""
    if thread.reviewing or live_cell(thread, item.id) is not None:
        return thread
    cell = cell_of(item, complete=False, turn_id=turn_id)
    assert isinstance(cell, UserMessageCell)
    client_id = known(item.client_id)
    for other in thread.live:
        if isinstance(other, UserMessageCell) and other.pending:
            ours = other.id == client_id if client_id else other.text == cell.text
            if ours:
                live = tuple(cell if one is other else one for one in thread.live)
                return replace(thread, live=live)
    for steer in thread.steers:
        if steer.sent and (steer.id == client_id if client_id else steer.text == cell.text):
            rest = tuple(one for one in thread.steers if one is not steer)
            thread = replace(thread, steers=rest)
            break
    return put_live(close_exploring(thread), cell)


def _start_command(thread: ThreadState, cell: CommandCell) -> ThreadState:
    if not _only_looks(cell):
        return put_live(close_exploring(thread), cell)
    for group in thread.live:
        if isinstance(group, ExploringCell) and not group.closed:
            return put_live(thread, replace(group, calls=(*group.calls, cell)))
    return put_live(thread, ExploringCell(id=f"exploring:{cell.id}", calls=(cell,)))


def _complete_command(
    thread: ThreadState, item: CommandExecutionThreadItem, broke_off: bool
) -> ThreadState:
    started = find_command(thread, item.id)
    background = next((cell for cell in thread.terminals if cell.id == item.id), None)
    before = started or background
    cell = command_cell(item)
    if broke_off:
        cell = replace(cell, status="interrupted", ran=item.duration_ms is not None)
    if before is not None:
        cell = replace(
            cell,
            started_at=before.started_at,
            output=before.output if is_empty(cell.output) else cell.output,
        )
    if background is not None:
        rest = tuple(one for one in thread.terminals if one.id != item.id)
        thread = replace(thread, terminals=rest)
        return settle(
            close_exploring(thread), replace(cell, id=f"{cell.id}:end", was_background=True)
        )
    if cell.status == "declined" and _refusal_is_recorded(thread, cell):
        return _drop_command(thread, cell.id)
    if started is None:
        used_tools = thread.turn_used_tools or cell.source != "userShell"
        thread = _start_command(replace(thread, turn_used_tools=used_tools), cell)
    for group in thread.live:
        if isinstance(group, ExploringCell) and any(call.id == cell.id for call in group.calls):
            if cell.status == "declined":
                rest_calls = tuple(call for call in group.calls if call.id != cell.id)
                thread = settle_exploring(thread, replace(group, calls=rest_calls, closed=True))
                return settle(thread, cell)
            calls = tuple(cell if call.id == cell.id else call for call in group.calls)
            return settle_exploring(thread, replace(group, calls=calls))
    return settle(close_exploring(thread), cell)


def _refusal_is_recorded(thread: ThreadState, cell: CommandCell) -> bool:
    """Whether the user's own refusal is in the transcript already, just above."""
    return any(
        isinstance(record, ApprovalCell) and not record.granted and record.subject == cell.command
        for record in thread.settled[-4:]
    )


def _drop_command(thread: ThreadState, item_id: str) -> ThreadState:
    for group in thread.live:
        if isinstance(group, ExploringCell) and any(call.id == item_id for call in group.calls):
            rest = tuple(call for call in group.calls if call.id != item_id)
            return settle_exploring(thread, replace(group, calls=rest))
    return drop_live(thread, item_id)


def _only_looks(cell: CommandCell) -> bool:
    """Whether a command of the agent's reads, lists or searches and does nothing else."""
    return (
        cell.source != "userShell"
        and bool(cell.actions)
        and not any(isinstance(action, UnknownCommandAction) for action in cell.actions)
    )


def _complete_message(thread: ThreadState, cell: AgentMessageCell) -> ThreadState:
    live = live_cell(thread, cell.id)
    if not cell.text.strip() and isinstance(live, AgentMessageCell):
        cell = replace(cell, text=live.text)
    last = thread.settled[-1] if thread.settled else None
    if not cell.text.strip() or (isinstance(last, ReviewCell) and last.text == cell.text):
        return drop_live(thread, cell.id)
    return replace(settle(close_exploring(thread), cell), last_answer=cell.text)


def _complete_reasoning(
    thread: ThreadState, cell: ReasoningCell, settings: Settings
) -> ThreadState:
    live = live_cell(thread, cell.id)
    if isinstance(live, ReasoningCell):
        cell = replace(cell, summary=cell.summary or live.summary, raw=cell.raw or live.raw)
    if not settings.show_raw_reasoning:
        cell = replace(cell, raw=())
    if settings.hide_reasoning or not has_body(cell):
        return drop_live(thread, cell.id)
    return settle(close_exploring(thread), cell)


def has_body(cell: ReasoningCell) -> bool:
    """Whether a summary says more than its headings."""
    texts = cell.raw or cell.summary
    return any(_HEADING.sub("", text, count=1).strip() for text in texts)


def _grow_summary(thread: ThreadState, item_id: str, index: int, delta: str) -> ThreadState:
    if live_cell(thread, item_id) is None:
        thread = put_live(thread, ReasoningCell(id=item_id))
    thread = grow(
        thread,
        item_id,
        ReasoningCell,
        lambda c: replace(c, summary=_with_part(c.summary, index, delta)),
    )
    cell = live_cell(thread, item_id)
    if not isinstance(cell, ReasoningCell) or thread.status is None:
        return thread
    headings = _HEADING.findall(cell.summary[-1])
    if not headings:
        return thread
    header = " ".join(headings[0].split())
    return replace(thread, status=replace(thread.status, header=header))


def _with_part(parts: tuple[str, ...], index: int, delta: str) -> tuple[str, ...]:
    index = max(0, min(index, len(parts)))
    before = parts[index] if index < len(parts) else ""
    return (*parts[:index], before + delta, *parts[index + 1 :])


def _add_output(thread: ThreadState, item_id: str, delta: str) -> ThreadState:
    if any(cell.id == item_id for cell in thread.terminals):
        terminals = tuple(
            replace(cell, output=added(cell.output, delta)) if cell.id == item_id else cell
            for cell in thread.terminals
        )
        return replace(thread, terminals=terminals)
    return grow_command(thread, item_id, lambda c: replace(c, output=added(c.output, delta)))


def _terminal_input(thread: ThreadState, event: TerminalInteractionNotification) -> ThreadState:
    running = find_command(thread, event.item_id) or next(
        (cell for cell in thread.terminals if cell.id == event.item_id), None
    )
    command = "" if running is None else running.command
    thread = grow_command(thread, event.item_id, lambda c: replace(c, visited=True))
    if not event.stdin:
        if thread.status is None:
            return thread
        return replace(
            thread,
            status=replace(
                thread.status, header="Waiting for background terminal", details=command
            ),
        )
    thread, cell_id = own_id(close_exploring(thread))
    return settle(thread, TerminalInputCell(id=cell_id, command=command, stdin=event.stdin))


def _update_plan(thread: ThreadState, event: TurnPlanUpdatedNotification) -> ThreadState:
    steps = tuple(PlanStep(text=step.step, status=step.status) for step in event.plan)
    explanation = event.explanation or ""
    if steps == thread.plan and not explanation:
        return thread
    same_steps = [step.text for step in steps] == [step.text for step in thread.plan]
    before = thread.plan if same_steps else ()
    thread, cell_id = own_id(close_exploring(_progressed(thread)))
    cell = PlanCell(id=cell_id, steps=steps, explanation=explanation, before=before)
    return replace(settle(thread, cell), plan=steps, turn_used_tools=True)


def _progressed(thread: ThreadState) -> ThreadState:
    """Something came from the model: a retry is over, and what it waited for as well."""
    status = thread.status
    if status is None or not (status.retrying or status.details):
        return thread
    return replace(thread, status=replace(status, header="Working", details="", retrying=False))
