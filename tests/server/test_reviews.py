"""Reviews: another mind looks at a change, the thread holds the result."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.item import (
    ITEM_COMPLETED,
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
    EnteredReviewModeThreadItem,
    ExitedReviewModeThreadItem,
    UserMessageThreadItem,
)
from app_server.protocol.item_deltas import ITEM_AGENT_MESSAGE_DELTA
from app_server.protocol.review import (
    REVIEW_START,
    BaseBranchReviewTarget,
    CommitReviewTarget,
    CustomReviewTarget,
    ReviewStartParams,
    ReviewStartResponse,
    UncommittedChangesReviewTarget,
)
from app_server.protocol.thread import THREAD_STARTED
from app_server.protocol.thread_history import THREAD_READ, ThreadReadParams
from app_server.protocol.turn import TURN_STARTED, TURN_STEER, TurnSteerParams
from app_server.protocol.user_input import TextUserInput
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    fails_with,
    hangs,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)

FINDING = {
    "title": "Wrong number",
    "body": "It prints 2.",
    "confidence_score": 0.9,
    "priority": 1,
    "code_location": {"absolute_file_path": "/w/a.py", "line_range": {"start": 1, "end": 1}},
}
ANSWER = json.dumps(
    {
        "findings": [FINDING],
        "overall_correctness": "patch is incorrect",
        "overall_explanation": "One issue.",
        "overall_confidence_score": 0.8,
    }
)
IN_WORDS = "One issue.\n\nReview comment:\n\n- Wrong number — /w/a.py:1-1\n  It prints 2."
HERE = UncommittedChangesReviewTarget()


@pytest.fixture
async def thread(connect: Connector, codex_home: Path, model: ScriptedModel) -> Conversation:
    provider_toml(model, home=codex_home)
    return await Conversation.begin(
        await connect(), sandbox="danger-full-access", approval_policy="never"
    )


async def begin(thread: Conversation, target: Any = HERE, **more: Any) -> ReviewStartResponse:
    params = ReviewStartParams(thread_id=thread.thread_id, target=target, **more)
    response: ReviewStartResponse = await thread.call(REVIEW_START, params)
    return response


def items(thread: Conversation) -> list[Any]:
    return [done.item for done in thread.params_of(ITEM_COMPLETED)]


async def test_a_review_enters_asks_exits_and_answers(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(says(ANSWER))
    started = await begin(thread)
    assert started.review_thread_id == thread.thread_id
    (asked,) = started.turn.items
    assert isinstance(asked, UserMessageThreadItem)
    assert asked.content == [TextUserInput(text="current changes")]
    turn = await thread.ended()
    assert (turn.id, turn.status) == (started.turn.id, "completed")
    entered, question, exited, answer = items(thread)
    assert entered == EnteredReviewModeThreadItem(id=turn.id, review="current changes")
    assert "git diff HEAD" in question.content[0].text
    assert exited == ExitedReviewModeThreadItem(id=turn.id, review=IN_WORDS)
    assert answer == AgentMessageThreadItem(id="review_rollout_assistant", text=IN_WORDS)
    assert thread.params_of(ITEM_AGENT_MESSAGE_DELTA) == []
    told = [line.split()[0] for line in thread.told()]
    assert told.index("item/completed") < told.index("turn/started")


async def test_the_reviewer_has_its_own_instructions_and_no_memory_of_the_thread(
    thread: Conversation, model: ScriptedModel, codex_home: Path
) -> None:
    model.script(says("first answer"), says(ANSWER), says("mended"))
    await thread.say("a secret word")
    await thread.ended()
    await begin(thread)
    await thread.ended()
    await thread.say("mend it")
    await thread.ended()
    first, review, last = await requests_seen(model, 3)
    assert review.headers["x-openai-subagent"] == "review"
    assert review.body["instructions"] != first.body["instructions"]
    assert "a secret word" not in json.dumps(review.body["input"])
    assert all(tool.get("type") != "web_search" for tool in review.body["tools"])
    follow_up = json.dumps(last.body["input"])
    assert "a secret word" in follow_up
    assert "<user_action>" in follow_up
    assert "Wrong number" in follow_up


async def test_what_the_reviewer_runs_is_shown_and_its_processes_end_with_it(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(runs_command("echo looked; sleep 1000", yield_time_ms=250), says(ANSWER))
    await begin(thread)
    await thread.ended(PROCESS_WAIT_SECONDS)
    commands = [item for item in items(thread) if isinstance(item, CommandExecutionThreadItem)]
    assert [command.aggregated_output for command in commands] == ["looked\n"]


async def test_plain_words_are_an_answer_too(thread: Conversation, model: ScriptedModel) -> None:
    model.script(says("Looks fine to me."))
    await begin(thread)
    await thread.ended()
    assert items(thread)[-1].text == "Looks fine to me."


async def test_a_rebuilt_thread_shows_its_review_as_one_turn(
    thread: Conversation,
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    through_json: bool,
) -> None:
    model.script(says(ANSWER))
    await begin(thread)
    await thread.ended()
    params = ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
    live = (await thread.call(THREAD_READ, params)).thread.turns
    async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as second:
        connect = Connector(second, through_json)
        stored = (await (await connect()).request(THREAD_READ, params)).thread.turns
        await connect.leave()
    assert stored == live
    (turn,) = stored
    assert [type(item) for item in turn.items] == [
        EnteredReviewModeThreadItem,
        UserMessageThreadItem,
        ExitedReviewModeThreadItem,
        AgentMessageThreadItem,
    ]
    assert turn.items[2].review == IN_WORDS


@pytest.mark.parametrize(
    ("target", "name", "asks"),
    [
        (
            CommitReviewTarget(sha="abcdef1234567", title="T"),
            "commit abcdef1: T",
            "git show abcdef",
        ),
        (CommitReviewTarget(sha="abcdef1234567"), "commit abcdef1", "git show abcdef1234567"),
        (CustomReviewTarget(instructions=" look at a "), "look at a", "look at a"),
        (BaseBranchReviewTarget(branch="gone"), "changes against 'gone'", "merge base of HEAD"),
        (BaseBranchReviewTarget(branch="--help"), "changes against '--help'", "merge base of HEAD"),
    ],
)
async def test_every_target_has_a_name_and_a_question(
    thread: Conversation, model: ScriptedModel, target: Any, name: str, asks: str
) -> None:
    model.script(says("ok"))
    started = await begin(thread, target)
    await thread.ended()
    assert started.turn.items[0].content[0].text == name
    entered, question, *_ = items(thread)
    assert entered.review == name
    assert asks in question.content[0].text


async def test_a_branch_is_compared_from_where_both_part(
    connect: Connector, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    def run(*words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *words],
            cwd=workspace,
            env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    run("init", "-q", "-b", "main")
    run("commit", "-q", "--allow-empty", "-m", "one")
    base = run("rev-parse", "HEAD")
    run("checkout", "-q", "-b", "topic")
    run("commit", "-q", "--allow-empty", "-m", "two")
    provider_toml(model, home=codex_home)
    model.script(says("ok"))
    thread = await Conversation.begin(await connect(), cwd=str(workspace))
    await begin(thread, BaseBranchReviewTarget(branch="main"))
    await thread.ended()
    assert f"git diff {base}" in items(thread)[1].content[0].text


@pytest.mark.parametrize(
    ("target", "field"),
    [
        (CommitReviewTarget(sha="  "), "sha"),
        (BaseBranchReviewTarget(branch=""), "branch"),
        (CustomReviewTarget(instructions="\n"), "instructions"),
    ],
)
async def test_a_review_of_nothing_is_refused(
    thread: Conversation, target: Any, field: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field} must not be empty$"):
        await begin(thread, target)


async def test_a_detached_review_works_on_a_copy_that_is_announced_first(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(says("hello"), says(ANSWER))
    await thread.say("hi")
    await thread.ended()
    started = await begin(thread, delivery="detached")
    assert started.review_thread_id != thread.thread_id
    announced = await thread.until(
        THREAD_STARTED, lambda params: params.thread.id == started.review_thread_id
    )
    assert announced.thread.id == started.review_thread_id
    turn = await thread.ended()
    assert turn.id == started.turn.id
    began = thread.params_of(TURN_STARTED)[-1]
    assert began.thread_id == started.review_thread_id
    params = ThreadReadParams(thread_id=thread.thread_id, include_turns=True)
    assert len((await thread.call(THREAD_READ, params)).thread.turns) == 1


async def test_an_interrupted_review_leaves_review_mode(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(hangs("never whole"))
    started = await begin(thread)
    await requests_seen(model, 1)
    await thread.interrupt(started.turn.id)
    assert (await thread.ended()).status == "interrupted"
    assert items(thread)[-1] == ExitedReviewModeThreadItem(
        id=started.turn.id, review="The reviewer ended without an answer."
    )


async def test_a_review_that_fails_leaves_review_mode_and_the_thread_usable(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(fails_with(400, {"error": {"message": "no"}}), says("fine"))
    await begin(thread)
    assert (await thread.ended()).status == "failed"
    assert isinstance(items(thread)[-1], ExitedReviewModeThreadItem)
    await thread.say("go on")
    assert (await thread.ended()).status == "completed"


async def test_a_review_takes_no_steering_and_waits_for_no_other_turn(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(hangs())
    started = await begin(thread)
    await requests_seen(model, 1)
    steer = TurnSteerParams(
        thread_id=thread.thread_id,
        expected_turn_id=started.turn.id,
        input=[TextUserInput(text="faster")],
    )
    with pytest.raises(InvalidRequest, match="cannot steer a review turn"):
        await thread.call(TURN_STEER, steer)
    with pytest.raises(InvalidRequest, match="Cannot start a review while a turn is in progress"):
        await begin(thread)
