"""What the model is sent along with the conversation: surroundings, documents, pictures, tools."""

import base64
from pathlib import Path
from typing import Any

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.item import ITEM_COMPLETED, ImageViewThreadItem
from app_server.protocol.notices import WARNING
from app_server.protocol.turn import TURN_START, TurnStartParams
from app_server.protocol.user_input import ImageUserInput, LocalImageUserInput, TextUserInput
from tests.server.conftest import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import calls_tool, provider_toml, requests_seen, says

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


@pytest.fixture
async def client(model: ScriptedModel, codex_home: Path, connect: Connector) -> Client:
    provider_toml(model, home=codex_home)
    return await connect()


async def first_request(model: ScriptedModel) -> dict[str, Any]:
    (request,) = await requests_seen(model, 1)
    body: dict[str, Any] = request.body
    return body


async def test_project_documents_come_before_the_environment(
    client: Client, workspace: Path, codex_home: Path, model: ScriptedModel
) -> None:
    (workspace / "AGENTS.md").write_text("Use tabs.")
    (codex_home / "AGENTS.md").write_text("Be kind.")
    thread = await Conversation.begin(client, cwd=str(workspace), developer_instructions="Hurry.")
    assert thread.started is not None
    assert thread.started.instruction_sources == [
        str(codex_home / "AGENTS.md"),
        str(workspace / "AGENTS.md"),
    ]
    await thread.say("Hi.")
    await thread.ended()
    developer, surroundings, message = (await first_request(model))["input"]
    assert [part["text"].split("\n")[0] for part in developer["content"]] == [
        "<permissions instructions>",
        "Hurry.",
    ]
    docs, environment = [part["text"] for part in surroundings["content"]]
    assert docs == (
        f"# AGENTS.md instructions for {workspace}\n\n<INSTRUCTIONS>\nBe kind.\n\n"
        "--- project-doc ---\n\nUse tabs.\n</INSTRUCTIONS>"
    )
    assert environment.startswith("<environment_context>")
    assert message["content"] == [{"type": "input_text", "text": "Hi."}]


@pytest.mark.parametrize(
    ("key", "left_out"),
    [
        ("include_permissions_instructions", "<permissions instructions>"),
        ("include_environment_context", "<environment_context>"),
    ],
)
async def test_blocks_that_were_switched_off_are_never_told(
    client: Client, workspace: Path, model: ScriptedModel, key: str, left_out: str
) -> None:
    model.script(says("one"), says("two"))
    thread = await Conversation.begin(client, cwd=str(workspace), config={key: False})
    for settings in ({}, {"approval_policy": "never", "cwd": str(workspace.parent)}):
        await thread.say("Hi.", **settings)
        await thread.ended()
    first, second = await requests_seen(model, 2)
    blocks = ["<permissions instructions>", "<environment_context>"]
    told = str(first.body["input"]) + str(second.body["input"])
    assert [block for block in blocks if block not in told] == [left_out]
    roles = [item["role"] for item in first.body["input"] if item["type"] == "message"]
    assert len(roles) == 2


async def test_the_request_is_shaped_by_the_models_traits(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("Hi.", effort="high")
    await thread.ended()
    body = await first_request(model)
    assert body["prompt_cache_key"] == thread.thread_id
    assert body["reasoning"] == {"effort": "high"}
    assert body["parallel_tool_calls"] is True
    assert [tool.get("name", tool["type"]) for tool in body["tools"]] == [
        "exec_command",
        "write_stdin",
        "update_plan",
        "apply_patch",
        "view_image",
        "web_search",
    ]
    functions = [tool for tool in body["tools"] if tool["type"] == "function"]
    assert all(tool["strict"] is False for tool in functions)
    assert all(tool["parameters"]["additionalProperties"] is False for tool in functions)
    assert body["instructions"].startswith("You are Codex")


async def test_a_model_nobody_knows_is_announced_once_and_asked_modestly(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace), model="mystery-1")
    for text in ("One.", "Two."):
        await thread.say(text)
        await thread.ended()
    (warning,) = thread.params_of(WARNING)
    assert "mystery-1" in warning.message
    first, _ = await requests_seen(model, 2)
    assert first.body["reasoning"] is None
    assert first.body["parallel_tool_calls"] is False
    assert "web_search" not in {tool["type"] for tool in first.body["tools"]}


async def test_changing_the_model_gives_the_new_one_its_instructions(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    thread = await Conversation.begin(client, cwd=str(workspace))
    await thread.say("One.")
    await thread.ended()
    await thread.say("Two.", model="gpt-5.4")
    await thread.ended()
    _, second = await requests_seen(model, 2)
    assert second.body["model"] == "gpt-5.4"
    (switch,) = [
        item["content"][0]["text"]
        for item in second.body["input"]
        if item["type"] == "message" and item["role"] == "developer"
    ][1:]
    assert switch.startswith("<model_switch>\n")
    assert second.body["instructions"] in switch


async def test_pictures_are_named_for_the_model_and_failures_become_words(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    (workspace / "dot.png").write_bytes(PNG)
    (workspace / "bad.png").write_text("no picture")
    thread = await Conversation.begin(client, cwd=str(workspace))
    params = TurnStartParams(
        thread_id=thread.thread_id,
        input=[
            TextUserInput(text="Look:"),
            LocalImageUserInput(path=str(workspace / "dot.png")),
            ImageUserInput(url=URL),
            LocalImageUserInput(path=str(workspace / "bad.png")),
            LocalImageUserInput(path=str(workspace / "none.png")),
        ],
    )
    await client.request(TURN_START, params)
    assert (await thread.ended()).status == "completed"
    content = (await first_request(model))["input"][-1]["content"]
    assert [part.get("text", part.get("image_url")) for part in content] == [
        "Look:",
        "<image name=[Image #1]>",
        URL,
        "</image>",
        "<image>",
        URL,
        "</image>",
        f"Codex cannot attach image at `{workspace / 'bad.png'}`: unsupported image `image/png`.",
        f"Codex could not read the local image at `{workspace / 'none.png'}`: "
        "No such file or directory (os error 2)",
    ]
    assert content[2] == {"type": "input_image", "image_url": URL, "detail": "high"}


async def test_the_model_can_look_at_a_picture(
    client: Client, workspace: Path, model: ScriptedModel
) -> None:
    (workspace / "dot.png").write_bytes(PNG)
    model.script(
        calls_tool("view_image", {"path": "dot.png"}, call_id="1"),
        calls_tool("view_image", {"path": "none.png"}, call_id="2"),
        says("Seen."),
    )
    thread = await Conversation.begin(client, cwd=str(workspace), approval_policy="never")
    await thread.say("Look.")
    await thread.ended()
    viewed = [
        params.item
        for params in thread.params_of(ITEM_COMPLETED)
        if isinstance(params.item, ImageViewThreadItem)
    ]
    assert viewed == [ImageViewThreadItem(id="1", path=str(workspace / "dot.png"))]
    *_, last = await requests_seen(model, 3)
    seen, missing = [
        item["output"] for item in last.body["input"] if item["type"] == "function_call_output"
    ]
    assert seen == [{"type": "input_image", "image_url": URL, "detail": "high"}]
    assert missing.startswith(f"unable to locate image at `{workspace / 'none.png'}`: ")
