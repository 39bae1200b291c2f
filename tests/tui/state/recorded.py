"""Recorded conversations, fed to the reducers as the interface would meet them.

What the recorded client sent becomes the action a user would have taken for it; what the server
sent becomes an event. Placeholders for times become numbers.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app_server.protocol import catalog
from tui.state.actions import (
    AnswerCommand,
    AnswerPatch,
    Interrupt,
    OpenNewThread,
    OpenStoredThread,
    ShellSubmitted,
    UserSubmitted,
)
from tui.state.effects import AnswerQuestion, Effect, SendRequest
from tui.state.events import Asked, Connected, Event, Heard, Refused, Replied
from tui.state.model import AppState
from tui.state.store import Store

CONVERSATIONS = Path(__file__).parents[3] / "snapshots" / "conversations"

_NUMBERS = {"<TS>": 1_700_000_000, "<MS>": 1_234}
_IGNORED = ("initialize", "initialized")


class Screen:
    """An interface without a terminal: a store, and the requests it wants sent."""

    def __init__(self, state: AppState | None = None) -> None:
        self.at = 1_700_000_000.0
        self.effects: list[Effect] = []
        self.store = Store(state or AppState(version="0.1", home="/home/me"))
        self.open: list[SendRequest] = []

    @property
    def state(self) -> AppState:
        return self.store.state

    @property
    def thread(self) -> Any:
        thread = self.state.thread
        assert thread is not None
        return thread

    def apply(self, *events: Event) -> list[Effect]:
        effects = list(self.store.apply(events, self.at))
        self.effects += effects
        self.open += [effect for effect in effects if isinstance(effect, SendRequest)]
        return effects

    def reply(self, method: str, result: object) -> list[Effect]:
        request = self._take(method)
        return self.apply(Replied(purpose=request.purpose, result=result))

    def refuse(self, method: str, message: str) -> list[Effect]:
        request = self._take(method)
        return self.apply(Refused(purpose=request.purpose, message=message))

    def _take(self, method: str) -> SendRequest:
        for request in self.open:
            if request.row.name == method:
                self.open.remove(request)
                return request
        raise AssertionError(f"no {method} was sent")

    def answers(self) -> list[AnswerQuestion]:
        return [effect for effect in self.effects if isinstance(effect, AnswerQuestion)]


def play(name: str, *, until: str | None = None, screen: Screen | None = None) -> Screen:
    """The screen after a recorded conversation, or after the first message of method `until`."""
    screen = screen or Screen()
    screen.apply(Connected())
    methods: dict[Any, str] = {}
    for direction, message in lines(name):
        if direction == "client":
            _client(screen, message, methods)
        else:
            _server(screen, message, methods)
        if until is not None and message.get("method") == until:
            return screen
    assert until is None, f"{name} has no {until}"
    return screen


def lines(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in (CONVERSATIONS / f"{name}.jsonl").read_text().splitlines():
        record = json.loads(row)
        if isinstance(record.get("msg"), dict):
            yield record["dir"], _numbered(record["msg"])


def heard(method: str, params: Any) -> Heard:
    row = catalog.server_notification(method)
    assert row is not None, method
    return Heard(msgspec.convert(params, row.params))


def _server(screen: Screen, message: dict[str, Any], methods: dict[Any, str]) -> None:
    if "method" not in message:
        method = methods.get(message.get("id"))
        if method is None or method in _IGNORED:
            return
        row = catalog.client_method(method)
        assert row is not None
        if "error" in message:
            if any(request.row.name == method for request in screen.open):
                screen.refuse(method, message["error"]["message"])
            return
        if any(request.row.name == method for request in screen.open):
            screen.reply(method, msgspec.convert(message["result"], row.result))
        return
    if "id" in message:
        question = catalog.server_method(message["method"])
        assert question is not None
        params = msgspec.convert(message["params"], question.params)
        screen.apply(Asked(id=message["id"], params=params))
        return
    screen.apply(heard(message["method"], message["params"]))


def _client(screen: Screen, message: dict[str, Any], methods: dict[Any, str]) -> None:
    method = message.get("method")
    if method is None:
        _answer(screen, message)
        return
    if "id" in message:
        methods[message["id"]] = method
    params = message.get("params") or {}
    row = catalog.client_method(method)
    match method:
        case "thread/start":
            assert row is not None
            screen.apply(OpenNewThread(params=msgspec.convert(params, row.params)))
        case "thread/resume":
            assert row is not None
            screen.apply(OpenStoredThread(params=msgspec.convert(params, row.params)))
        case "turn/start":
            screen.apply(UserSubmitted(text=params["input"][0]["text"] if params["input"] else ""))
        case "turn/steer" if params["input"] and params["expectedTurnId"] != "wrong-turn":
            screen.apply(UserSubmitted(text=params["input"][0]["text"]))
        case "turn/interrupt":
            screen.apply(Interrupt())
        case "thread/shellCommand":
            screen.apply(ShellSubmitted(command=params["command"]))
        case _:
            pass


def _answer(screen: Screen, message: dict[str, Any]) -> None:
    decision = (message.get("result") or {}).get("decision")
    thread = screen.state.thread
    question = (
        next((q for q in thread.questions if q.id == message["id"]), None) if thread else None
    )
    if decision is None or question is None:
        return
    if type(question.params).__name__.startswith("CommandExecution"):
        row = catalog.server_method("item/commandExecution/requestApproval")
        assert row is not None
        response = msgspec.convert(message["result"], row.result)
        screen.apply(AnswerCommand(question_id=question.id, decision=response.decision))
    else:
        screen.apply(AnswerPatch(question_id=question.id, decision=decision))


def _numbered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbered(inner) for inner in value]
    return _NUMBERS.get(value, value) if isinstance(value, str) else value
