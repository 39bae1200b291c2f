"""Connecting, opening threads, notices, settings, footer and title."""

from typing import Any

import msgspec
import pytest

from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    ITEM_TOOL_REQUEST_USER_INPUT,
    ToolRequestUserInputResponse,
)
from app_server.protocol.item import (
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    UnknownCommandAction,
)
from app_server.protocol.thread import ThreadResumeParams, ThreadResumeResponse, ThreadStartParams
from app_server.protocol.thread_data import Turn
from app_server.protocol.turn_error import TurnError
from app_server.protocol.wire import UNSET
from tests.tui.state.conversation import (
    THREAD,
    completed,
    open_screen,
    opened,
    said,
    stored,
    turn_began,
)
from tests.tui.state.conversation import turn_ended as end_turn
from tests.tui.state.recorded import Screen, heard, play
from tui.state.actions import (
    AnswerCommand,
    AnswerUserInput,
    CopyLastAnswer,
    OpenNewThread,
    OpenStoredThread,
    QuitRequested,
    RollBack,
    Say,
    SetPlanMode,
    UserSubmitted,
)
from tui.state.cells import (
    CommandCell,
    NoticeCell,
    PatchCell,
    QuestionsCell,
    SubAgentCell,
    UserMessageCell,
)
from tui.state.effects import AnswerQuestion, CopyText, Quit, ReturnToComposer, SendRequest
from tui.state.events import Asked, Connected
from tui.state.merge import merge_adjacent_deltas
from tui.state.model import AppState
from tui.state.reduce_app import WAYS_TO_A_SESSION
from tui.state.select import (
    context_left_percent,
    elapsed,
    exit_lines,
    footer_items,
    mode_label,
    short_directory,
    window_title,
)

USAGE = {
    "totalTokens": 40_000,
    "inputTokens": 39_000,
    "cachedInputTokens": 30_000,
    "outputTokens": 1_000,
    "reasoningOutputTokens": 200,
}


def with_usage(screen: Screen, total: int, window: int | None) -> None:
    usage = {
        "last": {**USAGE, "totalTokens": total},
        "total": USAGE,
        "modelContextWindow": window,
    }
    params = {"threadId": THREAD, "turnId": "turn-1", "tokenUsage": usage}
    screen.apply(heard("thread/tokenUsage/updated", params))


def test_what_is_submitted_before_a_thread_is_open_is_sent_once_it_is() -> None:
    screen = Screen()
    screen.apply(Connected())
    screen.apply(OpenNewThread(params=ThreadStartParams()))
    assert screen.apply(UserSubmitted(text="early"), UserSubmitted(text="second")) == []
    effects = screen.reply("thread/start", opened())
    assert [e.row.name for e in effects if isinstance(e, SendRequest)] == ["turn/start"]
    assert [message.text for message in screen.thread.queue] == ["second"]


def test_what_is_sent_without_a_session_comes_back_with_the_ways_to_one() -> None:
    screen = Screen()
    screen.apply(OpenNewThread(params=ThreadStartParams()))
    screen.refuse("thread/start", "config is broken")
    effects = screen.apply(UserSubmitted(text="hello"))
    assert effects == [ReturnToComposer(text="hello")]
    assert screen.state.notices[-1].details == WAYS_TO_A_SESSION


def test_what_was_submitted_comes_back_when_no_thread_can_be_opened() -> None:
    screen = Screen()
    screen.apply(OpenNewThread(params=ThreadStartParams()), UserSubmitted(text="early"))
    effects = screen.refuse("thread/start", "config is broken")
    assert effects == [ReturnToComposer(text="early")]
    assert [(one.text, one.details) for one in screen.state.notices] == [
        ("Could not start a session: config is broken", WAYS_TO_A_SESSION)
    ]


def test_warnings_before_a_thread_move_into_its_transcript_with_file_and_position() -> None:
    screen = Screen()
    place = {"start": {"line": 3, "column": 1}, "end": {"line": 3, "column": 9}}
    warning = {"summary": "Unknown key modle", "path": "/h/config.toml", "range": place}
    screen.apply(heard("configWarning", warning), heard("configWarning", warning))
    assert len(screen.state.notices) == 1
    screen.apply(OpenNewThread(params=ThreadStartParams()))
    screen.reply("thread/start", opened())
    cell = screen.thread.settled[-1]
    assert isinstance(cell, NoticeCell)
    assert (cell.text, cell.details) == ("Unknown key modle", "/h/config.toml:3:1")
    assert screen.state.notices == ()


def test_a_new_thread_says_how_to_come_back_to_the_old_one() -> None:
    screen = open_screen()
    screen.apply(UserSubmitted(text="x"))
    turn_began(screen)
    end_turn(screen)
    screen.apply(OpenNewThread(params=ThreadStartParams()))
    screen.reply("thread/start", opened(stored("thread-2")))
    assert screen.state.focused == "thread-2"
    assert [c.text for c in screen.thread.settled if isinstance(c, NoticeCell)] == [
        "To continue this session, run codex resume thread-1"
    ]


