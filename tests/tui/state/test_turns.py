"""Sending, steering, queueing, interrupting: nothing typed is lost."""

from app_server.protocol.thread_data import Turn
from app_server.protocol.turn import TurnInterruptResponse, TurnStartResponse
from tests.tui.state.conversation import (
    THREAD,
    command,
    completed,
    open_screen,
    said,
    taken_up,
    turn_began,
    turn_ended,
)
from tests.tui.state.recorded import Screen, heard
from tui.state.actions import Interrupt, PullQueued, Queued, SetModel, UserSubmitted
from tui.state.cells import (
    AgentMessageCell,
    CommandCell,
    NoticeCell,
    SeparatorCell,
    UserMessageCell,
)
from tui.state.effects import Effect, Notify, ReturnToComposer, SendRequest
from tui.state.events import Disconnected


def requests(effects: list[Effect]) -> list[str]:
    return [effect.row.name for effect in effects if isinstance(effect, SendRequest)]


def returned(effects: list[Effect]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, ReturnToComposer)]


def sent_text(effects: list[Effect]) -> list[str]:
    texts = []
    for effect in effects:
        if isinstance(effect, SendRequest):
            texts += [part.text for part in effect.params.input]  # type: ignore[union-attr]
    return texts


def notices(screen: Screen) -> list[str]:
    return [cell.text for cell in screen.thread.settled if isinstance(cell, NoticeCell)]


def running() -> Screen:
    screen = open_screen()
    screen.apply(UserSubmitted(text="first"))
    turn_began(screen)
    taken_up(screen, "first")
    return screen


def test_enter_on_an_idle_thread_starts_a_turn_with_pictures_after_the_text() -> None:
    screen = open_screen()
    effects = screen.apply(UserSubmitted(text="look", images=("/tmp/a.png",)))
    (request,) = effects
    assert isinstance(request, SendRequest)
    assert request.row.name == "turn/start"
    kinds = [type(part).__name__ for part in request.params.input]  # type: ignore[union-attr]
    assert kinds == ["TextUserInput", "LocalImageUserInput"]


def test_blank_input_does_nothing() -> None:
    screen = open_screen()
    assert screen.apply(UserSubmitted(text="  \n")) == []
    assert screen.thread.live == ()


def test_a_message_that_cannot_be_sent_returns_to_the_composer() -> None:
    screen = open_screen()
    screen.apply(UserSubmitted(text="hello", images=("/tmp/a.png",)))
    effects = screen.refuse("turn/start", "the server is busy")
    assert effects == [ReturnToComposer(text="hello", images=("/tmp/a.png",))]
    assert notices(screen) == ["the server is busy"]
    assert screen.thread.live == ()
    assert not screen.thread.running


def test_enter_while_a_turn_runs_steers_it_and_shows_the_message_when_it_is_taken_up() -> None:
    screen = running()
    effects = screen.apply(UserSubmitted(text="also this"))
    assert requests(effects) == ["turn/steer"]
    assert [steer.text for steer in screen.thread.steers] == ["also this"]
    taken_up(screen, "also this", "u2")
    assert screen.thread.steers == ()
    assert screen.thread.settled[-1].text == "also this"


def test_two_equal_steers_are_told_apart_by_the_id_they_were_sent_with() -> None:
    screen = running()
    screen.apply(UserSubmitted(text="go on"), UserSubmitted(text="go on"))
    first, second = screen.thread.steers
    taken_up(screen, "go on", "u3", client_id=second.id)
    assert [steer.id for steer in screen.thread.steers] == [first.id]


def test_what_is_submitted_before_a_turn_has_begun_steers_it_as_soon_as_it_has() -> None:
    screen = open_screen()
    screen.apply(UserSubmitted(text="first"))
    assert screen.apply(UserSubmitted(text="second")) == []
    assert requests(turn_began(screen)) == ["turn/steer"]


def test_a_steer_that_comes_too_late_becomes_the_next_turn() -> None:
    screen = running()
    screen.apply(UserSubmitted(text="late"))
    turn_effects = turn_ended(screen)
    assert sent_text(turn_effects) == ["late"]
    assert screen.refuse("turn/steer", "no active turn to steer") == []


def test_a_steer_that_a_turn_does_not_take_waits_in_the_queue() -> None:
    screen = running()
    screen.apply(UserSubmitted(text="not now"))
    assert screen.refuse("turn/steer", "cannot steer a review turn") == []
    assert [message.text for message in screen.thread.queue] == ["not now"]
    assert sent_text(turn_ended(screen)) == ["not now"]


def test_queued_messages_are_sent_one_by_one_after_the_turn() -> None:
    screen = running()
    screen.apply(Queued(text="one"), Queued(text="two"))
    assert sent_text(turn_ended(screen)) == ["one"]
    assert [message.text for message in screen.thread.queue] == ["two"]
    turn_began(screen, "turn-2")
    assert sent_text(turn_ended(screen, turn_id="turn-2")) == ["two"]


