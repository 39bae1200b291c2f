"""A server as a program in Python uses it: threads, turns, questions."""

import asyncio
import os
import threading

import msgspec
import pytest

from app_server import Codex, LiveThread, OpenQuestion, RpcError, ThreadBusy, TurnFailed, connect
from app_server.client import live_turn
from app_server.protocol.approvals import (
    CommandExecutionRequestApprovalParams,
    DynamicToolCallParams,
    DynamicToolCallResponse,
)
from app_server.protocol.item import (
    CommandExecutionThreadItem,
    InputTextDynamicToolCallOutputContentItem,
)
from app_server.protocol.item_deltas import AgentMessageDeltaNotification
from app_server.protocol.model import MODEL_LIST, ModelListParams
from app_server.protocol.thread import DynamicToolSpec, ThreadNameUpdatedNotification
from app_server.protocol.turn import TurnCompletedNotification, TurnStartedNotification
from tests.client.conftest import Home
from tests.support.model_server import calls_tool, fails_with, hangs, runs_command, says, streams

BOUND_SECONDS = 30
TOUCH = "touch made"


async def asking_thread(codex: Codex) -> LiveThread:
    return await codex.start_thread(approval_policy="untrusted", sandbox="danger-full-access")


async def test_what_the_agent_says_comes_as_it_is_said(codex: Codex, home: Home) -> None:
    home.model.script(streams("Hello", ", ", "world."))
    async with asyncio.timeout(BOUND_SECONDS):
        thread = await codex.start_thread()
        turn = thread.run("Say hello")
        assert [piece async for piece in turn.text()] == ["Hello", ", ", "world."]
    assert (turn.status, turn.final_message) == ("completed", "Hello, world.")


async def test_events_are_the_protocols_and_end_with_the_turn(codex: Codex, home: Home) -> None:
    home.model.script(streams("Hel", "lo"))
    async with asyncio.timeout(BOUND_SECONDS):
        thread = await codex.start_thread()
        events = [event async for event in thread.run("Say hello")]
    assert isinstance(events[0], TurnStartedNotification)
    deltas = [each.delta for each in events if isinstance(each, AgentMessageDeltaNotification)]
    assert "".join(deltas) == "Hello"
    assert isinstance(events[-1], TurnCompletedNotification)
    assert {getattr(event, "thread_id", "") for event in events} == {thread.id}


async def test_a_question_is_answered_where_it_comes(codex: Codex, home: Home) -> None:
    home.model.script(runs_command(TOUCH), says("done"))
    asked = []
    async with asyncio.timeout(BOUND_SECONDS):
        turn = (await asking_thread(codex)).run("Run it")
        async for event in turn:
            if isinstance(event, OpenQuestion):
                asked.append(event.params)
                await event.accept()
    (params,) = asked
    assert isinstance(params, CommandExecutionRequestApprovalParams)
    assert TOUCH in (params.command or "")
    assert (home.cwd / "made").exists()
    assert turn.final_message == "done"


async def test_a_question_that_is_passed_by_is_declined(codex: Codex, home: Home) -> None:
    home.model.script(runs_command(TOUCH), says("then not"))
    async with asyncio.timeout(BOUND_SECONDS):
        turn = await (await asking_thread(codex)).run("Run it")
    assert turn.final_message == "then not"
    assert [item.status for item in turn.items if isinstance(item, CommandExecutionThreadItem)] == [
        "declined"
    ]
    assert not (home.cwd / "made").exists()


async def test_a_turn_is_steered_and_interrupted_while_it_runs(codex: Codex, home: Home) -> None:
    home.model.script(hangs("Begun"))
    async with asyncio.timeout(BOUND_SECONDS):
        thread = await codex.start_thread()
        async with thread.run("Go on for ever") as turn:
            async for piece in turn.text():
                assert piece == "Begun"
                break
            await turn.steer("and faster")
            await turn.interrupt()
            assert isinstance([event async for event in turn][-1], TurnCompletedNotification)
    assert turn.status == "interrupted"


async def test_a_thread_is_gone_on_with_and_listed(codex: Codex, home: Home) -> None:
    home.model.script(says("one"), says("two"), says("three"))
    async with asyncio.timeout(BOUND_SECONDS):
        first = await codex.start_thread()
        await first.run("first question")
        await first.rename("my thread")
        again = await codex.resume_thread(first.id)
        assert (await again.run("second question")).final_message == "two"
        fork = await again.fork()
        assert (await fork.run("third question")).final_message == "three"
        stored = await again.read()
        listed = [thread async for thread in codex.threads()]
    assert len(stored.turns) == 2
    assert {thread.id for thread in listed} == {first.id, fork.id}
    assert [thread.name for thread in listed if thread.id == first.id] == ["my thread"]


async def test_who_is_signed_in_and_every_other_method(codex: Codex) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        account = await codex.account()
        assert account.account is None
        assert (await codex.request(MODEL_LIST, ModelListParams())).data
        with pytest.raises(RpcError):
            await codex.resume_thread("no such thread")
    assert codex.server.codex_home.endswith("codex-home")


async def test_a_turn_that_fails_says_why(home: Home) -> None:
    home.model.script(fails_with(400, {"error": {"message": "no such model"}}))
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        thread = await codex.start_thread()
        with pytest.raises(TurnFailed, match="no such model") as failed:
            await thread.run("hello")
        assert failed.value.turn.status == "failed"
        assert failed.value.kind is not None
        home.model.script(says("all right again"))
        assert (await thread.run("hello")).final_message == "all right again"


