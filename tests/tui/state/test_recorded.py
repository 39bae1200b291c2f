"""Recorded conversations as the transcript shows them."""

import pytest

from tests.tui.state.recorded import Screen, heard, play
from tui.cells.commit import lines_of
from tui.cells.draw import plain
from tui.state.cells import (
    AgentMessageCell,
    ApprovalCell,
    CommandCell,
    ExploringCell,
    NoticeCell,
    PatchCell,
    PlanCell,
    ReasoningCell,
    SessionHeaderCell,
    UserMessageCell,
)
from tui.state.effects import AnswerQuestion, Notify, RefuseQuestion, SendRequest
from tui.text.palette import TERMINAL

SHOWN = {
    "plain_turn": "› Say hello.\n\n• Hello, world!",
    "reasoning_summary": "› Think.\n\n• first part\n\n  part here\n\n• Done thinking.",
    "two_turns_history": "› Name?\n\n• My name is Mock.\n\n› Again?\n\n• I said Mock.",
    "command_fails": (
        "› Run.\n\n"
        "• Ran echo oops >&2; exit 3 (exit 3, 1.2s)\n  └ oops\n\n"
        "• Ran no_such_program_here (exit 127, 1.2s)\n"
        "  └ /bin/bash: line 1: no_such_program_here: command not found\n\n"
        "• It failed.\n\n"
        "─── Worked for 1.2s"
    ),
    "commentary_then_command": (
        "› What does note.txt say?\n\n• I will look at the file.\n\n"
        "• Explored\n  └ Read note.txt\n\n• It says hi.\n\n─── Worked for 1.2s"
    ),
    "command_approval_accept": (
        "› Make the file.\n\n"
        "✔ You approved Codex to run touch made.txt && echo made this time\n\n"
        "• Ran touch made.txt && echo made (1.2s)\n  └ made\n\n"
        "• All right.\n\n─── Worked for 1.2s"
    ),
    "command_approval_decline": (
        "› Make the file.\n\n"
        "✗ You did not allow Codex to run touch made.txt && echo made\n\n"
        "• All right.\n\n─── Worked for 1.2s"
    ),
    "command_approval_cancel": (
        "› Make the file.\n\n"
        "✗ You canceled the request to run touch made.txt && echo made\n\n"
        "■ Interrupted. Tell Codex what to do differently."
    ),
    "interrupt_during_approval": (
        "› Go.\n\n✗ Did not run touch made.txt (interrupted)\n\n"
        "■ Interrupted. Tell Codex what to do differently."
    ),
    "interrupt_command": (
        "› Run it.\n\n"
        "• Stopped sleep 0.6; echo begin; sleep 60; echo end (interrupted)\n"
        "  └ begin\n\n"
        "■ Interrupted. Tell Codex what to do differently."
    ),
    "patch_add_approved": (
        "› Add.\n\n✔ You approved Codex to change new.txt this time\n\n"
        "• Added new.txt (+2 -0)\n    1 +alpha\n    2 +beta\n\n• Added.\n\n─── Worked for 1.2s"
    ),
    "patch_update_move_delete": (
        "› Edit.\n\n"
        "• Edited 3 files (+2 -3)\n"
        "  └ a.txt (+1 -1)\n    1  one\n    2 -two\n    2 +TWO\n    3  three\n"
        "    b.txt (+0 -1)\n    1 -bye\n"
        "    c.txt → sub/d.txt (+1 -1)\n    1  x\n    2 -y\n    2 +z\n\n"
        "• Added new.txt (+2 -0)\n    1 +alpha\n    2 +beta\n\n"
        "• Edited.\n\n─── Worked for 1.2s"
    ),
    "plan_update": (
        "› Plan.\n\n• Updated Plan\n  └ Two steps\n    ✔ Look\n    □ Write\n    □ Test\n\n"
        "• Planned.\n\n─── Worked for 1.2s"
    ),
    "steer": "› Start.\n\n• working\n\n• first answer\n\n› Also this.\n\n• second answer",
    "error_stream_retry": (
        "› Hi.\n\n• whole\n\n› Again.\n\n• half\n  … cut off here\n\n"
        "■ stream disconnected before completion: Transport error: network error: error decoding\n"
        "  response body"
    ),
    "error_http_500": (
        "› Hi.\n\n"
        "■ We're currently experiencing high demand, which may cause temporary errors.\n\n"
        "› Again.\n\n• Fine now."
    ),
    "review_start": (
        ">> Code review started: current changes\n\n<< Code review finished\n\n"
        "  One issue.\n\n  Review comment:\n\n  - Wrong number — <CWD>/a.py:1-1\n    It prints 2."
    ),
    "view_image_and_web_search": (
        "› See.\n\n• Viewed Image\n  └ <CWD>/dot.png\n\n• Searched weather\n\n• Seen."
    ),
}

