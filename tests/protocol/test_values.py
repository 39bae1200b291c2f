"""Values of every row go through JSON both ways and fit the recorded schema."""

from typing import Any

import jsonschema_rs
import msgspec
import pytest

from app_server.protocol import catalog
from app_server.protocol.decode import decode_params, decode_result
from app_server.protocol.method import WireType
from app_server.protocol.schema_types import TypeReader
from tests.protocol.recorded_schema import definitions, recorded
from tests.protocol.samples import samples

READER = TypeReader(catalog.topics())
ROWS = {
    row.name: row
    for row in (
        *catalog.all_client_methods(),
        *catalog.all_server_methods(),
        *catalog.all_server_notifications(),
    )
}


def recorded_name(kind: WireType | None) -> str | None:
    name = None if kind is None else READER.name_of(kind)
    return name if name in definitions(recorded()) else None


def validator(name: str) -> Any:
    place = "v2/" if name in recorded()["definitions"]["v2"] else ""
    whole = {"$ref": f"#/definitions/{place}{name}", "definitions": recorded()["definitions"]}
    return jsonschema_rs.Draft7Validator(whole)


def contains(whole: Any, part: Any) -> bool:
    """Whether nothing of `part` is lost in `whole`; new keys may have come."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(
            key in whole and contains(whole[key], value) if value is not None else True
            for key, value in part.items()
        )
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(contains, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("method", sorted(ROWS))
def test_params_survive_json_and_fit_the_schema(method: str) -> None:
    row = ROWS[method]
    name = recorded_name(row.params)
    if name is None:
        pytest.skip("takes no params, or is not in the recorded schema")
    fits = validator(name)
    for sample in samples(definitions(recorded())[name]):
        value = decode_params(row, msgspec.json.encode(sample))
        written = msgspec.json.encode(value)
        again = msgspec.json.decode(written)
        assert contains(again, sample), (sample, again)
        fits.validate(again)
        assert decode_params(row, written) == value
        assert decode_params(row, again) == value


@pytest.mark.parametrize("method", sorted(n for n, row in ROWS.items() if hasattr(row, "result")))
def test_results_survive_json_and_fit_the_schema(method: str) -> None:
    row = ROWS[method]
    assert hasattr(row, "result")
    name = recorded_name(row.result)
    if name is None:
        pytest.skip("not in the recorded schema")
    fits = validator(name)
    for sample in samples(definitions(recorded())[name]):
        value = decode_result(row, msgspec.json.encode(sample))
        written = msgspec.json.encode(value)
        again = msgspec.json.decode(written)
        assert contains(again, sample), (sample, again)
        fits.validate(again)
        assert decode_result(row, written) == value


def test_a_lost_field_would_be_noticed() -> None:
    assert contains({"a": 1, "new": 2}, {"a": 1})
    assert not contains({"new": 2}, {"a": 1})
    assert not contains([{"a": 1}], [{"a": 2}])
