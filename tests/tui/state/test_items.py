"""Items and deltas as cells."""

import pytest

from tests.tui.state.conversation import (
    THREAD,
    command,
    completed,
    open_screen,
    said,
    started,
    turn_began,
    turn_ended,
)
from tests.tui.state.recorded import Screen, heard
from tui.state.cells import (
    AgentMessageCell,
    CommandCell,
    ExploringCell,
    PatchCell,
    PlanCell,
    ReasoningCell,
)
from tui.state.from_items import shown_command
from tui.state.output import HEAD_CHARS, TAIL_CHARS, added, output_of
from tui.state.select import live_cells, running_terminals

READ = [{"type": "read", "name": "a.py", "command": "cat a.py", "path": "/w/a.py"}]


@pytest.fixture
def screen() -> Screen:
    screen = open_screen()
    turn_began(screen)
    return screen


def done(item: dict[str, object], **fields: object) -> dict[str, object]:
    return {**item, "status": "completed", "exitCode": 0, "durationMs": 5, **fields}


def plan(screen: Screen, *statuses: str, explanation: str | None = None) -> None:
    steps = [{"step": f"step {n}", "status": status} for n, status in enumerate(statuses)]
    params = {"threadId": THREAD, "turnId": "turn-1", "plan": steps, "explanation": explanation}
    screen.apply(heard("turn/plan/updated", params))


def test_deltas_grow_one_live_cell_and_completion_settles_it(screen: Screen) -> None:
    started(screen, type="agentMessage", id="m1", text="")
    said(screen, "Hel")
    said(screen, "lo")
    assert [cell.text for cell in screen.thread.live] == ["Hello"]
    completed(screen, type="agentMessage", id="m1", text="Hello!")
    assert screen.thread.live == ()
    assert screen.thread.settled[-1] == AgentMessageCell(id="m1", text="Hello!", complete=True)


def test_deltas_without_a_start_are_not_lost(screen: Screen) -> None:
    said(screen, "Hello")
    assert [cell.text for cell in screen.thread.live] == ["Hello"]


def test_an_empty_message_leaves_no_cell(screen: Screen) -> None:
    before = screen.thread.settled
    started(screen, type="agentMessage", id="m1", text="")
    completed(screen, type="agentMessage", id="m1", text="")
    assert (screen.thread.live, screen.thread.settled) == ((), before)


def test_consecutive_looks_join_until_something_else_begins(screen: Screen) -> None:
    for item_id in ("c1", "c2"):
        item = command(screen, item_id, commandActions=READ)
        completed(screen, **done(item))
    (group,) = screen.thread.live
    assert isinstance(group, ExploringCell)
    assert [call.id for call in group.calls] == ["c1", "c2"]
    said(screen, "I see.")
    group = screen.thread.settled[-1]
    assert isinstance(group, ExploringCell)
    assert group.closed


def test_a_look_that_still_runs_keeps_its_group_alive(screen: Screen) -> None:
    item = command(screen, "c1", commandActions=READ)
    said(screen, "Meanwhile.")
    assert any(isinstance(cell, ExploringCell) for cell in screen.thread.live)
    completed(screen, **done(item))
    assert isinstance(screen.thread.settled[-1], ExploringCell)


def test_a_command_that_does_more_than_look_is_its_own_cell(screen: Screen) -> None:
    actions = [*READ, {"type": "unknown", "command": "rm a.py"}]
    command(screen, "c1", commandActions=actions)
    assert isinstance(screen.thread.live[0], CommandCell)


def test_a_fast_command_shows_its_output_whatever_the_order(screen: Screen) -> None:
    item = command(screen, "c1")
    completed(screen, **done(item, aggregatedOutput="quick\n"))
    assert screen.thread.settled[-1].output.head == "quick\n"
    only_completed = {**done(item, aggregatedOutput="only\n"), "id": "c2"}
    completed(screen, **only_completed)
    assert screen.thread.settled[-1].output.head == "only\n"


