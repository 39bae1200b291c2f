"""The scripted model as a service: plain answers, streams, gates, captures, records."""

import http.client
import json
from typing import Any

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.demo.script import FunctionCall, Message, RawItem, Reply
from app_server.demo.thread import ModelThread
from tests.support.model_server import says, waits_at


def post(model: ScriptedModel, body: Any = None, path: str = "/v1/responses") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body or {}), {"X-Case": "kept"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_without_a_script_it_says_ok(model: ScriptedModel) -> None:
    status, text = post(model)
    assert status == 200
    assert '"delta":"ok"' in text
    assert text.endswith("\n\n")


def test_requests_are_recorded(model: ScriptedModel) -> None:
    post(model, {"input": ["Grüße"]})
    (request,) = model.wait_for_requests(1)
    assert (request.method, request.path, request.body) == (
        "POST",
        "/v1/responses",
        {"input": ["Grüße"]},
    )
    assert request.headers["x-case"] == "kept"
    assert request.input == ["Grüße"]


def test_waiting_for_requests_that_do_not_come_says_how_many_came(model: ScriptedModel) -> None:
    post(model)
    with pytest.raises(TimeoutError, match="1 requests arrived, waited for 2"):
        model.wait_for_requests(2, timeout_seconds=0.01)


def test_plain_answers_have_their_status_headers_and_body(model: ScriptedModel) -> None:
    model.script(
        Reply(status=429, body={"error": {"message": "slow"}}, headers={"retry-after": "7"}),
        Reply(body="just text"),
        Reply(status=500),
    )
    assert post(model) == (429, '{"error":{"message":"slow"}}')
    assert post(model) == (200, "just text")
    assert post(model) == (500, '{"error":{"message":"scripted error"}}')


def test_the_models_are_listed(model: ScriptedModel) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=60)
    connection.request("GET", "/v1/models")
    listed = json.loads(connection.getresponse().read())
    connection.close()
    assert [entry["id"] for entry in listed["data"]] == ["gpt-5.5"]
    assert model.requests == []


def test_other_paths_are_answered_by_routes_or_not_found(model: ScriptedModel) -> None:
    model.routes["POST", "/oauth/token"] = Reply(body={"access_token": "a"})
    assert post(model, path="/oauth/token") == (200, '{"access_token":"a"}')
    assert post(model, path="/else")[0] == 404


def test_captures_carry_values_from_the_request_into_the_reply(model: ScriptedModel) -> None:
    call = FunctionCall(name="write_stdin", arguments={"session_id": "${ID}", "chars": "${WORD}"})
    item = RawItem(item={"type": "x", "text": "<${WORD}>"})
    model.script(
        Reply(items=[call, item], capture={"ID": r"session (\d+)", "WORD": r"word (\S+?)\""})
    )
    _, text = post(model, {"a": "session 1, session 42", "b": "word it's"})
    arguments = json.dumps({"session_id": 42, "chars": "it's"})
    assert json.dumps(arguments)[1:-1] in text
    assert "<it's>" in text


def test_a_gate_holds_the_stream_until_it_is_released(model: ScriptedModel) -> None:
    model.script(waits_at("go", says("through")))
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=60)
    connection.request("POST", "/v1/responses", "{}")
    answer = connection.getresponse()
    assert b"response.created" in answer.read1()
    model.release("go")
    assert b"through" in answer.read()
    connection.close()


def test_a_director_decides_by_what_it_is_asked() -> None:
    with ModelThread(lambda request: says(f"you sent {request.body['n']}")) as model:
        assert "you sent 1" in post(model, {"n": 1})[1]
        assert "you sent 2" in post(model, {"n": 2})[1]


async def test_it_also_lives_on_the_callers_own_loop() -> None:
    async with ScriptedModel() as model:
        model.script(Reply(items=[Message(text="a")]))
        assert model.url == f"http://127.0.0.1:{model.port}/v1"
        assert model.port > 0
