"""A connection that is lost and comes back, as the interface shows it."""

from typing import Any

import pytest

from app_server.protocol.approvals import FileChangeRequestApprovalParams
from app_server.protocol.item import (
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
    ThreadItem,
    UserMessageThreadItem,
)
from app_server.protocol.thread import ThreadResumeResponse
from app_server.protocol.thread_data import Turn
from app_server.protocol.turn_error import TurnError
from app_server.protocol.user_input import TextUserInput
from tests.tui.state.conversation import (
    THREAD,
    command,
    completed,
    open_screen,
    opened,
    said,
    started,
    stored,
    taken_up,
    turn_began,
    turn_ended,
)
from tests.tui.state.recorded import Screen
from tui.state.actions import UserSubmitted
from tui.state.cells import AgentMessageCell, AnyCell, CommandCell, NoticeCell, UserMessageCell
from tui.state.events import Asked, Interrupted, Restored


@pytest.fixture
def screen() -> Screen:
    """A turn runs and has begun to answer."""
    screen = open_screen()
    screen.apply(UserSubmitted(text="Say it"))
    turn_began(screen)
    taken_up(screen, "Say it")
    said(screen, "The begin")
    return screen


def come_back(screen: Screen, *turns: Turn, gone: dict[str, str] | None = None) -> None:
    screen.apply(Interrupted(reason="the server closed the connection", attempt=1))
    response = opened(stored(turns=list(turns)))
    fields = {name: getattr(response, name) for name in ThreadResumeResponse.__struct_fields__}
    resumed = () if gone else (ThreadResumeResponse(**fields),)
    screen.apply(Restored(resumed=resumed, gone=gone or {}))


def turn(*items: ThreadItem, status: Any = "completed", number: int = 1, **more: Any) -> Turn:
    return Turn(id=f"turn-{number}", items=list(items), status=status, **more)


def asked(text: str = "Say it") -> UserMessageThreadItem:
    return UserMessageThreadItem(id="item-1", content=[TextUserInput(text=text)])


def answered(text: str, item_id: str = "item-2") -> AgentMessageThreadItem:
    return AgentMessageThreadItem(id=item_id, text=text)


def cells(screen: Screen) -> list[AnyCell]:
    thread = screen.state.threads[THREAD]
    return [*thread.settled, *thread.live]


def texts(screen: Screen) -> list[str]:
    kinds = UserMessageCell | AgentMessageCell
    return [cell.text for cell in cells(screen) if isinstance(cell, kinds)]


def notices(screen: Screen) -> list[str]:
    return [cell.text for cell in cells(screen) if isinstance(cell, NoticeCell)]


def test_a_loss_is_said_once_and_ends_nothing(screen: Screen) -> None:
    for attempt in (1, 2, 3):
        screen.apply(Interrupted(reason="gone", attempt=attempt))
    assert notices(screen) == ["The connection to the server was lost; trying again."]
    assert (screen.state.connection.status, screen.state.connection.attempt) == ("again", 3)
    assert screen.state.threads[THREAD].turn_id == "turn-1"


def test_a_turn_that_still_runs_goes_on(screen: Screen) -> None:
    come_back(screen, turn(asked(), status="inProgress"))
    assert screen.state.connection.status == "ready"
    assert screen.state.threads[THREAD].turn_id == "turn-1"
    said(screen, "ning and the end")
    assert texts(screen) == ["Say it", "The beginning and the end"]


def test_a_turn_that_ended_meanwhile_has_ended_with_its_answer(screen: Screen) -> None:
    come_back(screen, turn(asked(), answered("The beginning and the end")))
    thread = screen.state.threads[THREAD]
    assert (thread.turn_id, thread.status, thread.last_turn) == (None, None, "completed")
    assert texts(screen) == ["Say it", "The beginning and the end"]
    assert thread.live == ()
    assert notices(screen)[-1] == "Connected again."


def test_what_was_shown_is_not_shown_again(screen: Screen) -> None:
    come_back(screen, turn(asked(), answered("The beginning")))
    come_back(screen, turn(asked(), answered("The beginning")))
    assert texts(screen) == ["Say it", "The beginning"]