def test_the_last_queued_message_can_be_pulled_back() -> None:
    screen = running()
    screen.apply(Queued(text="one"), Queued(text="two"))
    assert returned(screen.apply(PullQueued())) == ["two"]
    assert [message.text for message in screen.thread.queue] == ["one"]


def test_esc_interrupts_and_gives_queued_messages_back_joined() -> None:
    screen = running()
    screen.apply(Queued(text="one"), Queued(text="two"))
    assert requests(screen.apply(Interrupt())) == ["turn/interrupt"]
    assert screen.apply(Interrupt()) == []
    assert returned(turn_ended(screen, "interrupted")) == ["one\ntwo"]
    assert notices(screen) == ["Interrupted. Tell Codex what to do differently."]


def test_esc_with_steers_pending_sends_them_at_once_and_keeps_the_queue() -> None:
    screen = running()
    screen.apply(UserSubmitted(text="stop"), UserSubmitted(text="do that"), Queued(text="later"))
    screen.apply(Interrupt())
    effects = turn_ended(screen, "interrupted")
    assert sent_text(effects) == ["stop\ndo that"]
    assert returned(effects) == []
    assert [message.text for message in screen.thread.queue] == ["later"]
    assert notices(screen) == ["Interrupted to send what you wrote."]


def test_a_failed_turn_gives_back_what_was_waiting() -> None:
    screen = running()
    screen.apply(Queued(text="later"))
    effects = turn_ended(screen, "failed", error={"message": "no network"})
    assert returned(effects) == ["later"]
    assert notices(screen) == ["no network"]


def test_an_error_is_said_once_although_the_turn_repeats_it() -> None:
    screen = running()
    error = {"message": "no network"}
    params = {"threadId": THREAD, "turnId": "turn-1", "error": error, "willRetry": False}
    screen.apply(heard("error", params))
    turn_ended(screen, "failed", error=error)
    assert notices(screen) == ["no network"]


def test_a_json_body_is_reduced_to_its_message() -> None:
    screen = running()
    body = 'unexpected status 400 Bad Request: {"error":{"message":"no such model"}}, url: http://x'
    turn_ended(screen, "failed", error={"message": body})
    assert notices(screen) == ["unexpected status 400 Bad Request: no such model (url: http://x)"]


def test_an_interrupted_answer_keeps_what_had_come() -> None:
    screen = running()
    said(screen, "half of ")
    turn_ended(screen, "interrupted")
    cell = next(cell for cell in screen.thread.settled if isinstance(cell, AgentMessageCell))
    assert (cell.text, cell.cut_off, cell.complete) == ("half of ", True, True)
    assert screen.thread.last_answer == "half of "


def test_the_end_of_a_turn_notifies_with_the_first_line_of_the_answer() -> None:
    screen = running()
    completed(screen, type="agentMessage", id="m1", text="Done.\nMore.")
    assert turn_ended(screen) == [Notify(kind="turn-ended", text="Done.")]


def test_only_a_turn_that_used_tools_is_closed_by_a_line() -> None:
    screen = running()
    item = command(screen, "c1")
    completed(screen, **{**item, "status": "completed", "exitCode": 0})
    turn_ended(screen)
    assert screen.thread.settled[-1] == SeparatorCell(
        id=screen.thread.settled[-1].id, duration_ms=5_000
    )
    quiet = running()
    turn_ended(quiet)
    assert not any(isinstance(cell, SeparatorCell) for cell in quiet.thread.settled)


def test_a_command_that_outlives_its_turn_is_told_about_when_it_ends() -> None:
    screen = running()
    item = command(screen, "c1", "make serve")
    turn_ended(screen)
    assert [cell.command for cell in screen.thread.terminals] == ["make serve"]
    params = {"threadId": THREAD, "turnId": "turn-1", "itemId": "c1", "delta": "listening\n"}
    screen.apply(heard("item/commandExecution/outputDelta", params))
    completed(screen, **{**item, "status": "failed", "exitCode": 143})
    ended = screen.thread.settled[-1]
    assert (ended.was_background, ended.exit_code, ended.output.head) == (True, 143, "listening\n")
    assert screen.thread.terminals == ()
    assert len({cell.id for cell in screen.thread.settled}) == len(screen.thread.settled)


def test_an_interruption_stops_the_command_the_agent_waited_for() -> None:
    screen = running()
    command(screen, "c1", "sleep 60")
    turn_ended(screen, "interrupted")
    assert screen.thread.terminals == ()
    assert [cell.status for cell in screen.thread.settled if isinstance(cell, CommandCell)] == [
        "interrupted"
    ]