IDS = {"threadId": "<THREAD_1>", "turnId": "<TURN_1>"}


def shown(screen: Screen, width: int = 100) -> str:
    """The transcript below its header."""
    return plain(lines_of(screen.thread.settled[1:], width, TERMINAL))


@pytest.mark.parametrize("name", SHOWN)
def test_a_recorded_conversation_shows_as_it_happened(name: str) -> None:
    screen = play(name)
    assert shown(screen, 90) == SHOWN[name]
    assert screen.thread.live == ()
    assert screen.thread.status is None
    assert isinstance(screen.thread.settled[0], SessionHeaderCell)


@pytest.mark.parametrize("name", SHOWN)
def test_settled_cells_are_only_ever_added(name: str) -> None:
    before: tuple[object, ...] = ()
    screen = Screen()

    def check(_before: object, state: object, _effects: object) -> None:
        nonlocal before
        thread = screen.store.state.thread
        settled = thread.settled if thread else ()
        assert settled[: len(before)] == before
        before = settled

    screen.store.listener = check
    play(name, screen=screen)
    assert before


def test_an_approval_opens_a_question_and_its_answer_goes_back() -> None:
    asked = play("command_approval_accept", until="item/commandExecution/requestApproval")
    question = asked.thread.questions[0]
    command = asked.thread.live[0]
    assert (command.command, command.status) == ("touch made.txt && echo made", "waiting")
    assert Notify(kind="approval", text="Codex wants to run: touch made.txt && echo made") in (
        asked.effects
    )
    answer = play("command_approval_accept").answers()[0]
    assert (answer.id, answer.result.decision) == (question.id, "accept")


def test_a_question_withdrawn_by_the_server_disappears_without_a_record() -> None:
    screen = play("interrupt_during_approval")
    assert screen.thread.questions == ()
    assert not any(isinstance(cell, ApprovalCell) for cell in screen.thread.settled)
    assert not any(isinstance(effect, AnswerQuestion) for effect in screen.effects)


def test_a_retried_stream_discards_what_the_broken_one_brought() -> None:
    broken = play("error_stream_retry", until="error")
    status = broken.thread.status
    assert (status.header, status.retrying) == ("Reconnecting… 1/1", True)
    assert status.details.startswith("stream disconnected before completion")
    assert broken.thread.live == ()
    broken.apply(heard("item/agentMessage/delta", {**IDS, "itemId": "m2", "delta": "whole"}))
    assert broken.thread.status.header == "Working"
    assert [cell.text for cell in broken.thread.live] == ["whole"]


def test_output_of_a_running_command_is_live() -> None:
    screen = play("command_output_deltas", until="item/commandExecution/outputDelta")
    cell = screen.thread.live[-1]
    assert isinstance(cell, CommandCell)
    assert cell.status == "running"
    assert "line 1" in cell.output.head


def test_a_message_is_on_screen_before_the_server_takes_it_up() -> None:
    screen = play("plain_turn", until="turn/start")
    cell = screen.thread.live[0]
    assert isinstance(cell, UserMessageCell)
    assert (cell.text, cell.pending) == ("Say hello.", True)
    assert screen.thread.running


def test_a_resumed_thread_shows_its_conversation_and_nothing_live() -> None:
    screen = play("resume_and_read")
    messages = [
        cell.text
        for cell in screen.thread.settled
        if isinstance(cell, UserMessageCell | AgentMessageCell)
    ]
    assert messages[:2] == ["One.", "First."]
    assert screen.thread.live == ()


def test_tools_we_do_not_have_are_refused() -> None:
    refused = [e for e in play("dynamic_tool").effects if isinstance(e, RefuseQuestion)]
    assert len(refused) == 2


def test_an_mcp_server_that_does_not_start_is_a_warning_with_its_cause() -> None:
    screen = play("mcp_status_and_tools")
    warnings = [
        cell
        for cell in screen.thread.settled
        if isinstance(cell, NoticeCell) and cell.level == "warning"
    ]
    assert [cell.text for cell in warnings] == ["The MCP server broken did not start."]
    assert "No such file" in warnings[0].details
    assert screen.state.mcp_servers["tiny"].status == "ready"


def test_the_thread_starts_with_what_the_user_asked_for() -> None:
    sent = [e.row.name for e in play("plain_turn").effects if isinstance(e, SendRequest)]
    assert sent == ["account/read", "model/list", "thread/start", "turn/start"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plan_update", PlanCell),
        ("patch_add_approved", PatchCell),
        ("commentary_then_command", ExploringCell),
        ("reasoning_summary", ReasoningCell),
    ],
)
def test_items_become_their_kind_of_cell(name: str, kind: type) -> None:
    assert any(isinstance(cell, kind) for cell in play(name).thread.settled)