def test_a_turn_that_failed_meanwhile_says_why(screen: Screen) -> None:
    come_back(screen, turn(asked(), status="failed", error=TurnError(message="no more credit")))
    assert any("no more credit" in text for text in notices(screen))


def test_a_command_whose_end_nobody_heard_is_broken_off(screen: Screen) -> None:
    started(
        screen,
        type="commandExecution",
        id="c1",
        command="sleep 9",
        cwd="/w",
        status="inProgress",
        commandActions=[],
    )
    come_back(screen, turn(asked(), answered("Done.")))
    assert [cell.status for cell in cells(screen) if isinstance(cell, CommandCell)] == [
        "interrupted"
    ]
    assert screen.state.threads[THREAD].terminals == ()


def test_a_turn_that_somebody_began_meanwhile_is_shown(screen: Screen) -> None:
    come_back(
        screen,
        turn(asked(), answered("The beginning")),
        turn(asked("And this?"), status="inProgress", number=2),
    )
    assert screen.state.threads[THREAD].turn_id == "turn-2"
    assert texts(screen) == ["Say it", "The beginning", "And this?"]


def test_open_questions_are_those_that_are_asked_again(screen: Screen) -> None:
    params = FileChangeRequestApprovalParams(thread_id=THREAD, turn_id="turn-1", item_id="f")
    screen.apply(Asked(id=7, params=params))
    come_back(screen, turn(asked(), status="inProgress"))
    assert screen.state.threads[THREAD].questions == ()
    screen.apply(Asked(id=7, params=params))
    assert [one.id for one in screen.state.threads[THREAD].questions] == [7]


def test_a_conversation_the_server_no_longer_has_has_ended(screen: Screen) -> None:
    come_back(screen, gone={THREAD: "no such thread"})
    thread = screen.state.threads[THREAD]
    assert (thread.turn_id, thread.status, thread.live) == (None, None, ())
    assert notices(screen)[-1] == "The server no longer has this conversation."


def ran(item_id: str = "c1", status: Any = "completed", **more: Any) -> CommandExecutionThreadItem:
    return CommandExecutionThreadItem(
        id=item_id, command="make", command_actions=[], cwd="/w", status=status, **more
    )


def commands(screen: Screen) -> list[tuple[str, str, str]]:
    return [
        (cell.id, cell.status, cell.output.head)
        for cell in cells(screen)
        if isinstance(cell, CommandCell)
    ]


def test_a_command_that_ended_meanwhile_has_its_end_and_its_output(screen: Screen) -> None:
    command(screen, "c1")
    ended = ran(exit_code=0, aggregated_output="built\n")
    come_back(screen, turn(asked(), ended, answered("Done.")))
    assert commands(screen) == [("c1", "ok", "built\n")]
    come_back(screen, turn(asked(), ended, answered("Done.")))
    assert commands(screen) == [("c1", "ok", "built\n")]


def test_a_command_that_began_meanwhile_is_shown_and_goes_on(screen: Screen) -> None:
    running = ran("c2", "inProgress", process_id="7")
    come_back(screen, turn(asked(), running, status="inProgress"))
    come_back(screen, turn(asked(), running, status="inProgress"))
    assert commands(screen) == [("c2", "running", "")]


def test_a_command_that_a_crash_of_the_server_stopped_is_shown_as_stopped(screen: Screen) -> None:
    command(screen, "c1")
    come_back(screen, turn(asked(), ran(status="failed"), status="interrupted"))
    assert commands(screen) == [("c1", "interrupted", "")]


def test_a_command_in_the_background_that_ended_meanwhile_has_ended(screen: Screen) -> None:
    command(screen, "c1")
    completed(screen, type="agentMessage", id="m1", text="The beginning")
    turn_ended(screen)
    assert len(screen.thread.terminals) == 1
    come_back(screen, turn(asked(), ran(exit_code=0), answered("The beginning")))
    assert screen.thread.terminals == ()
    assert commands(screen)[-1] == ("c1:end", "ok", "")
