"""The client against a scripted service: answers, what is sent, credentials, silence."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Message, RawBytes, Reply
from app_server.model.errors import MissingKey, Unauthorized
from app_server.model.events import (
    Completed,
    Created,
    ItemAdded,
    ItemDone,
    ModelsEtag,
    RateLimits,
    ReasoningIncluded,
    ServerModel,
    SummaryDelta,
    SummaryPartAdded,
    TextDelta,
    TokenUsage,
    ToolInputDelta,
)
from app_server.model.request import TurnState
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.response_item import (
    CustomToolCallResponseItem,
    MessageResponseItem,
    OutputTextContentItem,
    ReasoningResponseItem,
    SummaryTextReasoningItemReasoningSummary,
)
from tests.model.conftest import IDENTITY, REQUEST, MakeClient, ask
from tests.support.model_server import (
    applies_patch,
    fails_with,
    hangs,
    requests_seen,
    says,
    says_slowly,
    streams,
    thinks,
    waits_at,
)

LIMITS = RateLimits(RateLimitSnapshot(limit_id="codex"))
USAGE = TokenUsage(input_tokens=100, output_tokens=20, total_tokens=120)


async def test_an_answer_arrives_as_typed_events_in_order(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(streams("Hel", "lo", phase="final_answer"))
    assert await ask(make_client()) == [
        LIMITS,
        Created("resp_1"),
        ItemAdded(
            MessageResponseItem(
                role="assistant", content=[], phase="final_answer", id="msg_resp_1_0"
            ),
            0,
            "msg_resp_1_0",
        ),
        TextDelta("Hel", "msg_resp_1_0"),
        TextDelta("lo", "msg_resp_1_0"),
        ItemDone(
            MessageResponseItem(
                role="assistant",
                content=[OutputTextContentItem(text="Hello")],
                phase="final_answer",
                id="msg_resp_1_0",
            ),
            "msg_resp_1_0",
        ),
        Completed("resp_1", USAGE),
    ]


async def test_reasoning_arrives_section_by_section(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(thinks("First thought", "Second"))
    events = await ask(make_client())
    item = "rs_resp_1_0"
    assert events[3:9] == [
        SummaryPartAdded(0, item),
        SummaryDelta(0, "First", item),
        SummaryDelta(0, " thought", item),
        SummaryPartAdded(1, item),
        SummaryDelta(1, "Second", item),
        ItemDone(
            ReasoningResponseItem(
                summary=[
                    SummaryTextReasoningItemReasoningSummary(text="First thought"),
                    SummaryTextReasoningItemReasoningSummary(text="Second"),
                ],
                encrypted_content="enc-blob",
                id=item,
            ),
            item,
        ),
    ]


async def test_a_patch_arrives_piece_by_piece_and_whole(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(applies_patch("abcd", call_id="c", chunk=2))
    events = await ask(make_client())
    assert [event for event in events if isinstance(event, ToolInputDelta)] == [
        ToolInputDelta("ab", "ctc_resp_1_0", "c"),
        ToolInputDelta("cd", "ctc_resp_1_0", "c"),
    ]
    done = next(event for event in events if isinstance(event, ItemDone))
    assert done.item == CustomToolCallResponseItem(
        call_id="c", name="apply_patch", input="abcd", status="completed", id="ctc_resp_1_0"
    )


async def test_events_are_passed_on_while_the_answer_is_still_being_made(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    early, late = says("now"), waits_at("go", says("later"))
    model.script(Reply(items=[*early.items, *late.items]))
    async with make_client().stream(REQUEST, IDENTITY) as events:
        async for event in events:
            if isinstance(event, ItemDone):
                model.release("go")
            last = event
    assert last == Completed("resp_1", USAGE)


async def test_ten_thousand_pieces_all_arrive(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(says_slowly(10_000))
    events = await ask(make_client())
    text = "".join(event.delta for event in events if isinstance(event, TextDelta))
    done = next(event.item for event in events if isinstance(event, ItemDone))
    assert isinstance(done, MessageResponseItem)
    assert done.content == [OutputTextContentItem(text=text)]
    assert len(text) == 80_000


async def test_an_event_of_ten_megabytes_arrives(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(says("x" * 10_000_000))
    events = await ask(make_client())
    assert [len(event.delta) for event in events if isinstance(event, TextDelta)] == [10_000_000]


async def test_garbage_between_events_is_skipped(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    garbage = RawBytes(text="data: {broken\n\n: comment\n\nnonsense\ndata: 17\n\nevent: x\n\n\r\n")
    model.script(Reply(items=[garbage, Message(text="whole"), garbage]))
    events = await ask(make_client())
    assert TextDelta("whole", "msg_resp_1_0") in events
    assert isinstance(events[-1], Completed)


async def test_what_the_headers_say_comes_first(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    headers = {
        "openai-model": "gpt-5.2",
        "x-models-etag": "e1",
        "x-reasoning-included": "true",
        "x-codex-turn-state": "sticky",
    }
    model.script(says("a", headers=headers), says("b", headers={"x-codex-turn-state": "other"}))
    state = TurnState()
    identity = msgspec.structs.replace(IDENTITY, turn_state=state)
    client = make_client()
    events = await ask(client, identity=identity)
    assert events[:4] == [ServerModel("gpt-5.2"), LIMITS, ModelsEtag("e1"), ReasoningIncluded()]
    await ask(client, identity=identity)
    first, second = model.requests
    assert "x-codex-turn-state" not in first.headers
    assert second.headers["x-codex-turn-state"] == "sticky"
    assert state.value == "sticky"


async def test_the_request_carries_identity_credentials_and_the_providers_own_headers(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    client = make_client(
        environment={"MY_KEY": " k1 ", "TWO": "2"},
        env_key="MY_KEY",
        http_headers={"X-One": "1"},
        env_http_headers={"X-Two": "TWO"},
        query_params={"v": "1"},
    )
    await ask(client)
    (request,) = model.requests
    assert (request.method, request.path, request.query) == ("POST", "/v1/responses", "v=1")
    assert request.headers.pop("host") == f"127.0.0.1:{model.port}"
    assert request.headers.pop("content-length") == str(len(request.text))
    assert request.headers.pop("x-codex-turn-metadata")
    assert request.headers.pop("connection") == "keep-alive"
    assert request.headers == {
        "x-one": "1",
        "x-two": "2",
        "x-codex-window-id": "thread:0",
        "x-client-request-id": "thread",
        "session_id": "thread",
        "accept": "text/event-stream",
        "content-type": "application/json",
        "originator": "tests",
        "user-agent": "tests/1",
        "authorization": "Bearer k1",
    }


async def test_a_missing_key_is_named_and_nothing_is_sent(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    client = make_client(env_key="NO_KEY", env_key_instructions="Ask Ada.")
    with pytest.raises(MissingKey) as failure:
        await ask(client)
    assert failure.value.message == "Missing environment variable: `NO_KEY`. Ask Ada."
    assert not failure.value.retryable
    assert model.requests == []


async def test_the_connection_is_used_again(model: ScriptedModel, make_client: MakeClient) -> None:
    client = make_client()
    for _ in range(3):
        await ask(client)
    assert model.connections_opened == 1


async def test_leaving_early_closes_the_connection(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(hangs("half"), says("next"))
    client = make_client()
    async with client.stream(REQUEST, IDENTITY) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert isinstance((await ask(client))[-1], Completed)
    assert model.connections_opened == 2


@pytest.mark.parametrize("reply", [hangs("half"), Reply(no_headers=True)])
async def test_a_silent_service_can_be_interrupted(
    model: ScriptedModel, make_client: MakeClient, reply: Reply
) -> None:
    model.script(reply)
    asking = asyncio.create_task(ask(make_client()))
    await requests_seen(model, 1)
    asking.cancel()
    async with asyncio.timeout(30):
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_login_the_service_refuses_is_not_tried_again(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(default=fails_with(401, {"error": {"message": "wrong key"}}))
    client = make_client(environment={"OPENAI_API_KEY": "wrong"}, requires_openai_auth=True)
    with pytest.raises(Unauthorized) as failure:
        await ask(client)
    assert failure.value.message == (
        f"unexpected status 401 Unauthorized: wrong key, url: {model.url}/responses, "
        "signed in with: the environment variable OPENAI_API_KEY"
    )
    assert (failure.value.info, failure.value.retryable) == ("unauthorized", False)
    assert len(model.requests) == 1


async def test_signed_out_of_openai_nothing_is_sent_there(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    with pytest.raises(Unauthorized, match="You are not signed in to OpenAI"):
        await ask(make_client(requires_openai_auth=True, base_url=None))
    assert model.requests == []


async def test_a_login_renewed_by_another_process_is_picked_up_after_a_401(
    model: ScriptedModel, make_client: MakeClient, codex_home: Path
) -> None:
    client = make_client(requires_openai_auth=True)

    def sign_in(access_token: str) -> None:
        auth: dict[str, Any] = {
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": None,
            "tokens": {
                "id_token": "h.e30.s",
                "access_token": access_token,
                "refresh_token": "r",
                "account_id": "acct",
            },
        }
        (codex_home / "auth.json").write_bytes(msgspec.json.encode(auth))

    sign_in("old")
    model.script(says("warm-up"), fails_with(401), says("welcome back"))
    await ask(client)
    sign_in("new")
    await ask(client)
    assert [request.headers["authorization"] for request in model.requests] == [
        "Bearer old",
        "Bearer old",
        "Bearer new",
    ]
    assert model.requests[0].headers["chatgpt-account-id"] == "acct"