def test_a_resumed_turn_shows_its_commands_and_its_error() -> None:
    item = CommandExecutionThreadItem(
        id="c1",
        command="bash -lc 'make test'",
        command_actions=[UnknownCommandAction(command="make test")],
        cwd="/w",
        status="completed",
        aggregated_output="ok\n",
        exit_code=0,
    )
    broken = Turn(id="t", items=[item], status="failed", error=TurnError(message="no network"))
    screen = resumed(broken)
    command, error = screen.thread.settled[1:]
    assert (command.command, command.status, command.output.head) == ("make test", "ok", "ok\n")
    assert (error.level, error.text) == ("error", "no network")


def resumed(*turns: Turn) -> Screen:
    """An interface that has opened a stored thread."""
    screen = Screen()
    screen.apply(OpenStoredThread(params=ThreadResumeParams(thread_id=THREAD)))
    response = opened(stored(turns=list(turns)))
    fields = {name: getattr(response, name) for name in response.__struct_fields__}
    screen.reply("thread/resume", ThreadResumeResponse(**fields))
    return screen


def ran(**fields: Any) -> CommandExecutionThreadItem:
    given = {"command": "make", "command_actions": [], "cwd": "/w", "status": "failed", **fields}
    return CommandExecutionThreadItem(id="c1", **given)


@pytest.mark.parametrize(
    ("item", "turn_status", "shown", "did_run"),
    [
        (ran(aggregated_output="half\n", duration_ms=9), "interrupted", "interrupted", True),
        (ran(process_id="7"), "completed", "interrupted", False),
        (ran(), "interrupted", "interrupted", False),
        (ran(), "completed", "failed", False),
        (ran(exit_code=2, duration_ms=9), "interrupted", "failed", False),
    ],
    ids=["with output", "in the background", "not yet allowed", "could not start", "failed"],
)
def test_a_stored_command_without_an_end_was_stopped(
    item: CommandExecutionThreadItem, turn_status: Any, shown: str, did_run: bool
) -> None:
    screen = resumed(Turn(id="t", items=[item], status=turn_status))
    command = screen.thread.settled[1]
    assert isinstance(command, CommandCell)
    assert (command.status, command.ran) == (shown, did_run)


@pytest.mark.parametrize(
    ("turn_status", "error", "shown"),
    [
        ("completed", "No such line.", ("failed", "No such line.")),
        ("interrupted", "No such line.", ("failed", "No such line.")),
        ("interrupted", UNSET, ("interrupted", "")),
    ],
)
def test_a_stored_patch_shows_why_it_failed_or_that_it_was_never_applied(
    turn_status: Any, error: Any, shown: tuple[str, str]
) -> None:
    item = FileChangeThreadItem(id="p", changes=[], status="failed", error=error)
    screen = resumed(Turn(id="t", items=[item], status=turn_status))
    patch = screen.thread.settled[1]
    assert isinstance(patch, PatchCell)
    assert (patch.status, patch.error) == shown


def test_a_command_left_in_the_background_is_found_there_by_whoever_joins() -> None:
    item = ran(status="inProgress", process_id="7")
    screen = resumed(Turn(id="t", items=[item], status="interrupted"))
    assert [cell.id for cell in screen.thread.terminals] == ["c1"]


def test_going_back_drops_the_later_turns_and_gives_the_message_back() -> None:
    screen = play("name_and_rollback")
    chosen = [cell for cell in screen.thread.settled if isinstance(cell, UserMessageCell)][1]
    (request,) = screen.apply(RollBack(cell_id=chosen.id))
    assert isinstance(request, SendRequest)
    assert request.params.num_turns == 2  # type: ignore[union-attr]


def test_an_answer_is_copied_as_it_was_written() -> None:
    screen = open_screen()
    turn_began(screen)
    said(screen, "**bold**")
    end_turn(screen)
    assert screen.apply(CopyLastAnswer()) == [CopyText(text="**bold**")]


def test_answering_questions_leaves_a_record() -> None:
    screen = open_screen()
    turn_began(screen)
    asked = {
        "threadId": THREAD,
        "turnId": "turn-1",
        "itemId": "q",
        "questions": [{"id": "a", "header": "DB", "question": "Which?", "options": None}],
    }
    params = msgspec.convert(asked, ITEM_TOOL_REQUEST_USER_INPUT.params)
    screen.apply(Asked(id=7, params=params))
    response = msgspec.convert(
        {"answers": {"a": {"answers": ["SQLite"]}}}, ToolRequestUserInputResponse
    )
    effects = screen.apply(AnswerUserInput(question_id=7, response=response))
    assert effects == [AnswerQuestion(id=7, result=response)]
    cell = screen.thread.settled[-1]
    assert isinstance(cell, QuestionsCell)
    assert cell.questions[0].answers == ("SQLite",)


