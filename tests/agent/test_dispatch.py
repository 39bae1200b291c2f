"""Calls of one answer: together where allowed, answered in the order they were made."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from app_server.agent.tools.dispatch import SharedLock, ToolDispatch
from app_server.agent.tools.registry import ToolRegistry
from app_server.agent.tools.spec import ToolCall, ToolError
from app_server.agent.turn import Turn
from app_server.protocol.response_item import (
    FunctionCallOutputBody,
    FunctionCallOutputResponseItem,
    FunctionCallResponseItem,
)
from app_server.protocol.wire import JsonObject

TURN = cast(Turn, SimpleNamespace(id="turn"))


class Gate:
    """A tool whose calls wait until the test lets them go, by call id."""

    def __init__(self, name: str, *, parallel: bool) -> None:
        self.name = name
        self.runs_in_parallel = parallel
        self.began: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}

    def definition(self) -> JsonObject:
        return {"name": self.name}

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        self.began.append(call.call_id)
        door = self.doors.setdefault(call.call_id, asyncio.Event())
        await door.wait()
        return f"done {call.call_id}"

    def release(self, call_id: str) -> None:
        self.doors.setdefault(call_id, asyncio.Event()).set()


class Failing:
    name = "failing"
    runs_in_parallel = False

    def __init__(self, error: Exception) -> None:
        self.error = error

    def definition(self) -> JsonObject:
        return {}

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        raise self.error


def called(name: str, call_id: str) -> FunctionCallResponseItem:
    return FunctionCallResponseItem(name=name, arguments="{}", call_id=call_id)


async def all_can_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def collected(dispatch: ToolDispatch) -> list[tuple[str, Any]]:
    return [
        (item.call_id, item.output)
        async for item in dispatch.results()
        if isinstance(item, FunctionCallOutputResponseItem)
    ]


async def test_calls_that_only_look_run_together_and_answer_in_call_order() -> None:
    look = Gate("look", parallel=True)
    async with asyncio.TaskGroup() as group:
        dispatch = ToolDispatch(TURN, ToolRegistry([look]), group)
        dispatch.start(called("look", "1"))
        dispatch.start(called("look", "2"))
        await all_can_run()
        assert look.began == ["1", "2"]
        look.release("2")
        look.release("1")
        assert await collected(dispatch) == [("1", "done 1"), ("2", "done 2")]


async def test_a_call_with_side_effects_waits_for_those_before_and_holds_up_those_after() -> None:
    look, act = Gate("look", parallel=True), Gate("act", parallel=False)
    async with asyncio.TaskGroup() as group:
        dispatch = ToolDispatch(TURN, ToolRegistry([look, act]), group)
        for name, call_id in (("look", "1"), ("act", "2"), ("look", "3")):
            dispatch.start(called(name, call_id))
        await all_can_run()
        assert (look.began, act.began) == (["1"], [])
        look.release("1")
        await all_can_run()
        assert (look.began, act.began) == (["1"], ["2"])
        act.release("2")
        look.release("3")
        assert [call_id for call_id, _ in await collected(dispatch)] == ["1", "2", "3"]


async def test_what_goes_wrong_in_a_tool_is_told_to_the_model() -> None:
    async with asyncio.TaskGroup() as group:
        registry = ToolRegistry([Failing(ToolError("no such file"))])
        dispatch = ToolDispatch(TURN, registry, group)
        dispatch.start(called("failing", "1"))
        dispatch.start(called("nonsense", "2"))
        assert await collected(dispatch) == [
            ("1", "no such file"),
            ("2", "unsupported call: nonsense"),
        ]


async def test_a_defect_in_a_tool_does_not_end_the_others() -> None:
    async with asyncio.TaskGroup() as group:
        dispatch = ToolDispatch(TURN, ToolRegistry([Failing(ValueError("oops"))]), group)
        dispatch.start(called("failing", "1"))
        assert await collected(dispatch) == [("1", "failing failed: internal error")]


async def test_abandoned_calls_keep_finished_results_and_say_aborted_for_the_rest() -> None:
    look = Gate("look", parallel=True)
    group = asyncio.TaskGroup()
    async with group:
        dispatch = ToolDispatch(TURN, ToolRegistry([look]), group)
        dispatch.start(called("look", "1"))
        dispatch.start(called("look", "2"))
        look.release("2")
        await all_can_run()
        first, second = dispatch.abandon()
        assert isinstance(first, FunctionCallOutputResponseItem)
        assert str(first.output).startswith("aborted by user after 0.")
        assert isinstance(second, FunctionCallOutputResponseItem)
        assert second.output == "done 2"
        look.release("1")


async def test_a_place_given_up_before_its_turn_frees_those_behind_it() -> None:
    lock = SharedLock()
    first, second, third = (lock.queue(shared=shared) for shared in (True, False, True))
    assert not third.granted.is_set()
    lock.release(second)
    assert third.granted.is_set()
    assert first.granted.is_set()
