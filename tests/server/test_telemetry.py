"""Telemetry: nothing unless it was asked for, then events, turns and figures, without secrets."""

import subprocess
import sys
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    CommandExecutionRequestApprovalResponse,
)
from app_server.server import server as server_module
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from app_server.telemetry import otel
from app_server.telemetry.otel import OtelInvalid, read_settings
from tests.server.connector import Connector
from tests.support.collector import Collector, collector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import provider_toml, runs_command, says

__all__ = ["collector"]


def settings(collector: Collector, more: str = "") -> str:
    def exporter(kind: str) -> str:
        headers = '{ "x-key" = "k" }'
        return (
            f'{{ otlp-http = {{ endpoint = "{collector.url}/{kind}", protocol = "binary", '
            f"headers = {headers} }} }}"
        )

    return (
        f'[otel]\nenvironment = "test"\n{more}\nexporter = {exporter("logs")}\n'
        f"trace_exporter = {exporter('traces')}\nmetrics_exporter = {exporter('metrics')}\n"
    )


async def one_conversation(home: Path, workspace: Path, through_json: bool) -> None:
    async with Server(ServerOptions(codex_home=home, cwd=workspace)) as server:
        connect = Connector(server, through_json)
        thread = await Conversation.begin(
            await connect(), approval_policy="untrusted", sandbox="danger-full-access"
        )
        await thread.say("a private word")
        asked = await thread.until(ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL)
        assert asked is not None
        question = thread.heard[-1]
        answer = CommandExecutionRequestApprovalResponse(decision="accept")
        await thread.client.answer(question.id, answer)
        await thread.ended(PROCESS_WAIT_SECONDS)
        await connect.leave()


@pytest.mark.parametrize("with_prompts", [False, True])
async def test_a_turn_leaves_events_a_span_and_figures(
    collector: Collector,
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    through_json: bool,
    with_prompts: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # what is left is sent at the end: a busy machine may take its time over it
    monkeypatch.setattr(server_module, "REST_CLOSE_SECONDS", PROCESS_WAIT_SECONDS)
    monkeypatch.setattr(otel, "CLOSE_SECONDS", PROCESS_WAIT_SECONDS)
    more = "log_user_prompt = true" if with_prompts else ""
    toml = provider_toml(model, home=codex_home) + settings(collector, more)
    (codex_home / "config.toml").write_text(toml)
    model.script(runs_command("touch seen", call_id="c1"), says("done"))
    await one_conversation(codex_home, workspace, through_json)

    events = collector.events()
    names = [name for name, _ in events]
    assert names[0] == "codex.conversation_starts"
    assert names[-1] == "codex.turn"
    told = dict(events)
    assert told["codex.user_prompt"]["prompt_length"] == len("a private word")
    assert told["codex.tool_decision"]["decision"] == "accept"
    assert told["codex.tool_result"]["call_id"] == "c1"
    assert told["codex.tool_result"]["success"] is True
    assert names.count("codex.sse_event") == 2
    assert [(name, span["status"]) for name, span in collector.spans()] == [
        ("codex.turn", "completed")
    ]
    assert {"codex.turn", "codex.turn.duration_ms", "codex.user_prompt.prompt_length"} <= (
        collector.metrics()
    )
    assert {headers["x-key"] for headers in collector.headers} == {"k"}
    everything = b"".join(body for bodies in collector.bodies.values() for body in bodies)
    assert (b"a private word" in everything) == with_prompts
    assert b"touch seen" not in everything


async def test_nothing_is_sent_unless_it_was_asked_for(
    collector: Collector,
    model: ScriptedModel,
    codex_home: Path,
    workspace: Path,
    through_json: bool,
) -> None:
    toml = provider_toml(model, home=codex_home) + '[otel]\nexporter = "none"\n'
    (codex_home / "config.toml").write_text(toml)
    model.script(runs_command("touch seen"), says("done"))
    await one_conversation(codex_home, workspace, through_json)
    assert collector.headers == []


async def test_a_collector_that_is_not_there_holds_nobody_up(
    model: ScriptedModel, codex_home: Path, workspace: Path, through_json: bool
) -> None:
    gone = Collector()
    gone.close()
    toml = provider_toml(model, home=codex_home) + settings(gone)
    (codex_home / "config.toml").write_text(toml)
    model.script(runs_command("touch seen"), says("done"))
    await one_conversation(codex_home, workspace, through_json)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"exporter": "otlp-http"}, "exporter: only `otlp-http` is supported, as a table"),
        ({"trace_exporter": {"otlp-grpc": {"endpoint": "http://x"}}}, "trace_exporter: only"),
        (
            {"metrics_exporter": {"otlp-http": {"endpoint": "x", "protocol": "binary"}}},
            "metrics_exporter: endpoint `x` is no http",
        ),
        (
            {"exporter": {"otlp-http": {"endpoint": "http://x", "protocol": "json"}}},
            "exporter: the protocol `json` is not supported; use `binary`",
        ),
    ],
)
def test_a_table_that_cannot_be_followed_says_where(table: dict[str, object], message: str) -> None:
    with pytest.raises(OtelInvalid, match=message):
        read_settings(table)


def test_a_server_with_such_a_table_ends_with_the_reason(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('[otel]\nexporter = "otlp-grpc"\n')
    done = subprocess.run(
        [sys.executable, "-m", "app_server.cli.main", "app-server"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROCESS_WAIT_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error loading otel config: exporter: only `otlp-http`")
