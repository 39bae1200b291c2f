"""The offline demo, asked as the agent asks: what it plays, and that it says what it is."""

import json
from typing import Any

import pytest

from app_server.demo.script import (
    CustomToolCall,
    FunctionCall,
    Json,
    Message,
    Reply,
    Request,
)
from app_server.demo.scripts import demo_director

CONTEXT: Json = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "<environment_context>…</environment_context>"}],
}

PROJECT = 'README.md\ngreeter.py\ntest_greeter.py\ndef greet(name):\n    return "Hello " + name\n'


def typed(text: str) -> Json:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


class Session:
    """Plays the agent: sends the history, answers each call with what it is told to."""

    def __init__(self, **outputs: str) -> None:
        self.director = demo_director()
        self.history: list[Json] = [CONTEXT]
        self.outputs = {"look": f"Chunk ID: 1\nOutput:\n{PROJECT}", "patch": "Success.", **outputs}
        self.turns = 0

    def ask(self, tools: bool = True) -> Reply:
        body = {"input": self.history, "tools": [{"type": "function"}] if tools else []}
        metadata = json.dumps({"turn_id": f"turn-{self.turns}"})
        return self.director(
            Request(
                method="POST",
                path="/v1/responses",
                query="",
                headers={"x-codex-turn-metadata": metadata},
                text=json.dumps(body),
                body=body,
            )
        )

    def turn(self, text: str) -> list[Reply]:
        """All answers of one turn, each call between them answered."""
        self.turns += 1
        self.history.append(typed(text))
        replies = []
        while True:
            reply = self.ask()
            replies.append(reply)
            calls = [
                step for step in reply.items if isinstance(step, FunctionCall | CustomToolCall)
            ]
            if not calls:
                return replies
            for call in calls:
                assert call.call_id is not None
                kind = "custom_tool_call" if isinstance(call, CustomToolCall) else "function_call"
                step = call.call_id.split("_")[1]
                output = self.outputs.get(step, "Chunk ID: 1\nOutput:\nfine\n")
                self.history.append({"type": kind, "call_id": call.call_id, "name": call.name})
                self.history.append(
                    {"type": f"{kind}_output", "call_id": call.call_id, "output": output}
                )


def made(replies: list[Reply]) -> list[str]:
    """What the answers did: tools by name, commands by their line."""
    steps: list[str] = []
    for reply in replies:
        for step in reply.items:
            if isinstance(step, FunctionCall):
                steps.append(step.arguments.get("cmd", step.name))
            elif isinstance(step, CustomToolCall):
                steps.append(step.name)
    return steps


def last_words(replies: list[Reply]) -> str:
    (message,) = [step for step in replies[-1].items if isinstance(step, Message)]
    return "".join(message.deltas or [message.text])


def test_the_first_thing_typed_plays_the_tour() -> None:
    replies = Session(after="Chunk ID: 1\nOutput:\nOK\n").turn("hello there")
    assert made(replies) == [
        "update_plan",
        "ls -1A && cat greeter.py",
        "python3 test_greeter.py",
        "update_plan",
        "apply_patch",
        "python3 test_greeter.py",
        "update_plan",
    ]
    closing = last_words(replies)
    assert "| Patch | written to disk after you accepted it |" in closing
    assert "```text\nOK\n```" in closing


def test_the_patch_mends_the_mistake_of_the_demos_project() -> None:
    (patch,) = [
        step
        for reply in Session().turn("go")
        for step in reply.items
        if isinstance(step, CustomToolCall)
    ]
    assert patch.input == (
        "*** Begin Patch\n"
        "*** Update File: greeter.py\n"
        "@@ def greet(name):\n"
        '-    return "Hello " + name\n'
        '+    return f"Hello, {name}!"\n'
        "*** End Patch\n"
    )


def test_in_a_folder_of_the_users_own_it_adds_a_file_and_changes_none() -> None:
    replies = Session(look="Output:\nnotes.txt\ncat: greeter.py: No such file\n").turn("go")
    assert "python3 test_greeter.py" not in made(replies)
    assert made(replies)[-2] == "python3 codex_demo_greeter.py Ada Grace"
    patch = next(s for r in replies for s in r.items if isinstance(s, CustomToolCall)).input
    assert patch.splitlines()[1] == "*** Add File: codex_demo_greeter.py"


def test_a_declined_patch_ends_the_tour_in_peace() -> None:
    replies = Session(patch="patch rejected by user").turn("go")
    assert made(replies)[-1] == "apply_patch"
    assert "was not applied" in last_words(replies)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("show me a table", "| Interface | Textual |"),
        ("please fix it", "## Done"),
        ("what's the weather?", "Nobody reads what you type here, “what's the weather?” included"),
        ("wait a moment", "The command is done"),
    ],
)
def test_later_words_choose_the_scene(text: str, sign: str) -> None:
    session = Session()
    session.turn("hello")
    assert sign in last_words(session.turn(text))


def test_a_broken_connection_is_followed_by_the_whole_answer_once_a_turn() -> None:
    session = Session()
    session.turn("hello")
    for _ in range(2):
        (broken,) = session.turn("show an error")
        assert broken.disconnect_after is not None
        whole = session.ask()
        assert whole.disconnect_after is None
        assert "asked again" in last_words([whole])


def test_a_refusal_says_that_it_is_scripted_too() -> None:
    session = Session()
    session.turn("hello")
    (refused,) = session.turn("fail")
    assert refused.status == 400
    assert "scripted demo" in refused.body


def test_a_command_that_goes_on_is_watched_once() -> None:
    session = Session(
        count="Process running with session ID 7\nOutput:\ntick 1",
        watch="Process running with session ID 7\nOutput:\ntick 9",
    )
    session.turn("hello")
    replies = session.turn("wait")
    (watching,) = [
        step
        for reply in replies
        for step in reply.items
        if isinstance(step, FunctionCall) and step.name == "write_stdin"
    ]
    assert watching.arguments["session_id"] == 7
    assert "goes on without being watched" in last_words(replies)


@pytest.mark.parametrize("text", ["hello", "table", "wait", "fix", "??", "", "plan"])
def test_every_answer_says_that_no_model_is_behind_it(text: str) -> None:
    session = Session()
    for _ in range(2):
        assert "no model is behind it" in last_words(session.turn(text))


def test_a_request_for_a_summary_gets_one() -> None:
    session = Session()
    session.turn("hello")
    summary = session.ask(tools=False)
    assert made([summary]) == []
    assert "no model is behind it" in last_words([summary])


def test_a_turn_that_goes_in_circles_ends() -> None:
    session = Session()
    session.history.append(typed("go"))
    session.history += [{"type": "function_call", "call_id": "other", "name": "x"}] * 13
    assert made([session.ask()]) == []


def test_an_interrupted_turn_does_not_confuse_the_next() -> None:
    session = Session()
    session.history += [typed("go"), {"type": "function_call", "call_id": "demo_plan_1"}]
    session.history.append(
        {"type": "function_call_output", "call_id": "demo_plan_1", "output": "aborted"}
    )
    session.turns = 1
    assert made(session.turn("fix"))[:2] == ["update_plan", "ls -1A && cat greeter.py"]


def outputs_as_parts() -> Any:
    return [{"type": "input_text", "text": PROJECT}]


def test_outputs_made_of_parts_are_read_as_well() -> None:
    session = Session()
    session.outputs["look"] = outputs_as_parts()
    assert "python3 test_greeter.py" in made(session.turn("go"))
