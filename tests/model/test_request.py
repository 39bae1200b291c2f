"""What is sent: the body's keys in order, and the headers."""

import json
from typing import Any

import msgspec

from app_server.model.request import (
    ModelRequest,
    Reasoning,
    TurnIdentity,
    TurnState,
    encode_body,
    identity_headers,
)
from app_server.protocol.response_item import (
    InputTextContentItem,
    MessageResponseItem,
    OtherResponseItem,
    ReasoningResponseItem,
)

REQUEST = ModelRequest(
    model="gpt-5.5",
    instructions="Be brief.",
    input=[MessageResponseItem(role="user", content=[InputTextContentItem(text="Hi")])],
    tools=[{"type": "web_search"}],
    parallel_tool_calls=True,
    reasoning=Reasoning(effort="medium", summary="none"),
    verbosity="low",
    prompt_cache_key="thread",
)

IDENTITY = TurnIdentity(
    thread_id="thread",
    turn_id="turn",
    window_id="thread:0",
    originator="codex_cli_rs",
    user_agent="codex/1",
    sandbox="none",
    turn_started_at_ms=17,
)


def body(**changes: Any) -> dict[str, Any]:
    request = msgspec.structs.replace(REQUEST, **changes)
    sent: dict[str, Any] = json.loads(encode_body(request, "installation"))
    return sent


def test_the_body_of_an_ordinary_request() -> None:
    sent = body()
    assert sent == {
        "model": "gpt-5.5",
        "instructions": "Be brief.",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
        ],
        "tools": [{"type": "web_search"}],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "thread",
        "text": {"verbosity": "low"},
        "client_metadata": {"x-codex-installation-id": "installation"},
    }


def test_keys_come_in_the_order_services_cache_by() -> None:
    assert list(body(service_tier="fast")) == [
        "model",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "store",
        "stream",
        "include",
        "service_tier",
        "prompt_cache_key",
        "text",
        "client_metadata",
    ]


def test_a_model_without_reasoning_and_verbosity_is_not_asked_for_them() -> None:
    sent = body(reasoning=None, verbosity=None)
    assert sent["reasoning"] is None
    assert sent["include"] == []
    assert "text" not in sent


def test_a_summary_is_asked_for_by_name() -> None:
    assert body(reasoning=Reasoning("high", "auto"))["reasoning"] == {
        "effort": "high",
        "summary": "auto",
    }


def test_service_tiers_have_other_names_on_the_wire() -> None:
    assert body(service_tier="fast")["service_tier"] == "priority"
    assert body(service_tier="flex")["service_tier"] == "flex"


def test_an_output_schema_is_strict_and_named() -> None:
    schema = {"type": "object", "properties": {"b": {}, "a": {}}}
    sent = body(output_schema=schema)
    assert sent["text"] == {
        "verbosity": "low",
        "format": {
            "type": "json_schema",
            "strict": True,
            "schema": schema,
            "name": "codex_output_schema",
        },
    }
    assert list(sent["text"]["format"]["schema"]["properties"]) == ["b", "a"]


def test_items_go_out_as_they_came_in() -> None:
    items = [
        ReasoningResponseItem(summary=[], encrypted_content="blob"),
        OtherResponseItem({"type": "new_kind", "x": [1]}),
    ]
    assert body(input=items)["input"] == [
        {"type": "reasoning", "summary": [], "encrypted_content": "blob"},
        {"type": "new_kind", "x": [1]},
    ]


def test_text_that_is_not_quite_unicode_is_sent_all_the_same() -> None:
    path = b"/caf\xe9".decode("utf-8", "surrogateescape")
    items = [MessageResponseItem(role="user", content=[InputTextContentItem(text=path)])]
    sent = body(input=items)
    assert sent["input"][0]["content"][0]["text"] == "/caf?"
    assert sent["model"] == "gpt-5.5"


def test_headers_say_who_asks() -> None:
    assert identity_headers(IDENTITY) == {
        "x-codex-turn-metadata": (
            '{"session_id":"thread","thread_source":"user","turn_id":"turn","sandbox":"none",'
            '"turn_started_at_unix_ms":17}'
        ),
        "x-codex-window-id": "thread:0",
        "x-client-request-id": "thread",
        "session_id": "thread",
        "accept": "text/event-stream",
        "content-type": "application/json",
        "originator": "codex_cli_rs",
        "user-agent": "codex/1",
    }


def test_headers_for_agents_features_and_the_state_of_a_turn() -> None:
    state = TurnState()
    state.value = "sticky"
    headers = identity_headers(
        msgspec.structs.replace(
            IDENTITY,
            turn_state=state,
            subagent="review",
            parent_thread_id="parent",
            beta_features=("a", "b"),
            workspaces={"/repo": {"has_changes": True}},
        )
    )
    assert headers["x-codex-turn-state"] == "sticky"
    assert headers["x-openai-subagent"] == "review"
    assert headers["x-codex-parent-thread-id"] == "parent"
    assert headers["x-codex-beta-features"] == "a,b"
    metadata = json.loads(headers["x-codex-turn-metadata"])
    assert metadata["workspaces"] == {"/repo": {"has_changes": True}}


def test_names_no_header_can_carry_are_made_sendable() -> None:
    headers = identity_headers(
        msgspec.structs.replace(IDENTITY, originator="Büro\r\nx: y", user_agent="ключ")
    )
    assert headers["originator"] == "B_ro__x: y"
    assert headers["user-agent"] == "____"
