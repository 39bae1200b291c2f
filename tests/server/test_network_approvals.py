"""Hosts a command wants to reach under a profile that judges them: allowed, denied, asked about."""

from __future__ import annotations

import json
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.exec.sessions import TerminalSessions
from app_server.protocol.approvals import ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL as QUESTION
from app_server.protocol.approvals import (
    AmendingCommandExecutionApprovalDecision,
    ApplyNetworkPolicyAmendment,
    CommandExecutionRequestApprovalResponse,
)
from app_server.protocol.guardian import ITEM_AUTO_APPROVAL_REVIEW_COMPLETED
from app_server.protocol.permissions import (
    NetworkApprovalContext,
    NetworkPolicyAmendment,
    NetworkPolicyRuleAction,
)
from app_server.sandbox import probe
from tests.server.connector import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml, requests_seen, runs_command, says

PROXIED = """
[permissions.net.filesystem]
":root" = "read"
":project_roots" = "write"
[permissions.net.network]
enabled = true
[permissions.net.network.domains]
"denied.example" = "deny"
"""
FETCH = (
    f'{shlex.quote(sys.executable)} -I -S -c "import urllib.request as r;'
    "get = r.build_opener(r.ProxyHandler({'http': 'http://127.0.0.1:3128'})).open\n"
    "try: get('http://%s/')\nexcept r.HTTPError as refused: print('refused', refused.code)\""
)


@pytest.fixture
async def proxied(
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    connect: Connector,
    monkeypatch: pytest.MonkeyPatch,
) -> Conversation:
    if not probe.try_namespaces().works:
        pytest.skip("a proxy needs namespaces of our own")

    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror("a test reaches no names")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    provider_toml(model, home=codex_home)
    file = codex_home / "config.toml"
    file.write_text(f'default_permissions = "net"\n{file.read_text()}{PROXIED}')
    return await Conversation.begin(
        await connect(), cwd=str(workspace), approval_policy="on-request"
    )


def allowed(host: str, action: NetworkPolicyRuleAction) -> AmendingCommandExecutionApprovalDecision:
    amendment = NetworkPolicyAmendment(host=host, action=action)
    return AmendingCommandExecutionApprovalDecision(
        apply_network_policy_amendment=ApplyNetworkPolicyAmendment(
            network_policy_amendment=amendment
        )
    )


async def fetch(thread: Conversation, model: ScriptedModel, host: str, answer: Any = None) -> str:
    """Let the model fetch from a host; what it was told, having answered the question."""
    model.script(runs_command(FETCH % host), says("Done."))
    await thread.say("Fetch.")
    if answer is not None:
        question = await thread.until(QUESTION, within_seconds=PROCESS_WAIT_SECONDS)
        asked = question.params.network_approval_context
        assert asked == NetworkApprovalContext(host=host, protocol="http")
        response = CommandExecutionRequestApprovalResponse(decision=answer)
        await thread.client.answer(question.id, response)
    assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    return str(model.wait_for_requests(1)[-1].input[-1])


async def test_a_host_nobody_named_is_asked_about_and_a_no_is_kept_for_good(
    proxied: Conversation, model: ScriptedModel, codex_home: Path
) -> None:
    said = await fetch(proxied, model, "other.example", "decline")
    assert "refused 403" in said
    said = await fetch(proxied, model, "other.example", allowed("other.example", "deny"))
    assert "refused 403" in said
    rules = (codex_home / "rules" / "default.rules").read_text()
    assert rules == 'network_rule(host="other.example", protocol="http", decision="deny")\n'
    said = await fetch(proxied, model, "other.example")
    assert "refused 403" in said
    assert len(proxied.params_of(QUESTION)) == 2


async def test_a_yes_opens_the_host_that_was_asked_about_and_no_other(
    proxied: Conversation, model: ScriptedModel, codex_home: Path
) -> None:
    """Names under `.invalid` lead nowhere: that the way is open shows in a gateway's error."""
    assert "502" in await fetch(proxied, model, "a.invalid", "accept")
    assert "502" in await fetch(proxied, model, "a.invalid", "acceptForSession")
    assert "502" in await fetch(proxied, model, "a.invalid")
    assert "502" in await fetch(proxied, model, "b.invalid", allowed("evil.invalid", "allow"))
    rules = (codex_home / "rules" / "default.rules").read_text()
    assert rules == 'network_rule(host="b.invalid", protocol="http", decision="allow")\n'
    assert "502" in await fetch(proxied, model, "b.invalid")
    assert "403" in await fetch(proxied, model, "evil.invalid", "decline")


async def test_a_denied_host_is_not_asked_about(
    proxied: Conversation, model: ScriptedModel
) -> None:
    assert "refused 403" in await fetch(proxied, model, "denied.example")
    assert proxied.params_of(QUESTION) == []


async def test_the_automatic_reviewer_is_asked_about_a_host_in_the_persons_place(
    proxied: Conversation, model: ScriptedModel
) -> None:
    assessment = {"outcome": "deny", "risk_level": "high", "user_authorization": "low"}
    refusal = json.dumps({**assessment, "rationale": "Nobody asked for it."})
    model.script(runs_command(FETCH % "other.example"), says(refusal), says("Done."))
    await proxied.say("Fetch.", approvals_reviewer="auto_review")
    assert (await proxied.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    assert "refused 403" in str((await requests_seen(model, 3))[-1].input[-1])
    assert proxied.params_of(QUESTION) == []
    (reviewed,) = proxied.params_of(ITEM_AUTO_APPROVAL_REVIEW_COMPLETED)
    assert (reviewed.action.host, reviewed.review.status) == ("other.example", "denied")


async def test_time_stands_still_for_a_command_while_somebody_is_asked(
    proxied: Conversation, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its window is measured with is stopped, so that it ends after the answer."""
    said: list[str] = []
    for name in ("pause_clock", "resume_clock"):
        real = getattr(TerminalSessions, name)

        def noted(self: TerminalSessions, name: str = name, real: Any = real) -> None:
            said.append(name)
            real(self)

        monkeypatch.setattr(TerminalSessions, name, noted)
    model.script(runs_command(FETCH % "slow.invalid"), says("Done."))
    await proxied.say("Fetch.")
    question = await proxied.until(QUESTION, within_seconds=PROCESS_WAIT_SECONDS)
    assert said == ["pause_clock"]
    response = CommandExecutionRequestApprovalResponse(decision="decline")
    await proxied.client.answer(question.id, response)
    assert (await proxied.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    assert said == ["pause_clock", "resume_clock"]


async def test_a_no_for_good_holds_at_once_for_the_same_command(
    proxied: Conversation, model: ScriptedModel
) -> None:
    line = f"{FETCH % 'other.example'}; {FETCH % 'other.example'}"
    model.script(runs_command(line), says("Done."))
    await proxied.say("Fetch.")
    question = await proxied.until(QUESTION, within_seconds=PROCESS_WAIT_SECONDS)
    decision = allowed("other.example", "deny")
    response = CommandExecutionRequestApprovalResponse(decision=decision)
    await proxied.client.answer(question.id, response)
    assert (await proxied.ended(PROCESS_WAIT_SECONDS)).status == "completed"
    assert str((await requests_seen(model, 2))[-1].input[-1]).count("refused 403") == 2
    assert len(proxied.params_of(QUESTION)) == 1
