"""Whatever is wrong with the params of a call, its caller is told where; nothing else happens."""

import json
from typing import Any

import pytest

from app_server.protocol import catalog
from app_server.protocol.errors import INVALID_REQUEST
from app_server.rpc.codec import server_codec
from app_server.rpc.frames import RequestFrame, UnreadableRequest
from tests.protocol.recorded_schema import definitions, ours
from tests.protocol.samples import samples
from tests.protocol.wrong_params import places, with_value, without, wrong_values

REQUESTS = definitions(ours())["ClientRequest"]["oneOf"]
PARAMS: dict[str, Any] = {
    each["properties"]["method"]["enum"][0]: each["properties"]["params"]
    for each in REQUESTS
    if "$ref" in each["properties"].get("params", {})
}
CODEC = server_codec()
TAKEN_AS_IT_COMES = {"history"}
"""What a model once said may be of a kind we do not know."""


def read(method: str, params: Any) -> Any:
    text = json.dumps({"id": "the call", "method": method, "params": params})
    return CODEC.decode(text.encode())


def test_every_method_with_params_is_tried() -> None:
    declared = {row.name for row in catalog.all_client_methods() if row.params}
    assert set(PARAMS) == declared - catalog.OLDER_NAMES


@pytest.mark.parametrize("method", PARAMS)
def test_a_value_of_the_wrong_type_is_refused_by_the_name_of_its_field(method: str) -> None:
    tried: set[tuple[Any, ...]] = set()
    accepted = []
    for params in samples(PARAMS[method], ours()):
        for place in places(PARAMS[method], params, ours()):
            if (place.steps, place.kinds) in tried or place.steps[0] in TAKEN_AS_IT_COMES:
                continue
            tried.add((place.steps, place.kinds))
            for wrong in wrong_values(place):
                frame = read(method, with_value(params, place.steps, wrong))
                if isinstance(frame, RequestFrame):
                    accepted.append(f"{place.steps}: {wrong!r}")
                    continue
                assert isinstance(frame, UnreadableRequest)
                assert frame.id == "the call"
                assert frame.error.code == INVALID_REQUEST
                assert frame.error.message.startswith("Invalid request: ")
                assert place.field in frame.error.message
            if place.is_required:
                frame = read(method, without(params, place.steps))
                assert isinstance(frame, UnreadableRequest), place
                assert place.field in frame.error.message
    assert accepted == []


@pytest.mark.parametrize("method", PARAMS)
def test_fields_nobody_knows_are_ignored(method: str) -> None:
    for params in samples(PARAMS[method], ours()):
        if isinstance(params, dict):
            frame = read(method, {**params, "from the future": {"a": [1]}})
            assert isinstance(frame, RequestFrame)


@pytest.mark.parametrize("method", PARAMS)
@pytest.mark.parametrize("params", [[], "text", 5, True, [[]]])
def test_params_that_are_no_object_are_refused(method: str, params: Any) -> None:
    frame = read(method, params)
    assert isinstance(frame, UnreadableRequest)
    assert frame.error.code == INVALID_REQUEST
