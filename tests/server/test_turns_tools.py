"""Tools beside commands and patches: those the client runs itself, and policies of many parts."""

from pathlib import Path
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL,
    ITEM_TOOL_CALL,
    DynamicToolCallResponse,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.item import (
    ITEM_COMPLETED,
    DynamicToolCallThreadItem,
    InputTextDynamicToolCallOutputContentItem,
)
from app_server.protocol.permissions import GranularApprovals, GranularAskForApproval
from app_server.protocol.thread import THREAD_RESUME, DynamicToolSpec, ThreadResumeParams
from app_server.server.server import Server
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import (
    calls_tool,
    provider_toml,
    requests_seen,
    runs_command,
    says,
)

LOOKUP = DynamicToolSpec(
    name="lookup_ticket",
    description="Fetch a ticket",
    input_schema={"type": "object", "properties": {"id": {"type": "string"}}},
)


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Client:
    provider_toml(model, home=codex_home)
    return await connect()


async def test_a_tool_of_the_client_is_run_by_the_client(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    model.script(
        calls_tool("lookup_ticket", {"id": "T-1"}),
        calls_tool("lookup_ticket", {"id": "T-2"}),
        says("Looked up."),
    )
    thread = await Conversation.begin(client, cwd=str(workspace), dynamic_tools=[LOOKUP])
    await thread.say("Look.")
    first = await thread.until(ITEM_TOOL_CALL)
    assert (first.params.tool, first.params.arguments) == ("lookup_ticket", {"id": "T-1"})
    text = InputTextDynamicToolCallOutputContentItem(text="open")
    await client.answer(first.id, DynamicToolCallResponse(content_items=[text], success=True))
    second = await thread.until(ITEM_TOOL_CALL)
    await client.refuse(second.id, RpcError(-32000, "no"))
    assert (await thread.ended()).status == "completed"
    calls = [
        params.item
        for params in thread.params_of(ITEM_COMPLETED)
        if isinstance(params.item, DynamicToolCallThreadItem)
    ]
    assert [(call.status, call.success) for call in calls] == [
        ("completed", True),
        ("failed", False),
    ]
    *_, last = await requests_seen(model, 3)
    outputs = [i["output"] for i in last.body["input"] if i["type"] == "function_call_output"]
    assert outputs == ["open", "dynamic tool request failed"]
    assert "lookup_ticket" in [tool.get("name") for tool in last.body["tools"]]


@pytest.mark.parametrize(
    ("tools", "complaint"),
    [
        ([{"name": " "}], "dynamic tool name must not be empty"),
        ([{"name": " a"}], "dynamic tool name has leading/trailing whitespace:  a"),
        ([{"name": "mcp__a"}], "dynamic tool name is reserved: mcp__a"),
        ([{"name": "a"}, {"name": "a"}], "duplicate dynamic tool name: a"),
        (
            [{"name": "a", "namespace": "n"}, {"name": "a", "namespace": "n"}],
            "duplicate dynamic tool name in namespace n: a",
        ),
        ([{"name": "a", "namespace": ""}], "dynamic tool namespace must not be empty for a"),
        ([{"name": "a", "namespace": "mcp"}], "dynamic tool namespace is reserved for a: mcp"),
        (
            [{"name": "a", "defer_loading": True}],
            "deferred dynamic tool must include a namespace: a",
        ),
        (
            [{"name": "a", "input_schema": {"items": {"description": 5}}}],
            "dynamic tool input schema is not supported for a: invalid type: integer `5`, "
            "expected a string at `items.description`",
        ),
        (
            [{"name": "a", "input_schema": {"type": "null"}}],
            "dynamic tool input schema is not supported for a: "
            "tool input schema must not be a singleton null type",
        ),
    ],
)
async def test_a_tool_that_cannot_be_offered_is_refused_at_the_start(
    client: Client, workspace: Path, tools: list[dict[str, Any]], complaint: str
) -> None:
    usual = {"description": "", "input_schema": {"type": "object"}}
    specs = [DynamicToolSpec(**{**usual, **tool}) for tool in tools]
    with pytest.raises(RpcError) as refusal:
        await Conversation.begin(client, cwd=str(workspace), dynamic_tools=specs)
    assert (refusal.value.code, refusal.value.message) == (-32600, complaint)


async def test_tools_of_one_name_may_live_in_different_namespaces(
    client: Client, workspace: Path
) -> None:
    specs = [
        DynamicToolSpec(name="a", description="", input_schema=schema, namespace=namespace)
        for namespace, schema in ((None, True), ("n", {}), ("m", {"type": ["string", "null"]}))
    ]
    await Conversation.begin(client, cwd=str(workspace), dynamic_tools=specs)


async def test_a_resumed_thread_still_offers_the_clients_tools(
    client: Client, server: Server, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace), dynamic_tools=[LOOKUP])
    await thread.say("Hi.")
    await thread.ended()
    await server.threads.unload(thread.thread_id)
    await client.request(THREAD_RESUME, ThreadResumeParams(thread_id=thread.thread_id))
    await thread.say("Again.")
    await thread.ended()
    *_, last = await requests_seen(model, 2)
    assert "lookup_ticket" in [tool.get("name") for tool in last.body["tools"]]


@pytest.mark.parametrize("asks", [True, False])
async def test_a_policy_of_parts_asks_about_leaving_the_sandbox_only_if_it_says_so(
    client: Client, workspace: Path, model: ScriptedModel, asks: bool
) -> None:
    model.script(
        runs_command("rm -rf made.txt", justification="May I?"),
        says("Done."),
    )
    policy = GranularAskForApproval(
        granular=GranularApprovals(mcp_elicitations=True, rules=True, sandbox_approval=asks)
    )
    thread = await Conversation.begin(client, cwd=str(workspace), sandbox="danger-full-access")
    await thread.say("Go.", approval_policy=policy)
    if asks:
        question: Any = await thread.until(
            ITEM_COMMAND_EXECUTION_REQUEST_APPROVAL, within_seconds=PROCESS_WAIT_SECONDS
        )
        assert question.params.reason == "May I?"
    else:
        assert (await thread.ended(PROCESS_WAIT_SECONDS)).status == "completed"
        _, last = await requests_seen(model, 2)
        assert "approval required by policy" in last.body["input"][-1]["output"]