def test_an_interruption_spares_commands_the_agent_had_gone_on_from() -> None:
    screen = running()
    command(screen, "c1", "make serve")
    said(screen, "It is up.")
    command(screen, "c2", "python", processId="2")
    ids = {"threadId": THREAD, "turnId": "turn-1", "itemId": "c2", "processId": "2"}
    screen.apply(heard("item/commandExecution/terminalInteraction", {**ids, "stdin": ""}))
    command(screen, "c3", "sleep 60", processId="3")
    turn_ended(screen, "interrupted")
    assert [cell.command for cell in screen.thread.terminals] == ["make serve", "python"]


def test_a_changed_model_goes_along_with_the_next_turn_only() -> None:
    screen = open_screen()
    screen.apply(SetModel(model="gpt-6", effort="high"))
    (request,) = screen.apply(UserSubmitted(text="go"))
    assert isinstance(request, SendRequest)
    assert (request.params.model, request.params.effort) == ("gpt-6", "high")  # type: ignore[union-attr]
    turn_began(screen)
    turn_ended(screen)
    (request,) = screen.apply(UserSubmitted(text="again"))
    assert isinstance(request, SendRequest)
    assert request.params.model is None  # type: ignore[union-attr]
    assert screen.state.settings.model == "gpt-6"


def test_a_changed_model_is_kept_when_the_turn_that_carried_it_was_refused() -> None:
    screen = open_screen()
    screen.apply(SetModel(model="gpt-6"))
    screen.apply(UserSubmitted(text="go"))
    screen.refuse("turn/start", "busy")
    (request,) = screen.apply(UserSubmitted(text="go"))
    assert isinstance(request, SendRequest)
    assert request.params.model == "gpt-6"  # type: ignore[union-attr]


def test_a_lost_connection_ends_what_ran_and_keeps_what_was_typed() -> None:
    screen = running()
    screen.apply(UserSubmitted(text="steer"), Queued(text="later"))
    assert returned(screen.apply(Disconnected(reason="broken pipe"))) == ["steer\nlater"]
    assert screen.refuse("turn/steer", "the connection was lost") == []
    assert not screen.thread.running
    assert notices(screen) == ["The connection to the server was lost."]
    assert returned(screen.apply(UserSubmitted(text="hello?"))) == ["hello?"]


def test_another_clients_message_appears_too() -> None:
    screen = open_screen()
    turn_began(screen)
    taken_up(screen, "from elsewhere")
    cell = screen.thread.settled[-1]
    assert isinstance(cell, UserMessageCell)
    assert cell.text == "from elsewhere"


def test_a_message_is_being_worked_on_from_the_key_press_on() -> None:
    screen = open_screen()
    screen.apply(UserSubmitted(text="go"))
    since = screen.thread.status.running_since
    screen.at += 3
    turn_began(screen)
    assert screen.thread.status.running_since == since


def test_a_message_the_server_never_repeated_stays_in_the_transcript() -> None:
    screen = open_screen()
    screen.apply(UserSubmitted(text="go"))
    turn_began(screen)
    turn_ended(screen)
    cell = screen.thread.settled[-1]
    assert isinstance(cell, UserMessageCell)
    assert (cell.text, cell.pending) == ("go", False)


def test_a_turn_that_has_not_begun_is_interrupted_by_the_name_the_server_gave_it() -> None:
    screen = open_screen()
    screen.apply(UserSubmitted(text="go"))
    turn = Turn(id="turn-1", items=[], status="inProgress")
    screen.reply("turn/start", TurnStartResponse(turn=turn))
    (request,) = screen.apply(Interrupt())
    assert isinstance(request, SendRequest)
    assert request.params.turn_id == "turn-1"  # type: ignore[union-attr]


def test_an_interruption_before_the_turn_has_a_name_can_be_repeated() -> None:
    screen = open_screen()
    screen.apply(UserSubmitted(text="go"))
    screen.apply(Interrupt())
    screen.reply("turn/interrupt", TurnInterruptResponse())
    turn_began(screen)
    (request,) = screen.apply(Interrupt())
    assert isinstance(request, SendRequest)
    assert request.params.turn_id == "turn-1"  # type: ignore[union-attr]


def test_a_warning_that_comes_with_every_turn_is_shown_once() -> None:
    screen = open_screen()
    warning = {"threadId": THREAD, "message": "Unknown model."}
    screen.apply(heard("warning", warning), heard("warning", warning))
    assert notices(screen) == ["Unknown model."]


def test_what_a_failing_service_said_stands_in_place_of_a_guess() -> None:
    screen = open_screen()
    turn_began(screen)
    error = {
        "message": "We're currently experiencing high demand.",
        "codexErrorInfo": "internalServerError",
        "additionalDetails": "500 Internal Server Error: out of memory, request id: r1",
    }
    turn_ended(screen, "failed", error=error)
    said = screen.thread.settled[-1]
    assert isinstance(said, NoticeCell)
    assert said.text == (
        "The model's service failed: 500 Internal Server Error: out of memory, request id: r1"
    )
    assert said.details == ""
