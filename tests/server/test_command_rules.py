"""Rules about commands at work: from files and from answers, in a thread that runs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    AcceptWithExecpolicyAmendment,
    AmendingCommandExecutionApprovalDecision,
    CommandExecutionRequestApprovalResponse,
)
from app_server.protocol.notices import CONFIG_WARNING, WARNING
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml, requests_seen, runs_command, says

REQUEST = ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Any:
    provider_toml(model, home=codex_home)
    return await connect()


@pytest.fixture
async def connect_to_new_server(codex_home: Path, workspace: Path) -> AsyncIterator[Connector]:
    """The next session: a server that knows only what lies in the home."""
    async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as running:
        connector = Connector(running, through_json=False)
        yield connector
        await connector.leave()


def write_rules(home: Path, text: str) -> Path:
    (home / "rules").mkdir(exist_ok=True)
    path = home / "rules" / "own.rules"
    path.write_text(text)
    return path


async def thread_in(
    client: Any,
    workspace: Path,
    approvals: Any = "untrusted",
    sandbox: Any = "danger-full-access",
) -> Conversation:
    return await Conversation.begin(
        client, cwd=str(workspace), approval_policy=approvals, sandbox=sandbox
    )


def amended(prefix: list[str]) -> AmendingCommandExecutionApprovalDecision:
    return AmendingCommandExecutionApprovalDecision(
        accept_with_execpolicy_amendment=AcceptWithExecpolicyAmendment(execpolicy_amendment=prefix)
    )


async def ended(thread: Conversation) -> str:
    return (await thread.ended(PROCESS_WAIT_SECONDS)).status


async def answer(thread: Conversation, decision: Any) -> Any:
    question = await thread.until(REQUEST, within_seconds=PROCESS_WAIT_SECONDS)
    response = CommandExecutionRequestApprovalResponse(decision=decision)
    await thread.client.answer(question.id, response)
    return question.params


async def last_output(model: ScriptedModel, requests: int) -> str:
    seen = await requests_seen(model, requests)
    output: str = seen[-1].body["input"][-1]["output"]
    return output


async def test_what_a_rule_allows_runs_unasked(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    write_rules(codex_home, 'prefix_rule(pattern=["touch"])\n')
    model.script(runs_command("touch a && touch b"), says("Done."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert thread.params_of(REQUEST) == []
    assert (workspace / "b").exists()


async def test_what_a_rule_forbids_is_not_run_and_the_model_learns_why(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    rule = 'prefix_rule(pattern=["touch"], decision="forbidden", justification="hands off")\n'
    write_rules(codex_home, rule)
    model.script(runs_command("ls && touch a"), says("No."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert "/bin/bash -lc 'ls && touch a'` rejected: hands off" in await last_output(model, 2)
    assert not (workspace / "a").exists()


async def test_a_rule_that_prompts_says_why_and_offers_no_other_rule(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    rule = 'prefix_rule(pattern=["ls"], decision="prompt", justification="slow disk")\n'
    write_rules(codex_home, rule)
    model.script(runs_command("ls"), says("Done."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    asked = await answer(thread, "accept")
    assert await ended(thread) == "completed"
    assert asked.reason == "`/bin/bash -lc ls` requires approval: slow disk"
    assert asked.proposed_execpolicy_amendment is None
    assert asked.available_decisions == ["accept", "cancel"]


async def test_a_rule_that_prompts_refuses_where_nobody_is_asked(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    write_rules(codex_home, 'prefix_rule(pattern=["ls"], decision="prompt")\n')
    model.script(runs_command("ls"), says("No."))
    thread = await thread_in(client, workspace, "never")
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert "but AskForApproval is set to Never" in await last_output(model, 2)


async def test_an_amended_yes_holds_for_later_commands_of_the_thread(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    model.script(runs_command("touch a"), runs_command("touch b"), says("Done."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    await answer(thread, amended(["touch"]))
    assert await ended(thread) == "completed"
    assert (workspace / "b").exists()
    assert len(thread.params_of(REQUEST)) == 1


async def test_an_amended_yes_that_cannot_be_written_holds_and_says_so(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    (codex_home / "rules").write_text("not a folder")
    model.script(runs_command("touch a"), runs_command("touch b"), says("Done."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    await answer(thread, amended(["touch"]))
    assert await ended(thread) == "completed"
    assert (workspace / "b").exists()
    (warning,) = thread.params_of(WARNING)
    assert warning.message.startswith("The rule holds for this thread only")


async def test_the_rule_of_an_amended_yes_is_honoured_by_the_next_session(
    client: Any,
    codex_home: Path,
    workspace: Path,
    model: ScriptedModel,
    connect_to_new_server: Connector,
) -> None:
    model.script(
        runs_command(
            "touch a",
            sandbox_permissions="require_escalated",
            justification="May I?",
            prefix_rule=["touch"],
        ),
        says("Done."),
        runs_command("touch b"),
        says("Done again."),
    )
    thread = await thread_in(client, workspace, "on-request", "read-only")
    await thread.say("Go.")
    asked = await answer(thread, amended(["touch"]))
    assert await ended(thread) == "completed"
    assert asked.proposed_execpolicy_amendment == ["touch"]
    assert (codex_home / "rules/default.rules").read_text() == (
        'prefix_rule(pattern=["touch"], decision="allow")\n'
    )
    later = await thread_in(await connect_to_new_server(), workspace, "untrusted", "read-only")
    await later.say("Go on.")
    assert await ended(later) == "completed"
    assert later.params_of(REQUEST) == []
    assert (workspace / "b").exists()


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        (["bash"], "it would allow nearly anything to run"),
        (["rm"], "it does not cover the command it was given with"),
    ],
)
async def test_an_edited_prefix_that_must_not_become_a_rule_is_a_yes_to_this_command_only(
    client: Any,
    codex_home: Path,
    workspace: Path,
    model: ScriptedModel,
    prefix: list[str],
    why: str,
) -> None:
    model.script(runs_command("touch a"), runs_command("touch b"), says("Done."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    await answer(thread, amended(prefix))
    await answer(thread, "decline")
    assert await ended(thread) == "completed"
    assert (workspace / "a").exists()
    assert not (codex_home / "rules").exists()
    (warning,) = thread.params_of(WARNING)
    assert warning.message == f"The rule `{prefix[0]}` was not kept: {why}."


async def test_a_rule_against_a_command_holds_in_a_script_only_a_shell_understands(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    write_rules(codex_home, 'prefix_rule(pattern=["touch"], decision="forbidden")\n')
    model.script(runs_command("X=1 touch a > log"), says("No."))
    thread = await thread_in(client, workspace, "never")
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert "rejected: blocked by policy" in await last_output(model, 2)
    assert not (workspace / "a").exists()


async def test_what_an_administrator_forbids_no_rule_of_the_user_allows(
    client: Any,
    codex_home: Path,
    workspace: Path,
    model: ScriptedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "requirements.toml").write_text(
        '[rules]\nprefix_rules = [{pattern = [{token = "touch"}], decision = "forbidden"}]\n'
    )
    monkeypatch.setattr("app_server.config.load.SYSTEM_FOLDER", tmp_path)
    write_rules(codex_home, 'prefix_rule(pattern=["touch"])\n')
    model.script(runs_command("touch a"), says("No."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert "rejected: blocked by policy" in await last_output(model, 2)
    assert not (workspace / "a").exists()


@pytest.mark.parametrize("trust", ["trusted", "untrusted"])
async def test_rules_of_a_project_count_once_it_is_trusted(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel, trust: str
) -> None:
    config = codex_home / "config.toml"
    trusting = f'\n[projects."{workspace}"]\ntrust_level = "{trust}"\n'
    config.write_text(config.read_text() + trusting)
    (workspace / ".codex/rules").mkdir(parents=True)
    (workspace / ".codex/rules/project.rules").write_text('prefix_rule(pattern=["touch"])\n')
    model.script(runs_command("touch a"), says("Done."))
    thread = await thread_in(client, workspace, "untrusted", "read-only")
    await thread.say("Go.")
    if trust == "untrusted":
        await answer(thread, "decline")
    assert await ended(thread) == "completed"
    assert (workspace / "a").exists() == (trust == "trusted")


async def test_a_rule_that_allows_a_command_does_not_count_in_such_a_script(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    write_rules(codex_home, 'prefix_rule(pattern=["touch"])\n')
    model.script(runs_command("touch $HOME/a"), says("Done."))
    thread = await thread_in(client, workspace)
    await thread.say("Go.")
    asked = await answer(thread, "decline")
    assert await ended(thread) == "completed"
    assert asked.proposed_execpolicy_amendment is None


async def test_removing_by_force_is_asked_about_in_any_script(
    client: Any, workspace: Path, model: ScriptedModel
) -> None:
    model.script(runs_command("for d in a; do rm -rf $d; done"), says("Done."))
    thread = await thread_in(client, workspace, "on-request")
    await thread.say("Go.")
    await answer(thread, "decline")
    assert await ended(thread) == "completed"


BROKEN = 'prefix_rule(pattern=["ls"], decision="maybe")\n'


async def test_a_broken_file_of_rules_is_named_with_its_place_and_the_others_hold(
    client: Any, codex_home: Path, workspace: Path, model: ScriptedModel
) -> None:
    write_rules(codex_home, 'prefix_rule(pattern=["touch"])\n')
    path = codex_home / "rules" / "broken.rules"
    path.write_text("\n" + BROKEN)
    model.script(runs_command("touch a"), says("Done."))
    thread = await thread_in(client, workspace)
    warning = await thread.until(CONFIG_WARNING, lambda params: params.path == str(path))
    assert warning.summary == "Error parsing rules; custom rules not applied."
    assert warning.details == "invalid decision: maybe"
    assert msgspec.to_builtins(warning.range) == {
        "start": {"line": 2, "column": 1},
        "end": {"line": 2, "column": 46},
    }
    await thread.say("Go.")
    assert await ended(thread) == "completed"
    assert (workspace / "a").exists()


async def test_every_client_hears_of_a_broken_file_once_when_it_introduces_itself(
    model: ScriptedModel, codex_home: Path, connect: Connector, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    path = write_rules(codex_home, BROKEN)
    model.script(says("Hello."))
    thread = await thread_in(await connect(), workspace)
    await thread.say("Hello.")
    assert await ended(thread) == "completed"
    told = [warning.path for warning in thread.params_of(CONFIG_WARNING)]
    assert told.count(str(path)) == 1


async def test_a_local_provider_is_asked_for_its_own_model_where_nobody_chose_one(
    connect: Connector, codex_home: Path, workspace: Path
) -> None:
    (codex_home / "config.toml").write_text('model_provider = "ollama"\n')
    thread = await Conversation.begin(await connect(), cwd=str(workspace))
    assert thread.started is not None
    assert thread.started.model == "gpt-oss:20b"
