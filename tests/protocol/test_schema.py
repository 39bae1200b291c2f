"""Our types say the same as the recorded schema of release 0.128, and newer fields besides."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.protocol.schema import BUNDLE, FLAT_BUNDLE, build_bundle, write_schemas
from tests.protocol.recorded_schema import (
    DRAWN_OTHERWISE,
    NEWER_FIELDS,
    WIDER_FIELDS,
    definitions,
    ours,
    recorded,
    shape,
)

MESSAGES = ("ClientRequest", "ClientNotification", "ServerRequest", "ServerNotification")
COMPARED = sorted(set(definitions(recorded())) - DRAWN_OTHERWISE - set(MESSAGES))


def comparable(name: str, bundle: dict[str, Any]) -> Any:
    schema = definitions(bundle)[name]
    skipped = set(WIDER_FIELDS.get(name, ()))
    if bundle is ours():
        skipped |= NEWER_FIELDS.get(name, set())
    fields = {k: v for k, v in schema.get("properties", {}).items() if k not in skipped}
    return shape({**schema, "properties": fields} if "properties" in schema else schema, bundle)


@pytest.mark.parametrize("name", COMPARED)
def test_a_type_has_the_fields_and_values_of_the_recorded_one(name: str) -> None:
    assert name in definitions(ours())
    assert comparable(name, ours()) == comparable(name, recorded())


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_recorded_message_is_declared_with_the_same_params(kind: str) -> None:
    declared = {shape(each, ours()) for each in ours()["definitions"][kind]["oneOf"]}
    wanted = {shape(each, recorded()) for each in recorded()["definitions"][kind]["oneOf"]}
    assert wanted <= declared


def test_types_stand_in_the_same_part_of_the_bundle_as_recorded() -> None:
    def newer(bundle: dict[str, Any]) -> set[str]:
        return set(bundle["definitions"]["v2"])

    both = set(definitions(ours())) & set(definitions(recorded()))
    assert newer(ours()) & both == newer(recorded()) & both - {"RequestId"}


def test_every_excuse_is_still_needed() -> None:
    recorded_types, our_types = definitions(recorded()), definitions(ours())
    for name, fields in NEWER_FIELDS.items():
        if name in our_types:
            assert fields <= set(our_types[name]["properties"])
            assert not fields & set(recorded_types[name].get("properties", {}))
    for name, fields in WIDER_FIELDS.items():
        for field in fields:
            mine = shape(our_types[name]["properties"][field], ours())
            theirs = shape(recorded_types[name]["properties"][field], recorded())
            assert mine != theirs


def test_a_changed_field_would_be_noticed() -> None:
    turn = definitions(ours())["Turn"]
    without_error = {k: v for k, v in turn["properties"].items() if k != "error"}
    optional_id = {**turn, "required": [n for n in turn["required"] if n != "id"]}
    never_null = {**turn["properties"], "error": {"$ref": "#/definitions/v2/TurnError"}}
    theirs = comparable("Turn", recorded())
    assert shape({**turn, "properties": without_error}, ours()) != theirs
    assert shape(optional_id, ours()) != theirs
    assert shape({**turn, "properties": never_null}, ours()) != theirs


def test_the_stable_bundle_leaves_out_experimental_methods_fields_and_their_types() -> None:
    stable = build_bundle()
    methods = {
        each["properties"]["method"]["enum"][0]
        for each in stable["definitions"]["ClientRequest"]["oneOf"]
    }
    assert "thread/start" in methods
    assert "thread/goal/set" not in methods
    assert "ThreadGoalSetParams" not in stable["definitions"]["v2"]
    assert "dynamicTools" not in stable["definitions"]["v2"]["ThreadStartParams"]["properties"]
    assert "DynamicToolSpec" not in stable["definitions"]["v2"]


def test_files_are_written_one_per_message_part_and_refer_only_to_themselves(
    tmp_path: Path,
) -> None:
    write_schemas(tmp_path / "schemas", experimental=True)
    files = {path.relative_to(tmp_path / "schemas") for path in tmp_path.rglob("*.json")}
    assert {Path(BUNDLE), Path(FLAT_BUNDLE), Path("v1/InitializeParams.json")} <= files
    assert {Path("v2/ThreadStartParams.json"), Path("ApplyPatchApprovalParams.json")} <= files
    one = msgspec.json.decode((tmp_path / "schemas/v2/ThreadStartParams.json").read_bytes())
    assert one["title"] == "ThreadStartParams"
    assert set(one["definitions"]) >= {"AskForApproval", "DynamicToolSpec"}
    assert "#/definitions/v2/" not in msgspec.json.encode(one).decode()