async def test_questions_can_be_answered_by_a_function(home: Home) -> None:
    home.model.script(runs_command(TOUCH), runs_command("touch other"), says("done"))
    asked: list[str] = []

    async def only_the_first(question: OpenQuestion) -> None:
        asked.append(question.method)
        if len(asked) == 1:
            await question.accept()

    async with asyncio.timeout(BOUND_SECONDS), home.connect(answer=only_the_first) as codex:
        turn = (await asking_thread(codex)).run("Run both")
        assert not [event async for event in turn if isinstance(event, OpenQuestion)]
    assert asked == ["item/commandExecution/requestApproval"] * 2
    assert os.listdir(home.cwd) == ["made"]


async def test_a_function_that_fails_is_heard_of_and_declines(home: Home) -> None:
    home.model.script(runs_command(TOUCH), says("never said"))

    async def broken(_question: OpenQuestion) -> None:
        raise LookupError("a mistake of the program")

    async with asyncio.timeout(BOUND_SECONDS), home.connect(answer=broken) as codex:
        thread = await asking_thread(codex)
        with pytest.raises(LookupError, match="a mistake of the program"):
            await thread.run("Run it")
    assert not (home.cwd / "made").exists()


async def test_a_question_can_be_answered_later_by_somebody_else(home: Home) -> None:
    home.model.script(runs_command(TOUCH), says("done"))
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        turn = (await asking_thread(codex)).run("Run it")
        answering = []
        async for event in turn:
            if isinstance(event, OpenQuestion):
                event.defer()
                answering.append(asyncio.create_task(event.accept(for_session=True)))
        await asyncio.gather(*answering)
    assert (home.cwd / "made").exists()


async def test_a_programs_own_tools_are_questions(home: Home) -> None:
    home.model.script(calls_tool("lookup", {"id": "7"}), says("it is open"))
    lookup = DynamicToolSpec(name="lookup", description="A ticket", input_schema={"type": "object"})

    async def look_up(question: OpenQuestion) -> None:
        assert isinstance(question.params, DynamicToolCallParams)
        text = InputTextDynamicToolCallOutputContentItem(text=f"{question.params.arguments}: open")
        await question.answer(DynamicToolCallResponse(content_items=[text], success=True))

    async with asyncio.timeout(BOUND_SECONDS), home.connect(answer=look_up) as codex:
        thread = await codex.start_thread(tools=[lookup])
        assert (await thread.run("How is ticket 7?")).final_message == "it is open"
    assert "open" in str(home.model.requests[-1].body)


async def test_a_thread_has_one_turn_at_a_time(home: Home) -> None:
    home.model.script(hangs("Begun"))
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        thread = await codex.start_thread()
        async with thread.run("Go on for ever"):
            late = thread.run("Something else")
            for _ in range(2):
                with pytest.raises(ThreadBusy, match=thread.id):
                    await late


async def test_what_belongs_to_no_turn_is_heard_beside_them(home: Home) -> None:
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        thread = await codex.start_thread()
        hearing = asyncio.create_task(_first(codex, ThreadNameUpdatedNotification))
        await asyncio.sleep(0)
        await thread.rename("named")
        assert (await hearing).thread_name == "named"


@pytest.mark.parametrize(
    ("server", "given", "told"),
    [
        ("http://x", {}, "names no server"),
        ("ws://", {}, "names no server"),
        ("codex app-server", {}, "names no server"),
        ([], {}, "an empty command"),
        (None, {"token": "t"}, "only a websocket takes one"),
        ("unix://", {"token": "t"}, "only a websocket takes one"),
        ("ws://x", {"cwd": "/"}, "cwd: ws://x has its own"),
        (["codex"], {"config": {"model": "m"}}, "as `-c key=value`"),
    ],
)
def test_what_does_not_go_together_is_said_at_once(
    server: object, given: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        connect(server, **given)  # type: ignore[arg-type]


async def test_settings_are_given_as_on_the_command_line(home: Home) -> None:
    config = {"model": "other-model", "model_reasoning_effort": "low"}
    async with asyncio.timeout(BOUND_SECONDS), home.connect(config=config) as codex:
        opened = (await codex.start_thread()).opened
    assert (opened.model, opened.reasoning_effort) == ("other-model", "low")


def test_it_runs_in_a_loop_that_somebody_else_keeps_running(home: Home) -> None:
    """As in a notebook: the loop was there before and stays; every cell is a task of it."""
    home.model.script(says("first cell"), says("second cell"))
    loop = asyncio.new_event_loop()
    keeper = threading.Thread(target=loop.run_forever)
    keeper.start()
    try:

        def cell(work: object) -> object:
            return asyncio.run_coroutine_threadsafe(work, loop).result(BOUND_SECONDS)  # type: ignore[arg-type]

        codex = home.connect()
        cell(codex.__aenter__())
        thread = cell(codex.start_thread())
        said = [cell(_read(thread.run("go"))).final_message for _ in range(2)]  # type: ignore[attr-defined]
        cell(codex.__aexit__(None, None, None))
        assert said == ["first cell", "second cell"]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        keeper.join(BOUND_SECONDS)
        loop.close()


async def _read(turn: live_turn.LiveTurn) -> live_turn.LiveTurn:
    return await turn


async def _first(codex: Codex, kind: type[msgspec.Struct]) -> msgspec.Struct:
    async for event in codex.events():
        if isinstance(event, kind):
            return event
    raise AssertionError("the events ended")
