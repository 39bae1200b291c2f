"""Whatever arrives, in whatever order: the server goes on, and owes nobody an answer."""

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app_server.protocol.errors import INVALID_REQUEST
from app_server.rpc.codec import server_codec
from app_server.rpc.stdio import StdioChannel
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.protocol.recorded_schema import ours
from tests.protocol.samples import samples
from tests.protocol.test_wrong_params import PARAMS, TAKEN_AS_IT_COMES
from tests.protocol.wrong_params import Place, places, with_value

LONG = bool(os.environ.get("SOAK"))
BOUND_SECONDS = 30


def as_line(name: str, method: str, params: Any) -> bytes:
    return json.dumps({"id": name, "method": method, "params": params}).encode()


ME = {"name": "test", "version": "1"}
HELLO = as_line(
    "hello", "initialize", {"clientInfo": ME, "capabilities": {"experimentalApi": True}}
)
LAST = as_line("last", "model/list", {})
HARMLESS = ("model/list", "thread/list", "thread/loaded/list", "config/read")
"""What a broken line may turn into without doing anything."""

SAMPLES = [
    (method, params, found)
    for method, schema in PARAMS.items()
    for params in samples(schema, ours())
    if (found := [p for p in places(schema, params, ours()) if p.steps[0] not in TAKEN_AS_IT_COMES])
]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def does_not_belong(place: Place, value: Any) -> bool:
    match value:
        case None:
            kind = {"null"}
        case bool():
            kind = {"boolean"}
        case int():
            kind = {"integer", "number"}
        case float():
            kind = {"integer", "number"} if value.is_integer() else {"number"}
        case str():
            kind = {"string"}
        case list():
            kind = {"array"}
        case _:
            kind = {"object"}
    return not kind & place.kinds and not (not place.kinds and kind == {"string"})


@st.composite
def wrong_calls(draw: st.DrawFn) -> tuple[str, Any]:
    """A call that has something that does not belong there in one place."""
    method, params, found = draw(st.sampled_from(SAMPLES))
    place = draw(st.sampled_from(found))
    wrong = draw(anything.filter(lambda value: does_not_belong(place, value)))
    return method, with_value(params, place.steps, wrong)


@st.composite
def broken_lines(draw: st.DrawFn) -> bytes:
    """A line of a harmless call with some bytes of it changed, moved or gone."""
    params = draw(st.dictionaries(st.text(max_size=5), anything, max_size=2))
    call = {"id": draw(scalars), "method": draw(st.sampled_from(HARMLESS)), "params": params}
    line = bytearray(json.dumps(call).encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(0, len(line) - 1)))
        line[at : at + draw(st.integers(0, 20))] = draw(st.binary(max_size=8))
    return bytes(line).replace(b"\n", b" ")


answers = st.builds(
    lambda number, part: json.dumps({"id": number, **part}).encode(),
    st.integers() | st.text(),
    st.sampled_from([{"result": {}}, {"error": {"code": 1, "message": "m"}}, {"error": []}]),
)
noise = st.one_of(
    broken_lines(),
    answers,
    st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")),
    anything.map(lambda value: json.dumps(value).encode()),
    st.text(max_size=20).map(lambda name: json.dumps({"method": name, "params": {}}).encode()),
)


async def conversation(lines: list[bytes], home: Path) -> list[dict[str, Any]]:
    """Everything a server says to these lines and to one last call."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    async with Server(ServerOptions(codex_home=home, cwd=home)) as server:
        serving = asyncio.create_task(
            server.serve(StdioChannel(theirs_in, theirs_out, server_codec()))
        )
        writing = asyncio.create_task(asyncio.to_thread(_write, ours_out, lines))
        async with asyncio.timeout(BOUND_SECONDS):
            heard = await asyncio.to_thread(_read, ours_in)
            await writing
            await serving
    return [json.loads(line) for line in heard.splitlines()]


def _write(descriptor: int, lines: list[bytes]) -> None:
    with open(descriptor, "wb") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


@pytest.mark.soak
@settings(
    max_examples=3000 if LONG else 8,
    derandomize=not LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(said=st.lists(wrong_calls() | noise, min_size=1, max_size=16))
def test_calls_with_wrong_params_among_noise_each_get_one_refusal(
    said: list[tuple[str, Any] | bytes],
) -> None:
    calls = {f"call {number}": call for number, call in enumerate(said) if isinstance(call, tuple)}
    lines = [
        line if isinstance(line, bytes) else as_line(f"call {number}", *line)
        for number, line in enumerate(said)
    ]
    with tempfile.TemporaryDirectory() as home:
        heard = asyncio.run(conversation([HELLO, *lines, LAST], Path(home)))
    for name in calls:
        [answer] = [message for message in heard if message.get("id") == name]
        assert answer["error"]["code"] == INVALID_REQUEST
        assert answer["error"]["message"].startswith("Invalid request: ")
    [last] = [message for message in heard if message.get("id") == "last"]
    assert last["result"]["data"]
