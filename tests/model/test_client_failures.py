"""The client against a service that refuses, breaks off or is not there."""

import socket

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.demo.script import Failure, Message, Reply
from app_server.model.errors import (
    ModelError,
    Overloaded,
    RefusedRequest,
    ServerTrouble,
    StreamBroken,
    TooManyRequests,
    UnexpectedStatus,
)
from app_server.model.events import Completed, TextDelta
from tests.model.conftest import IDENTITY, REQUEST, MakeClient, ask
from tests.support.model_server import disconnects, fails_with, hangs, refuses, says, stops_early


async def test_server_errors_are_repeated_with_growing_delays(
    model: ScriptedModel, make_client: MakeClient, delays: list[float]
) -> None:
    model.script(fails_with(500), fails_with(502), fails_with(503), says("at last"))
    events = await ask(make_client(request_max_retries=3))
    assert isinstance(events[-1], Completed)
    assert [round(delay, 1) for delay in delays] == [
        pytest.approx(base, abs=0.11) for base in (0.2, 0.4, 0.8)
    ]
    assert len(model.requests) == 4


REFUSALS: list[tuple[Reply, type[ModelError], int]] = [
    (fails_with(400, "bad"), RefusedRequest, 1),
    (fails_with(401), UnexpectedStatus, 1),
    (fails_with(404), UnexpectedStatus, 1),
    (fails_with(429), TooManyRequests, 1),
    (fails_with(500), ServerTrouble, 3),
    (fails_with(503), UnexpectedStatus, 3),
    (fails_with(503, {"error": {"code": "slow_down"}}), Overloaded, 3),
    (refuses("server_is_overloaded"), Overloaded, 1),
    (refuses("odd"), StreamBroken, 1),
    (stops_early(), StreamBroken, 1),
]


@pytest.mark.parametrize(("reply", "kind", "requests"), REFUSALS)
async def test_a_refusal_raises_its_error_after_so_many_requests(
    model: ScriptedModel,
    make_client: MakeClient,
    reply: Reply,
    kind: type[ModelError],
    requests: int,
) -> None:
    model.script(default=reply)
    with pytest.raises(kind):
        await ask(make_client(request_max_retries=2))
    assert len(model.requests) == requests


async def test_an_unexpected_status_names_the_address(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(fails_with(401, {"error": {"message": "wrong key"}}, retry_after="3"))
    with pytest.raises(UnexpectedStatus) as failure:
        await ask(make_client())
    assert failure.value.message == (
        f"unexpected status 401 Unauthorized: wrong key, url: {model.url}/responses"
    )
    assert failure.value.retry_after_seconds == 3


BROKEN = [
    (disconnects("half"), "Transport error: network error: error decoding response body"),
    (
        Reply(items=[Message(text="a")], no_completed=True),
        "stream closed before response.completed",
    ),
    (hangs("half"), "idle timeout waiting for SSE"),
    (Reply(no_headers=True), "idle timeout waiting for the answer to begin"),
    (stops_early(), "Incomplete response returned, reason: max_output_tokens"),
    (Reply(failed=Failure(code="odd", message="words")), "words"),
    (Reply(body="<html>captive portal</html>"), "stream closed before response.completed"),
]


@pytest.mark.parametrize(("reply", "cause"), BROKEN)
async def test_a_broken_stream_is_retryable_and_says_how_it_broke(
    model: ScriptedModel, make_client: MakeClient, reply: Reply, cause: str
) -> None:
    model.script(default=reply)
    client = make_client(stream_idle_timeout_seconds=0.1, request_max_retries=3)
    with pytest.raises(StreamBroken) as failure:
        await ask(client)
    assert failure.value.message == f"stream disconnected before completion: {cause}"
    assert failure.value.retryable
    assert len(model.requests) == 1


async def test_what_came_before_a_break_was_delivered(
    model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script(disconnects("half ", "an answer"))
    seen: list[str] = []

    async def collect() -> None:
        async with make_client().stream(REQUEST, IDENTITY) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    seen.append(event.delta)

    with pytest.raises(StreamBroken):
        await collect()
    assert seen == ["half ", "an answer"]


async def test_nothing_listening_is_said_at_once(
    make_client: MakeClient, delays: list[float]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(StreamBroken) as failure:
            await ask(make_client(base_url=url, request_max_retries=2))
    assert failure.value.message == (
        "stream disconnected before completion: error sending request for url "
        f"({url}/responses): Connection refused"
    )
    assert len(delays) == 2


@pytest.mark.parametrize("url", ["ftp://host/v1", "nonsense", "http://", ""])
async def test_an_address_that_is_none_ends_the_attempt(make_client: MakeClient, url: str) -> None:
    with pytest.raises(ModelError) as failure:
        await ask(make_client(base_url=url or "x://", request_max_retries=2))
    assert not failure.value.retryable
    assert failure.value.message.startswith("the provider's address cannot be used: ")