def test_a_second_answer_to_the_same_question_goes_nowhere() -> None:
    screen = open_screen()
    asked = {"threadId": THREAD, "turnId": "t", "itemId": "c", "command": "ls"}
    params = msgspec.convert(asked, ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL.params)
    screen.apply(Asked(id=1, params=params))
    assert len(screen.apply(AnswerCommand(question_id=1, decision="accept"))) == 1
    assert screen.apply(AnswerCommand(question_id=1, decision="decline")) == []


@pytest.mark.parametrize(
    ("total", "window", "left"),
    [
        (0, 258_400, 100),
        (12_000, 258_400, 100),
        (135_200, 258_400, 50),
        (258_400, 258_400, 0),
        (300_000, 258_400, 0),
        (100, None, None),
        (100, 12_000, None),
    ],
)
def test_the_context_gauge_leaves_the_baseline_out(
    total: int, window: int | None, left: int | None
) -> None:
    screen = open_screen()
    with_usage(screen, total, window)
    assert context_left_percent(screen.thread) == left


def test_the_footer_shows_model_directory_and_context() -> None:
    screen = open_screen()
    assert footer_items(screen.state) == ("gpt-5.5 medium", "~/work")
    with_usage(screen, 135_200, 258_400)
    assert footer_items(screen.state)[-1] == "50% context left"
    screen.apply(SetPlanMode(on=True))
    assert mode_label(screen.state).startswith("Plan mode")
    assert window_title(screen.state) == "work"


def test_the_last_words_are_usage_and_how_to_continue() -> None:
    screen = open_screen()
    assert exit_lines(screen.state) == ()
    turn_began(screen)
    with_usage(screen, 40_000, 258_400)
    end_turn(screen)
    assert exit_lines(screen.state) == (
        "Token usage: total=10,000 input=9,000 (+ 30,000 cached) output=1,000 (reasoning 200)",
        "To continue this session, run codex resume thread-1",
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plain", "plain"),
        ("two words", "'two words'"),
        ("$(reboot); it's", """'$(reboot); it'"'"'s'"""),
        ("\x1b]0;title\x07", "thread-1"),
        ("--last", "thread-1"),
    ],
)
def test_the_line_to_continue_with_can_be_pasted_into_a_shell(name: str, words: str) -> None:
    screen = open_screen()
    turn_began(screen)
    end_turn(screen)
    params = {"threadId": "thread-1", "threadName": name}
    screen.apply(heard("thread/name/updated", params))
    assert exit_lines(screen.state)[-1] == f"To continue this session, run codex resume {words}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9, "0s"), (59, "59s"), (65, "1m 05s"), (3_723, "1h 02m 03s"), (-5, "0s")],
)
def test_elapsed_time_reads_as_a_person_says_it(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/home/me", "~"), ("/home/me/x", "~/x"), ("/home/meg/x", "/home/meg/x"), ("/", "/")],
)
def test_the_home_directory_is_a_tilde(path: str, shown: str) -> None:
    assert short_directory(path, "/home/me") == shown


def test_neighbouring_deltas_of_one_item_join_and_others_keep_their_order() -> None:
    def delta(item: str, text: str) -> object:
        ids = {"threadId": THREAD, "turnId": "t", "itemId": item}
        return heard("item/agentMessage/delta", {**ids, "delta": text})

    other = Say(level="info", text="x")
    events = [delta("a", "1"), delta("a", "2"), delta("b", "3"), other, delta("b", "4")]
    merged = list(merge_adjacent_deltas(events))  # type: ignore[arg-type]
    assert merged == [delta("a", "12"), delta("b", "3"), other, delta("b", "4")]


def test_agents_are_called_by_their_names() -> None:
    screen = open_screen()
    turn_began(screen)
    agent = msgspec.to_builtins(stored("agent-7", agent_nickname="Ada"))
    screen.apply(heard("thread/started", {"thread": agent}))
    completed(
        screen,
        type="collabAgentToolCall",
        id="s",
        tool="wait",
        status="completed",
        senderThreadId=THREAD,
        receiverThreadIds=["agent-7", "agent-8"],
        agentsStates={"agent-7": {"status": "completed", "message": "done"}},
    )
    cell = screen.thread.settled[-1]
    assert isinstance(cell, SubAgentCell)
    assert cell.names == ("Ada", "agent-8")
    assert [name for name, _ in cell.states] == ["Ada"]


def test_the_store_announces_once_for_many_events_and_not_for_nothing() -> None:
    screen = open_screen()
    told: list[AppState] = []
    screen.store.listener = lambda _before, state, _effects: told.append(state)
    screen.apply(Say(level="info", text="a"), Say(level="info", text="b"))
    assert told == [screen.state]
    screen.apply(heard("thread/closed", {"threadId": "unknown"}))
    assert len(told) == 1


def test_quitting_is_an_effect() -> None:
    assert open_screen().apply(QuitRequested()) == [Quit()]