def test_streamed_output_is_kept_when_the_end_brings_none(screen: Screen) -> None:
    item = command(screen, "c1")
    params = {"threadId": THREAD, "turnId": "turn-1", "itemId": "c1", "delta": "streamed\n"}
    screen.apply(heard("item/commandExecution/outputDelta", params))
    completed(screen, **done(item, aggregatedOutput=None))
    assert screen.thread.settled[-1].output.head == "streamed\n"


def test_a_declined_command_never_looks_as_if_it_ran(screen: Screen) -> None:
    item = command(screen, "c1")
    completed(screen, **{**item, "status": "declined"})
    assert screen.thread.settled[-1].status == "declined"


def test_the_heading_of_reasoning_is_the_status_line_and_its_body_a_cell(screen: Screen) -> None:
    started(screen, type="reasoning", id="r1", summary=[], content=[])
    ids = {"threadId": THREAD, "turnId": "turn-1", "itemId": "r1", "summaryIndex": 0}
    screen.apply(heard("item/reasoning/summaryTextDelta", {**ids, "delta": "**Looking "}))
    assert screen.thread.status.header == "Working"
    screen.apply(heard("item/reasoning/summaryTextDelta", {**ids, "delta": "around**\n\nHm."}))
    assert screen.thread.status.header == "Looking around"
    completed(screen, type="reasoning", id="r1", summary=["**Looking around**\n\nHm."], content=[])
    assert isinstance(screen.thread.settled[-1], ReasoningCell)


def test_reasoning_that_is_only_a_heading_leaves_no_cell(screen: Screen) -> None:
    before = screen.thread.settled
    completed(screen, type="reasoning", id="r1", summary=["**Looking around**"], content=["raw"])
    assert screen.thread.settled == before


def test_a_plan_is_shown_whole_and_then_by_what_changes(screen: Screen) -> None:
    plan(screen, "inProgress", "pending", explanation="Two steps.")
    plan(screen, "completed", "inProgress")
    plan(screen, "completed", "inProgress")
    first, second = (cell for cell in screen.thread.settled if isinstance(cell, PlanCell))
    assert first.before == ()
    assert second.before == first.steps


def test_a_command_left_behind_by_a_message_counts_as_a_terminal(screen: Screen) -> None:
    command(screen, "c1", "make serve")
    assert running_terminals(screen.thread) == ()
    said(screen, "It is up.")
    assert [cell.command for cell in running_terminals(screen.thread)] == ["make serve"]
    assert [type(cell).__name__ for cell in live_cells(screen.thread)] == [
        "AgentMessageCell",
        "CommandCell",
    ]


def test_input_to_a_terminal_is_shown_and_waiting_for_it_is_the_status(screen: Screen) -> None:
    command(screen, "c1", "python")
    ids = {"threadId": THREAD, "turnId": "turn-1", "itemId": "c1", "processId": "1"}
    screen.apply(heard("item/commandExecution/terminalInteraction", {**ids, "stdin": ""}))
    status = screen.thread.status
    assert (status.header, status.details) == ("Waiting for background terminal", "python")
    screen.apply(heard("item/commandExecution/terminalInteraction", {**ids, "stdin": "1\n"}))
    assert (screen.thread.settled[-1].command, screen.thread.settled[-1].stdin) == ("python", "1\n")


def test_a_failed_patch_says_why(screen: Screen) -> None:
    changes = [{"path": "/w/a", "kind": {"type": "update"}, "diff": "@@ -1 +1 @@\n-a\n+b\n"}]
    item = {"type": "fileChange", "id": "p1", "changes": changes, "status": "inProgress"}
    started(screen, **item)
    ids = {"threadId": THREAD, "turnId": "turn-1", "itemId": "p1"}
    screen.apply(heard("item/fileChange/outputDelta", {**ids, "delta": "no such lines"}))
    completed(screen, **{**item, "status": "failed"})
    assert (screen.thread.settled[-1].status, screen.thread.settled[-1].error) == (
        "failed",
        "no such lines",
    )


