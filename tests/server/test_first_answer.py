"""A handshake that waits at the start is answered before the event loop is loaded, and once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app_server.protocol.initialize import InitializeParams
from app_server.rpc.codec import server_codec
from app_server.rpc.frames import RequestFrame
from app_server.server.first_answer import Begun, answer_at_once
from tests.cli.test_imports import loaded_by
from tests.server.test_any_input import LONG

BOUND_SECONDS = 30
INFO = {"name": "test", "version": "1"}


def hello(call_id: Any = 1, **params: Any) -> dict[str, Any]:
    return {"id": call_id, "method": "initialize", "params": {"clientInfo": INFO, **params}}


def begun(text: bytes, home: Path) -> tuple[Begun, bytes]:
    """What becomes of these bytes on stdin, and what is written."""
    theirs, ours = os.pipe()
    answers, writable = os.pipe()
    with open(ours, "wb") as file:
        file.write(text)
    made = answer_at_once(theirs, writable, home)
    os.close(writable)
    with open(answers, "rb") as out:
        written = out.read()
    os.close(theirs)
    return made, written


@pytest.mark.parametrize(
    "call",
    [
        hello(),
        hello("a uuid", capabilities=None),
        hello(0, capabilities={"experimentalApi": True, "requestAttestation": False}),
        hello(2, capabilities={"optOutNotificationMethods": ["a/b"]}),
        {**hello(3), "jsonrpc": "2.0"},
        {"id": 4, "method": "initialize", "params": {"clientInfo": {**INFO, "title": "T\u00fc"}}},
    ],
)
def test_a_handshake_that_waits_is_answered(call: dict[str, Any], tmp_path: Path) -> None:
    line = json.dumps(call).encode() + b"\n"
    made, written = begun(line + b'{"id":9', tmp_path)
    assert made == Begun(line + b'{"id":9', call["id"])
    answer = json.loads(written)
    assert answer["id"] == call["id"]
    assert answer["result"]["userAgent"].startswith("test/")
    assert answer["result"]["codexHome"] == str(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        json.dumps(hello()).encode(),  # not whole yet
        b"junk\n",
        b"\n" + json.dumps(hello()).encode() + b"\n",
        b"[" * 50_000 + b"\n",
        b"\xff\n",
        json.dumps({"id": 1, "method": "model/list", "params": {}}).encode() + b"\n",
        json.dumps(hello()).replace('"name": ', '"name": 5, "name": ').encode() + b"\n",
        *(
            json.dumps(call).encode() + b"\n"
            for call in (
                hello(True),
                hello(None),
                hello(1.5),
                hello(2**63),
                hello("x" * 10_000),
                hello(float("nan")),
                {"id": 1, "method": "initialize"},
                {"id": 1, "method": "initialize", "params": []},
                {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "a"}}},
                {**hello(), "error": {}},
                hello(clientInfo={"name": "a\nb", "version": "1"}),
                hello(clientInfo={"name": "a\ud800", "version": "1"}),
                hello(clientInfo={"name": "a", "version": 1}),
                hello(clientInfo={**INFO, "title": 5}),
                hello(capabilities=[]),
                hello(capabilities={"experimentalApi": 1}),
                hello(capabilities={"optOutNotificationMethods": [1]}),
                hello(capabilities={"extensions": {"deep": [[]]}}),
            )
        ),
    ],
    ids=lambda line: line[:60].decode("ascii", "replace"),
)
def test_anything_else_is_left_to_the_server(line: bytes, tmp_path: Path) -> None:
    assert begun(line, tmp_path) == (Begun(line, None), b"")


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


def objects(**usual: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these members, each usually as it should be, and perhaps others."""
    likely = {name: st.just(value) | values for name, value in usual.items()}
    others = st.dictionaries(st.text(max_size=5), values, max_size=1)
    members = st.fixed_dictionaries({}, optional=likely)
    return st.builds(lambda some, more: {**more, **some}, members, others)


@pytest.mark.soak
@settings(
    max_examples=5_000 if LONG else 100,
    derandomize=not LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    call_id=values | st.integers(0, 5),
    info=objects(name="n", version="1", title="t"),
    capabilities=st.none() | objects(experimentalApi=True, optOutNotificationMethods=["a"]),
    others=st.dictionaries(st.text(max_size=5), values, max_size=1),
)
def test_what_is_answered_at_once_is_what_the_server_takes_for_a_handshake(
    tmp_path_factory: pytest.TempPathFactory,
    call_id: Any,
    info: Any,
    capabilities: Any,
    others: dict[str, Any],
) -> None:
    params = {"clientInfo": info, "capabilities": capabilities}
    line = json.dumps({"id": call_id, "method": "initialize", "params": params, **others}).encode()
    made, written = begun(line + b"\n", tmp_path_factory.getbasetemp())
    if made.answered is None:
        return
    frame = server_codec().decode(line)
    assert isinstance(frame, RequestFrame)
    assert frame.id == made.answered == json.loads(written)["id"]
    assert isinstance(frame.params, InitializeParams)
    assert frame.params.client_info.name == info["name"]


def test_it_needs_neither_the_event_loop_nor_msgspec(codex_home: Path) -> None:
    loaded = loaded_by("import app_server.cli.headless, app_server.server.first_answer", codex_home)
    assert loaded.isdisjoint({"asyncio", "msgspec", "logging", "socket"})


def test_a_program_that_finds_its_handshake_waiting_goes_on_as_if_it_had_read_it(
    codex_home: Path,
) -> None:
    calls = [hello("first"), {"id": "second", "method": "thread/loaded/list", "params": {}}]
    again = {**hello("third"), "method": "initialize"}
    text = "".join(json.dumps(call) + "\n" for call in [*calls, again])
    done = subprocess.run(
        [sys.executable, "-m", "app_server.cli.main", "app-server"],
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        input=text.encode(),
        capture_output=True,
        check=True,
        timeout=BOUND_SECONDS,
    )
    heard = [json.loads(line) for line in done.stdout.splitlines()]
    assert heard[0]["id"] == "first"
    assert sorted(m["id"] for m in heard if "id" in m) == ["first", "second", "third"]
    by_id = {message["id"]: message for message in heard if "id" in message}
    assert by_id["first"]["result"]["codexHome"] == str(codex_home)
    assert by_id["second"]["result"] == {"data": [], "nextCursor": None}
    assert by_id["third"]["error"]["message"] == "Already initialized"