def test_a_turn_that_ends_leaves_nothing_live(screen: Screen) -> None:
    started(screen, type="agentMessage", id="m1", text="")
    started(screen, type="reasoning", id="r1", summary=[], content=[])
    started(screen, type="webSearch", id="w1", query="x")
    command(screen, "c1", processId=None)
    command(screen, "c2", commandActions=READ)
    turn_ended(screen)
    assert screen.thread.live == ()


@pytest.mark.parametrize(
    ("command_line", "expected"),
    [
        ("/bin/bash -lc 'echo hi'", "echo hi"),
        ("bash -lc ls", "ls"),
        ("zsh -c \"echo 'a b'\"", "echo 'a b'"),
        ("bash -lc 'it'\"'\"'s'", "it's"),
        ('bash -lc "a \\"b\\" \\\\ \\n"', 'a "b" \\ \\n'),
        ("/bin/bash -lc 'echo hi' extra", "/bin/bash -lc 'echo hi' extra"),
        ("bash -lc 'open", "bash -lc 'open"),
        ("/repo/bash -lc ls", "/repo/bash -lc ls"),
        ("./sh -c 'git status'", "./sh -c 'git status'"),
        ("make test", "make test"),
    ],
)
def test_a_shell_around_a_command_is_taken_off(command_line: str, expected: str) -> None:
    assert shown_command(command_line) == expected


def test_a_shell_is_taken_off_a_huge_command_at_once() -> None:
    script = "a" * 5_000_000
    assert shown_command(f"bash -lc '{script}'") == script


def test_a_flood_of_output_keeps_its_head_and_tail_and_counts_the_rest() -> None:
    line = "x" * 99 + "\n"
    output = output_of("")
    for _ in range(10_000):
        output = added(output, line)
    assert len(output.head) == HEAD_CHARS
    assert TAIL_CHARS <= len(output.tail) <= 2 * TAIL_CHARS
    assert len(output.head) + output.omitted_chars + len(output.tail) == 1_000_000


ADDED = [{"path": "/home/me/work/n.txt", "kind": {"type": "add"}, "diff": "a\n"}]


def written(screen: Screen, changes: list[dict[str, object]]) -> None:
    ids = {"threadId": THREAD, "turnId": "turn-1", "itemId": "p1"}
    screen.apply(heard("item/fileChange/patchUpdated", {**ids, "changes": changes}))


def test_a_patch_is_shown_while_it_is_written_and_becomes_the_change(screen: Screen) -> None:
    written(screen, ADDED)
    written(screen, [{**ADDED[0], "diff": "a\nb\n"}])
    (growing,) = screen.thread.live
    assert isinstance(growing, PatchCell)
    assert (growing.writing, growing.files[0].diff) == (True, "a\nb\n")
    item = {"type": "fileChange", "id": "p1", "changes": ADDED, "status": "inProgress"}
    started(screen, **item)
    (begun,) = screen.thread.live
    assert isinstance(begun, PatchCell)
    assert (begun.writing, begun.status) == (False, "running")
    completed(screen, **{**item, "status": "completed"})
    assert screen.thread.live == ()
    assert [cell.id for cell in screen.thread.settled].count("p1") == 1


def test_a_patch_whose_stream_broke_is_written_anew(screen: Screen) -> None:
    written(screen, ADDED)
    error = {"message": "Reconnecting... 1/5"}
    params = {"threadId": THREAD, "turnId": "turn-1", "error": error, "willRetry": True}
    screen.apply(heard("error", params))
    assert screen.thread.live == ()


@pytest.mark.parametrize(("status", "left"), [("completed", []), ("interrupted", ["interrupted"])])
def test_a_patch_nothing_came_of_is_gone_unless_it_was_interrupted(
    status: str, left: list[str], screen: Screen
) -> None:
    written(screen, ADDED)
    turn_ended(screen, status)
    patches = [cell for cell in screen.thread.settled if isinstance(cell, PatchCell)]
    assert [cell.status for cell in patches] == left
